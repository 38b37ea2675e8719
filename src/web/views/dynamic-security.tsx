// The clients, groups and roles of dynamic security, where it is turned on.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Badge, Card } from '../components/card.tsx';
import { Empty, Failed, wordsOf } from '../components/faces.tsx';
import { Table } from '../components/table.tsx';
import { number, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { ClientForm } from './dynamic-security/client-form.tsx';
import { Defaults } from './dynamic-security/defaults.tsx';
import { GroupForm } from './dynamic-security/group-form.tsx';
import { aclWords, type Client, type Group, type Model, namesOf, type Role } from './dynamic-security/model.ts';
import { RemoveClient, RemoveGroup, RemoveRole } from './dynamic-security/removals.tsx';
import { RoleForm } from './dynamic-security/role-form.tsx';

type Named = { readonly name: string; readonly text: string | null };

/** Asked is the dialog that is open; null stands for something new. */
type Asked =
  | { readonly what: 'client'; readonly client: Client | null }
  | { readonly what: 'group'; readonly group: Group | null }
  | { readonly what: 'role'; readonly role: Role | null }
  | { readonly what: 'remove client'; readonly client: Client }
  | { readonly what: 'remove group'; readonly group: Group }
  | { readonly what: 'remove role'; readonly role: Role };

const EVERY_MS = 10_000;
const MOST = 500;

/** DynamicSecurity is nothing where it is not turned on. */
export function DynamicSecurity() {
  const security = useLive(() => ask(api.GET('/api/v1/dynamic-security', { params: { query: { limit: MOST } } })), EVERY_MS);
  const [asked, setAsked] = useState<Asked | null>(null);
  const refresh = () => void security.refresh();
  const { problem, data } = security;
  if (data.value === null && problem.value !== null) {
    return <Failed words={wordsOf(problem.value)} action={<Button onClick={refresh}>{t('face.again')}</Button>} />;
  }
  if (data.value?.model == null) return null;
  const model: Model = { ...data.value.model, revision: data.value.revision ?? '' };
  return (
    <>
      <Card
        title={t('dynamic.clients')}
        actions={<Add words={t('dynamic.addClient')} act={() => setAsked({ what: 'client', client: null })} />}
      >
        <p class="hint">{t('dynamic.hint')}</p>
        <Clients clients={model.clients} ask={setAsked} />
      </Card>
      <Card
        title={t('dynamic.groups')}
        actions={<Add words={t('dynamic.addGroup')} act={() => setAsked({ what: 'group', group: null })} />}
      >
        <Groups groups={model.groups} ask={setAsked} />
      </Card>
      <Card title={t('dynamic.roles')} actions={<Add words={t('dynamic.addRole')} act={() => setAsked({ what: 'role', role: null })} />}>
        <Roles roles={model.roles} ask={setAsked} />
      </Card>
      <Defaults model={model} refresh={refresh} />
      {asked !== null && <AskedDialog asked={asked} model={model} refresh={refresh} close={() => setAsked(null)} />}
    </>
  );
}

interface AskedDialogProps {
  readonly asked: Asked;
  readonly model: Model;
  readonly refresh: () => void;
  readonly close: () => void;
}

function AskedDialog({ asked, ...props }: AskedDialogProps) {
  switch (asked.what) {
    case 'client':
      return <ClientForm client={asked.client} {...props} />;
    case 'group':
      return <GroupForm group={asked.group} {...props} />;
    case 'role':
      return <RoleForm role={asked.role} {...props} />;
    case 'remove client':
      return <RemoveClient client={asked.client} {...props} />;
    case 'remove group':
      return <RemoveGroup group={asked.group} {...props} />;
    case 'remove role':
      return <RemoveRole role={asked.role} {...props} />;
  }
}

interface Asking {
  readonly ask: (asked: Asked) => void;
}

function Clients({ clients: { items, total }, ask }: Pick<Model, 'clients'> & Asking) {
  if (items.length === 0) return <Empty icon="people" words={t('dynamic.noClients')} />;
  return (
    <>
      <Table
        name={t('dynamic.clients')}
        rows={items}
        keyOf={({ username }) => username}
        columns={[
          { title: t('people.name'), isHead: true, cell: ({ username, text }) => <Name of={{ name: username, text }} /> },
          { title: t('dynamic.groups'), cell: ({ groups }) => <Names of={namesOf(groups)} /> },
          { title: t('dynamic.roles'), cell: ({ roles }) => <Names of={namesOf(roles)} /> },
          {
            title: t('dynamic.state'),
            cell: ({ disabled, hasPassword }) => {
              if (disabled) return <Badge look="warn">{t('dynamic.disabled')}</Badge>;
              return hasPassword ? <Badge look="good">{t('dynamic.good')}</Badge> : <Badge look="warn">{t('dynamic.noPassword')}</Badge>;
            },
          },
          {
            title: t('dynamic.change'),
            isActions: true,
            cell: (client) => (
              <Hands
                name={client.username}
                change={() => ask({ what: 'client', client })}
                remove={() => ask({ what: 'remove client', client })}
              />
            ),
          },
        ]}
      />
      {total > items.length && <p class="hint">{t('dynamic.more', { shown: items.length, total })}</p>}
    </>
  );
}

function Groups({ groups, ask }: Pick<Model, 'groups'> & Asking) {
  if (groups.length === 0) return <Empty icon="people" words={t('dynamic.noGroups')} />;
  return (
    <Table
      name={t('dynamic.groups')}
      rows={groups}
      keyOf={({ name }) => name}
      columns={[
        { title: t('people.name'), isHead: true, cell: (group) => <Name of={group} /> },
        { title: t('dynamic.roles'), cell: ({ roles }) => <Names of={namesOf(roles)} /> },
        { title: t('dynamic.members'), cell: ({ members }) => <Names of={members} /> },
        {
          title: t('dynamic.change'),
          isActions: true,
          cell: (group) => (
            <Hands name={group.name} change={() => ask({ what: 'group', group })} remove={() => ask({ what: 'remove group', group })} />
          ),
        },
      ]}
    />
  );
}

function Roles({ roles, ask }: Pick<Model, 'roles'> & Asking) {
  if (roles.length === 0) return <Empty icon="shield" words={t('dynamic.noRoles')} />;
  return (
    <ul class="lines">
      {roles.map((role) => (
        <li key={role.name}>
          <details>
            <summary>
              <Name of={role} /> <span class="hint">{number(role.acls.length)}</span>
            </summary>
            <ul class="plain-list">
              {role.acls.map(({ type, topic, allow, priority }) => (
                <li key={`${type} ${topic} ${priority}`}>
                  <Badge look={allow ? 'good' : 'bad'}>{aclWords({ type, allow })}</Badge> <code>{topic}</code>
                </li>
              ))}
            </ul>
          </details>
          <Hands name={role.name} change={() => ask({ what: 'role', role })} remove={() => ask({ what: 'remove role', role })} />
        </li>
      ))}
    </ul>
  );
}

function Add({ words, act }: { readonly words: string; readonly act: () => void }) {
  return (
    <Button icon="plus" onClick={act}>
      {words}
    </Button>
  );
}

function Hands({ name, change, remove }: { readonly name: string; readonly change: () => void; readonly remove: () => void }) {
  return (
    <span class="hands">
      <IconButton icon="edit" name={t('dynamic.changeTitle', { name })} onClick={change} />
      <IconButton icon="trash" name={t('dynamic.removeName', { name })} onClick={remove} />
    </span>
  );
}

function Name({ of: { name, text } }: { readonly of: Named }) {
  return (
    <>
      {name}
      {text !== null && <span class="hint"> {text}</span>}
    </>
  );
}

function Names({ of }: { readonly of: readonly string[] }): ComponentChildren {
  return of.length === 0 ? <span class="quiet">–</span> : of.join(', ');
}
