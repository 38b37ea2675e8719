// The clients, groups and roles of dynamic security, where it is turned on.

import type { ComponentChildren } from 'preact';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Badge, Card } from '../components/card.tsx';
import { Empty } from '../components/faces.tsx';
import { Table } from '../components/table.tsx';
import { number, t } from '../i18n.ts';
import { useLive } from '../live.ts';

type Model = NonNullable<Answer<'/api/v1/dynamic-security'>['model']>;
type Named = { readonly name: string; readonly text: string | null };

const EVERY_MS = 10_000;
const MOST = 500;

/** DynamicSecurity is nothing where it is not turned on. */
export function DynamicSecurity() {
  const security = useLive(() => ask(api.GET('/api/v1/dynamic-security', { params: { query: { limit: MOST } } })), EVERY_MS);
  const model = security.data.value?.model ?? null;
  if (model === null) return null;
  return (
    <>
      <Card title={t('dynamic.clients')}>
        <p class="hint">{t('dynamic.hint')}</p>
        <Clients clients={model.clients} />
      </Card>
      <Card title={t('dynamic.groups')}>
        <Groups groups={model.groups} />
      </Card>
      <Card title={t('dynamic.roles')}>
        <Roles roles={model.roles} />
      </Card>
    </>
  );
}

function Clients({ clients: { items, total } }: Pick<Model, 'clients'>) {
  if (items.length === 0) return <Empty icon="people" words={t('dynamic.noClients')} />;
  return (
    <>
      <Table
        name={t('dynamic.clients')}
        rows={items}
        keyOf={({ username }) => username}
        columns={[
          { title: t('people.name'), isHead: true, cell: ({ username, text }) => <Name of={{ name: username, text }} /> },
          { title: t('dynamic.groups'), cell: ({ groups }) => <Names of={groups.map(({ name }) => name)} /> },
          { title: t('dynamic.roles'), cell: ({ roles }) => <Names of={roles.map(({ name }) => name)} /> },
          {
            title: t('dynamic.state'),
            cell: ({ disabled, hasPassword }) => {
              if (disabled) return <Badge look="warn">{t('dynamic.disabled')}</Badge>;
              return hasPassword ? <Badge look="good">{t('dynamic.good')}</Badge> : <Badge look="warn">{t('dynamic.noPassword')}</Badge>;
            },
          },
        ]}
      />
      {total > items.length && <p class="hint">{t('dynamic.more', { shown: items.length, total })}</p>}
    </>
  );
}

function Groups({ groups }: Pick<Model, 'groups'>) {
  if (groups.length === 0) return <Empty icon="people" words={t('dynamic.noGroups')} />;
  return (
    <Table
      name={t('dynamic.groups')}
      rows={groups}
      keyOf={({ name }) => name}
      columns={[
        { title: t('people.name'), isHead: true, cell: (group) => <Name of={group} /> },
        { title: t('dynamic.roles'), cell: ({ roles }) => <Names of={roles.map(({ name }) => name)} /> },
        { title: t('dynamic.members'), cell: ({ members }) => <Names of={members} /> },
      ]}
    />
  );
}

function Roles({ roles }: Pick<Model, 'roles'>) {
  if (roles.length === 0) return <Empty icon="shield" words={t('dynamic.noRoles')} />;
  return (
    <div class="stack">
      {roles.map(({ name, text, acls }) => (
        <details key={name}>
          <summary>
            <Name of={{ name, text }} /> <span class="hint">{number(acls.length)}</span>
          </summary>
          <ul class="plain-list">
            {acls.map(({ type, topic, allow, priority }) => (
              <li key={`${type} ${topic} ${priority}`}>
                <Badge look={allow ? 'good' : 'bad'}>{t(allow ? 'dynamic.allow' : 'dynamic.deny')}</Badge> <code>{`${type} ${topic}`}</code>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </div>
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
