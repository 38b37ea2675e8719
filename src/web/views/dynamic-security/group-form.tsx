// A group of dynamic security, new or changed: who is in it, and which roles they have by it.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { CheckList } from '../../components/check-list.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { t } from '../../i18n.ts';
import { type Group, linksTo, type Model, namesOf } from './model.ts';

export interface GroupFormProps {
  readonly model: Model;
  /** Null = a new one. */
  readonly group: Group | null;
  readonly refresh: () => void;
  readonly close: () => void;
}

/** GroupForm is a dialog. */
export function GroupForm({ model, group, refresh, close }: GroupFormProps) {
  const [name, setName] = useState(group?.name ?? '');
  const [roles, setRoles] = useState<readonly string[]>(namesOf(group?.roles ?? []));
  const [members, setMembers] = useState<readonly string[]>(group?.members ?? []);
  const usernames = model.clients.items.map(({ username }) => username);
  const save = async () => {
    const links = linksTo(roles, group?.roles ?? []);
    if (group === null) await ask(api.POST('/api/v1/dynamic-security/groups', { body: { name: name.trim(), roles: links } }));
    else {
      const body = { roles: links, members: [...members], revision: model.revision };
      await ask(api.PATCH('/api/v1/dynamic-security/groups/{name}', { params: { path: { name } }, body }));
    }
    toast(t('dynamic.changed', { name: name.trim() }));
    refresh();
    close();
  };
  return (
    <Dialog title={group === null ? t('dynamic.addGroup') : t('dynamic.changeTitle', { name })} close={close}>
      <Form action={t('dynamic.save')} send={save}>
        {group === null && <Field label={t('people.name')} name="name" value={name} change={setName} required isFirst />}
        <CheckList label={t('dynamic.roles')} options={namesOf(model.roles)} chosen={roles} choose={setRoles} none={t('dynamic.noRoles')} />
        {group !== null && (
          <>
            <CheckList
              label={t('dynamic.members')}
              options={[...new Set([...usernames, ...group.members])]}
              chosen={members}
              choose={setMembers}
              none={t('dynamic.noClients')}
            />
            <p class="hint">{t('dynamic.comesAgain')}</p>
          </>
        )}
      </Form>
    </Dialog>
  );
}
