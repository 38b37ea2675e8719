// The questions before something of dynamic security goes, which say what goes with it.

import { api, ask } from '../../api/client.ts';
import { Confirm } from '../../components/dialog.tsx';
import { toast } from '../../components/toast.tsx';
import { plural, t } from '../../i18n.ts';
import { type Client, type Group, type Model, namesOf, type Role } from './model.ts';

interface RemovalProps {
  readonly refresh: () => void;
  readonly close: () => void;
}

/** RemoveClient asks before a client goes. */
export function RemoveClient({ client: { username, roles, groups }, refresh, close }: RemovalProps & { readonly client: Client }) {
  const act = async () => {
    const { canStillSignIn } = await ask(api.DELETE('/api/v1/dynamic-security/clients/{username}', { params: { path: { username } } }));
    done(username, refresh, canStillSignIn ? 'people.removedHere' : 'people.removed');
  };
  return (
    <Confirm title={t('dynamic.removeClient', { name: username })} action={t('people.remove')} act={act} close={close}>
      <p>{t('dynamic.removeClientWords')}</p>
      <Lost words={t('dynamic.roles')} names={namesOf(roles)} />
      <Lost words={t('dynamic.groups')} names={namesOf(groups)} />
    </Confirm>
  );
}

/** RemoveGroup asks before a group goes. */
export function RemoveGroup({ group: { name, roles, members }, refresh, close }: RemovalProps & { readonly group: Group }) {
  const act = async () => {
    await ask(api.DELETE('/api/v1/dynamic-security/groups/{name}', { params: { path: { name } } }));
    done(name, refresh);
  };
  return (
    <Confirm title={t('dynamic.removeGroup', { name })} action={t('people.remove')} act={act} close={close}>
      <p>{plural('dynamic.removeGroupWords', members.length)}</p>
      <Lost words={t('dynamic.members')} names={members} />
      <Lost words={t('dynamic.roles')} names={namesOf(roles)} />
    </Confirm>
  );
}

/** RemoveRole asks before a role goes. */
export function RemoveRole({ role, model, refresh, close }: RemovalProps & { readonly role: Role; readonly model: Model }) {
  const { name, acls } = role;
  const act = async () => {
    await ask(api.DELETE('/api/v1/dynamic-security/roles/{name}', { params: { path: { name } } }));
    done(name, refresh);
  };
  const has = ({ roles }: { readonly roles: Client['roles'] }) => roles.some((each) => each.name === name);
  return (
    <Confirm title={t('dynamic.removeRole', { name })} action={t('people.remove')} act={act} close={close}>
      <p>{plural('dynamic.removeRoleWords', acls.length)}</p>
      <Lost words={t('dynamic.clients')} names={model.clients.items.filter(has).map(({ username }) => username)} />
      <Lost words={t('dynamic.groups')} names={namesOf(model.groups.filter(has))} />
    </Confirm>
  );
}

function done(name: string, refresh: () => void, words: 'people.removed' | 'people.removedHere' = 'people.removed'): void {
  toast(t(words, { name }));
  refresh();
}

function Lost({ words, names }: { readonly words: string; readonly names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <p>
      {words}: <strong>{names.join(', ')}</strong>
    </p>
  );
}
