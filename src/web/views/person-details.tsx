// One person: what the account may do, who may use the page with it, its password, and its end.

import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Card, PageHeader } from '../components/card.tsx';
import { Confirm, Dialog } from '../components/dialog.tsx';
import { Shown, Trouble, wordsOf } from '../components/faces.tsx';
import { Select } from '../components/field.tsx';
import { toast } from '../components/toast.tsx';
import { plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { go, linkTo } from '../router.ts';
import { useSending } from '../sending.ts';
import { currentSession, type Right } from '../visit.ts';
import { NewPassword } from './made-account.tsx';
import { MayTheyCard } from './may-they.tsx';
import { PersonRules } from './person-rules.tsx';
import { makePassword, type Rule } from './person-templates.ts';
import { ROLE_NAMES } from './role-names.ts';
import { Tokens } from './tokens.tsx';

const EVERY_MS = 5000;

/** PersonDetails shows it. */
export function PersonDetails({ username }: { readonly username: string }) {
  const [dialog, setDialog] = useState<'none' | 'password' | 'remove'>('none');
  const person = useLive(() => loadPerson(username), EVERY_MS, [username]);
  const close = () => setDialog('none');
  return (
    <>
      <p class="back">
        <a href={linkTo('people')}>{t('people.back')}</a>
      </p>
      <PageHeader
        title={username}
        lead={person.data.value === null ? undefined : plural('people.connected', person.data.value.clients)}
        actions={
          person.data.value?.isHere && (
            <>
              <Button icon="key" onClick={() => setDialog('password')}>
                {t('people.newPassword')}
              </Button>
              <Button icon="trash" look="danger" onClick={() => setDialog('remove')}>
                {t('people.remove')}
              </Button>
            </>
          )
        }
      />
      <Shown live={person}>
        {({ isHere, clients, role, rules, mayBegin, revision }) => (
          <div class="stack">
            {!isHere && (
              <Card look="info">
                <p>{t('people.notHere')}</p>
                <div class="actions">
                  <Button look="primary" icon="plus" onClick={() => go('people', [], { add: username })}>
                    {t('people.addThis', { name: username })}
                  </Button>
                </div>
              </Card>
            )}
            <div class="columns">
              <PersonRules {...{ username, rules, mayBegin, revision }} refresh={() => void person.refresh()} />
              <PageAccess username={username} role={role} refresh={() => void person.refresh()} />
            </div>
            <MayTheyCard users={[username]} />
            {role !== null && <Tokens account={username} />}
            {dialog === 'password' && <PasswordDialog username={username} close={close} />}
            {dialog === 'remove' && <RemoveDialog username={username} clients={clients} role={role} rules={rules ?? []} close={close} />}
          </div>
        )}
      </Shown>
    </>
  );
}

interface Person {
  /** False = the account has gone, or the configuration itself names it. */
  readonly isHere: boolean;
  readonly clients: number;
  /** Null = no access to the page. */
  readonly role: Right | null;
  /** Null = there is no ACL file. */
  readonly rules: readonly Rule[] | null;
  readonly mayBegin: boolean;
  readonly revision: string;
}

async function loadPerson(username: string): Promise<Person> {
  const [users, roles, setup] = await Promise.all([
    ask(api.GET('/api/v1/users', { params: { query: { limit: 1000 } } })),
    ask(api.GET('/api/v1/roles')),
    ask(api.GET('/api/v1/phone-setup')),
  ]);
  const user = users.items.find((each) => each.username === username);
  const hasFile = users.items.some((each) => each.hasRules !== null);
  const found = hasFile ? await ask(api.GET('/api/v1/rules', { params: { query: { username } } })) : null;
  return {
    isHere: user !== undefined && user.origin !== null,
    clients: user?.clients ?? 0,
    role: roles.find((each) => each.username === username)?.role ?? null,
    rules: found === null ? null : found.rules.map(({ kind, access, filter }) => ({ kind, access, filter })),
    mayBegin: setup.beginsRules,
    revision: found?.revision ?? '',
  };
}

interface PageAccessProps {
  readonly username: string;
  readonly role: Right | null;
  readonly refresh: () => void;
}

/** '' stands for no access, which a select cannot have. */
function PageAccess({ username, role, refresh }: PageAccessProps) {
  const choose = async (next: Right | '') => {
    const body = { role: next === '' ? null : next };
    try {
      await ask(api.PUT('/api/v1/roles/{username}', { params: { path: { username } }, body }));
      toast(t('people.roleSet', { name: username }));
    } catch (error) {
      toast(wordsOf(error as Error), 'bad'); // ask throws nothing else
    }
    refresh();
  };
  const names = Object.entries(ROLE_NAMES) as [Right, (typeof ROLE_NAMES)[Right]][]; // its keys
  return (
    <Card title={t('people.page')}>
      <Select<Right | ''>
        label={t('people.pageLabel')}
        value={role ?? ''}
        choose={(next) => void choose(next)}
        options={[['', t('people.noPage')] as const, ...names.map(([each, name]) => [each, t(name)] as const)]}
      />
      <p class="hint">{t('people.pageHint')}</p>
    </Card>
  );
}

function PasswordDialog({ username, close }: { readonly username: string; readonly close: () => void }) {
  const [password, setPassword] = useState<string | null>(null);
  const { isBusy, problem, send } = useSending();
  const isOwn = currentSession()?.username === username;
  const make = () =>
    send(async () => {
      const next = makePassword();
      await ask(api.PUT('/api/v1/users/{username}/password', { params: { path: { username } }, body: { password: next } }));
      setPassword(next);
    });
  if (password !== null) {
    return (
      <Dialog title={t('people.newPasswordTitle', { name: username })} close={close}>
        <NewPassword made={{ username, password }} />
      </Dialog>
    );
  }
  return (
    <Dialog title={t('people.newPasswordAsk', { name: username })} close={close}>
      <p>{t(isOwn ? 'people.newPasswordOwn' : 'people.newPasswordWords')}</p>
      {problem !== null && <Trouble problem={problem} />}
      <div class="actions">
        <Button onClick={close}>{t('dialog.cancel')}</Button>
        {!isOwn && (
          <Button look="primary" isBusy={isBusy} onClick={() => void make()}>
            {t('people.newPasswordMake')}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

interface RemoveProps extends Pick<Person, 'clients' | 'role'> {
  readonly username: string;
  readonly rules: readonly Rule[];
  readonly close: () => void;
}

function RemoveDialog({ username, clients, role, rules, close }: RemoveProps) {
  const own = rules.filter(({ kind }) => kind === 'topic');
  const remove = async () => {
    const params = { path: { username } };
    const { canStillSignIn } = await ask(api.DELETE('/api/v1/users/{username}', { params }));
    if (own.length > 0) await ask(api.PATCH('/api/v1/rules', { body: { username, remove: own } }));
    toast(t(canStillSignIn ? 'people.removedHere' : 'people.removed', { name: username }));
    go('people');
  };
  return (
    <Confirm title={t('people.removeTitle', { name: username })} action={t('people.remove')} act={remove} close={close}>
      <p>{t('people.removeWords')}</p>
      <ul>
        <li>{t('people.removeAccount', { name: username })}</li>
        {own.map(({ access, filter }) => (
          <li key={`${access} ${filter}`}>
            {t('people.removeRule')} <code>{`${access} ${filter}`}</code>
          </li>
        ))}
        {role !== null && <li>{t('people.removeRole', { role: t(ROLE_NAMES[role]) })}</li>}
      </ul>
      {clients > 0 && <p>{plural('people.removeClients', clients)}</p>}
    </Confirm>
  );
}
