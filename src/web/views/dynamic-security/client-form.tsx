// A client of dynamic security, new or changed: its roles, its groups, and whether it may sign in.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Check } from '../../components/check.tsx';
import { CheckList } from '../../components/check-list.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { t } from '../../i18n.ts';
import { useSending } from '../../sending.ts';
import { type Made, MadeAccount, makeWith } from '../made-account.tsx';
import { OwnPasswordField } from '../own-password-field.tsx';
import { type Client, linksTo, type Model, namesOf } from './model.ts';

export interface ClientFormProps {
  readonly model: Model;
  /** Null = a new one. */
  readonly client: Client | null;
  readonly refresh: () => void;
  readonly close: () => void;
}

/** ClientForm is a dialog; where it has made a password, it shows it once. */
export function ClientForm({ model, client, refresh, close }: ClientFormProps) {
  const [made, setMade] = useState<Made | null>(null);
  if (made !== null) return <MadeAccount made={made} close={close} />;
  const done = (password: Made | null) => {
    refresh();
    if (password === null) close();
    else setMade(password);
  };
  const title = client === null ? t('dynamic.addClient') : t('dynamic.changeTitle', { name: client.username });
  return (
    <Dialog title={title} close={close}>
      <ClientFields model={model} client={client} done={done} />
    </Dialog>
  );
}

interface ClientFieldsProps extends Pick<ClientFormProps, 'model' | 'client'> {
  readonly done: (made: Made | null) => void;
}

function ClientFields({ model, client, done }: ClientFieldsProps) {
  const [username, setUsername] = useState(client?.username ?? '');
  const [typedPassword, setPassword] = useState('');
  const [clientId, setClientId] = useState(client?.clientId ?? '');
  const [roles, setRoles] = useState<readonly string[]>(namesOf(client?.roles ?? []));
  const [groups, setGroups] = useState<readonly string[]>(namesOf(client?.groups ?? []));
  const [mayEnter, setMayEnter] = useState(client?.disabled !== true);
  const sending = useSending();
  const links = { roles: linksTo(roles, client?.roles ?? []), groups: linksTo(groups, client?.groups ?? []) };
  const save = async () => {
    if (client === null) {
      const account = { username: username.trim(), clientId: clientId.trim(), ...links };
      const make = (password: string) => ask(api.POST('/api/v1/dynamic-security/clients', { body: { ...account, password } }));
      return done(await makeWith(account.username, typedPassword, make));
    }
    const body = { ...links, clientId: clientId.trim(), disabled: !mayEnter, revision: model.revision };
    await ask(api.PATCH('/api/v1/dynamic-security/clients/{username}', { params: { path: { username } }, body }));
    toast(t('dynamic.changed', { name: username }));
    done(null);
  };
  const renew = async () => {
    const params = { path: { username } };
    const change = (password: string) => ask(api.PATCH('/api/v1/dynamic-security/clients/{username}', { params, body: { password } }));
    done(await makeWith(username, '', change));
  };
  return (
    <Form
      action={t(client === null ? 'people.make' : 'dynamic.save')}
      send={save}
      sending={sending}
      others={
        client !== null && (
          <Button icon="key" isBusy={sending.isBusy} onClick={() => void sending.send(renew)}>
            {t('people.newPassword')}
          </Button>
        )
      }
    >
      {client === null ? (
        <>
          <Field
            label={t('people.name')}
            name="username"
            value={username}
            change={setUsername}
            hint={t('people.nameHint')}
            required
            isFirst
          />
          <OwnPasswordField value={typedPassword} change={setPassword} />
        </>
      ) : (
        <Check label={t('dynamic.mayEnter')} hint={t('dynamic.mayEnterHint')} isOn={mayEnter} turn={setMayEnter} />
      )}
      <CheckList label={t('dynamic.roles')} options={namesOf(model.roles)} chosen={roles} choose={setRoles} none={t('dynamic.noRoles')} />
      <CheckList
        label={t('dynamic.groups')}
        options={namesOf(model.groups)}
        chosen={groups}
        choose={setGroups}
        none={t('dynamic.noGroups')}
      />
      <Field label={t('dynamic.clientId')} name="clientId" value={clientId} change={setClientId} hint={t('dynamic.clientIdHint')} />
      {client !== null && <p class="hint">{t('dynamic.comesAgain')}</p>}
    </Form>
  );
}
