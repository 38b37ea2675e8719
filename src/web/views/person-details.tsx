// One person: what the account may do, who may use the page with it, its password, its lock, and its end.

import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Badge, Card, PageHeader } from '../components/card.tsx';
import { Confirm, Dialog } from '../components/dialog.tsx';
import { Shown, wordsOf } from '../components/faces.tsx';
import { Select } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { toast } from '../components/toast.tsx';
import { plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { go, linkTo, place } from '../router.ts';
import { currentSession, type Right } from '../visit.ts';
import { type Made, MadeAccount, makeWith } from './made-account.tsx';
import { MayTheyCard } from './may-they.tsx';
import { OwnPasswordField } from './own-password-field.tsx';
import { PersonRules } from './person-rules.tsx';
import type { Rule } from './person-templates.ts';
import { ROLE_NAMES } from './role-names.ts';
import { ruleText } from './rule-words.tsx';
import { Tokens } from './tokens.tsx';

const EVERY_MS = 5000;

const ASKED = ['password', 'lock', 'unlock'] as const;

/** PersonDetails shows it; `?password`, `?lock` and `?unlock` ask at once whether to do that. */
export function PersonDetails({ username }: { readonly username: string }) {
  const asked = ASKED.find((each) => place.value.query.has(each));
  const [dialog, setDialog] = useState<'none' | 'remove' | (typeof ASKED)[number]>(asked ?? 'none');
  const person = useLive(() => loadPerson(username), EVERY_MS, [username]);
  const close = () => setDialog('none');
  const refresh = () => void person.refresh();
  const isLocked = person.data.value?.isLocked ?? null;
  return (
    <>
      <p class="back">
        <a href={linkTo('people')}>{t('people.back')}</a>
      </p>
      <PageHeader
        title={username}
        lead={person.data.value === null ? undefined : <Lead person={person.data.value} />}
        actions={
          person.data.value !== null && (
            <>
              {person.data.value.isHere && (
                <Button icon="key" onClick={() => setDialog('password')}>
                  {t('people.newPassword')}
                </Button>
              )}
              <LockButton username={username} isLocked={isLocked} lock={() => setDialog('lock')} refresh={refresh} />
              {person.data.value.isHere && (
                <Button icon="trash" look="danger" onClick={() => setDialog('remove')}>
                  {t('people.remove')}
                </Button>
              )}
            </>
          )
        }
      />
      <Shown live={person}>
        {({ isHere, clients, role, rules, mayBegin, revision }) => (
          <div class="stack">
            {isLocked && <LockedCard />}
            {!isHere && isLocked !== null && <InDynamic />}
            {!isHere && isLocked === null && (
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
              <PersonRules {...{ username, rules, mayBegin, revision }} refresh={refresh} />
              <PageAccess username={username} role={role} refresh={refresh} />
            </div>
            <MayTheyCard users={[username]} revision={revision} />
            {role !== null && <Tokens account={username} />}
            {dialog === 'password' && isHere && <PasswordDialog username={username} close={close} />}
            {dialog === 'lock' && isLocked === false && !isOwn(username) && <LockDialog {...{ username, clients, refresh, close }} />}
            {dialog === 'unlock' && isLocked === true && <UnlockDialog {...{ username, refresh, close }} />}
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
  /** Null = there is nothing to lock. */
  readonly isLocked: boolean | null;
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
  const isHere = user !== undefined && user.origin !== null;
  return {
    isHere,
    isLocked: isHere ? user.locked : await isDynamicLocked(username),
    clients: user?.clients ?? 0,
    role: roles.find((each) => each.username === username)?.role ?? null,
    rules: found === null ? null : found.rules.map(({ kind, access, filter }) => ({ kind, access, filter })),
    mayBegin: setup.beginsRules,
    revision: found?.revision ?? '',
  };
}

/** Null = dynamic security has no client of this name. */
async function isDynamicLocked(username: string): Promise<boolean | null> {
  const { model } = await ask(api.GET('/api/v1/dynamic-security', { params: { query: { limit: 1000 } } }));
  return model?.clients.items.find((each) => each.username === username)?.disabled ?? null;
}

function Lead({ person: { isLocked, clients } }: { readonly person: Person }) {
  return (
    <>
      {isLocked && <Badge look="warn">{t('people.locked')}</Badge>} {plural('people.connected', clients)}
    </>
  );
}

function LockedCard() {
  return (
    <Card look="warn">
      <p>{t('people.lockedWords')}</p>
    </Card>
  );
}

function InDynamic() {
  return (
    <Card look="info">
      <p>
        {t('people.inDynamicHere')} <a href={linkTo('people')}>{t('people.back')}</a>
      </p>
    </Card>
  );
}

function isOwn(username: string): boolean {
  return currentSession()?.username === username;
}

interface LockButtonProps {
  readonly username: string;
  readonly isLocked: boolean | null;
  readonly lock: () => void;
  readonly refresh: () => void;
}

/** Nobody can lock the account of this very session: who could undo it? */
function LockButton({ username, isLocked, lock, refresh }: LockButtonProps) {
  if (isLocked === null || isOwn(username)) return null;
  const unlock = async () => {
    try {
      await unlockAccount(username);
    } catch (error) {
      toast(wordsOf(error as Error), 'bad'); // ask throws nothing else
    }
    refresh();
  };
  return (
    <Button icon="lock" onClick={isLocked ? () => void unlock() : lock}>
      {t(isLocked ? 'people.unlock' : 'people.lock')}
    </Button>
  );
}

interface LockDialogProps {
  readonly username: string;
  readonly clients: number;
  readonly refresh: () => void;
  readonly close: () => void;
}

function LockDialog({ username, clients, refresh, close }: LockDialogProps) {
  const lock = async () => {
    await setLock(username, true);
    toast(t('people.isLocked', { name: username }));
    refresh();
  };
  return (
    <Confirm title={t('people.lockTitle', { name: username })} action={t('people.lock')} act={lock} close={close}>
      <p>{t('people.lockWords')}</p>
      {clients > 0 && <p>{plural('people.removeClients', clients)}</p>}
    </Confirm>
  );
}

function UnlockDialog({ username, refresh, close }: Omit<LockDialogProps, 'clients'>) {
  const unlock = async () => {
    await unlockAccount(username);
    refresh();
  };
  return (
    <Confirm title={t('people.unlockTitle', { name: username })} action={t('people.unlock')} act={unlock} close={close} look="primary">
      <p>{t('people.unlockWords')}</p>
    </Confirm>
  );
}

async function unlockAccount(username: string): Promise<void> {
  await setLock(username, false);
  toast(t('people.unlocked', { name: username }));
}

function setLock(username: string, locked: boolean) {
  return ask(api.PUT('/api/v1/users/{username}/lock', { params: { path: { username } }, body: { locked } }));
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
  const [typed, setTyped] = useState('');
  const [made, setMade] = useState<Made | null>(null);
  const own = isOwn(username);
  const make = async () => {
    const params = { path: { username } };
    setMade(
      await makeWith(username, typed, (password) => ask(api.PUT('/api/v1/users/{username}/password', { params, body: { password } }))),
    );
  };
  if (made !== null) return <MadeAccount title={t('people.newPasswordTitle', { name: username })} made={made} close={close} />;
  return (
    <Dialog title={t('people.newPasswordAsk', { name: username })} close={close}>
      <p>{t(own ? 'people.newPasswordOwn' : 'people.newPasswordWords')}</p>
      {own ? (
        <div class="actions">
          <Button onClick={close}>{t('dialog.close')}</Button>
        </div>
      ) : (
        <Form action={t('people.newPasswordDo')} send={make} cancel={close}>
          <OwnPasswordField value={typed} change={setTyped} />
        </Form>
      )}
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
        {own.map((rule) => (
          <li key={`${rule.access} ${rule.filter}`}>{t('people.removeRule', { rule: ruleText(rule) })}</li>
        ))}
        {role !== null && <li>{t('people.removeRole', { role: t(ROLE_NAMES[role]) })}</li>}
      </ul>
      {clients > 0 && <p>{plural('people.removeClients', clients)}</p>}
    </Confirm>
  );
}
