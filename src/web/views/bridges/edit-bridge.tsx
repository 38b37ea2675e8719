// A bridge that connects to another address, or signs in there in another way: nobody has to remove it for a wrong password.

import { useEffect, useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Loading, Trouble } from '../../components/faces.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { t } from '../../i18n.ts';

export interface EditBridgeProps {
  readonly name: string;
  readonly close: () => void;
  readonly changed: () => void;
}

interface Typed {
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

/** EditBridge shows what the configuration says, but for the password. */
export function EditBridge({ name, close, changed }: EditBridgeProps) {
  const [before, setBefore] = useState<Typed | null>(null);
  const [typed, setTyped] = useState<Typed>({ address: '', username: '', password: '' });
  const [problem, setProblem] = useState<Error | null>(null);
  useEffect(() => {
    read(name).then((said) => {
      setBefore(said);
      setTyped(said);
    }, setProblem);
  }, [name]);
  const send = async () => {
    const given = (field: keyof Typed) => (typed[field].trim() === before?.[field] ? null : typed[field].trim() || null);
    const body = { address: given('address'), username: given('username'), password: given('password') };
    await ask(api.PATCH('/api/v1/bridges/{name}', { params: { path: { name } }, body }));
    toast(t('bridges.changed', { name }));
    changed();
    close();
  };
  const field = (key: keyof Typed) => ({
    name: key,
    value: typed[key],
    change: (value: string) => setTyped({ ...typed, [key]: value }),
  });
  return (
    <Dialog title={t('bridges.editTitle', { name })} close={close}>
      {problem !== null && <Trouble problem={problem} />}
      {before === null ? (
        problem === null && <Loading />
      ) : (
        <Form action={t('bridges.save')} send={send} cancel={close}>
          <Field label={t('bridges.address')} {...field('address')} required />
          <Field
            label={t('bridges.username')}
            {...field('username')}
            hint={t('bridges.usernameHint')}
            required={before.username !== ''}
            isFirst
          />
          <Field
            label={t('bridges.newPassword')}
            {...field('password')}
            type="password"
            autocomplete="off"
            hint={t('bridges.newPasswordHint')}
          />
        </Form>
      )}
    </Dialog>
  );
}

async function read(name: string): Promise<Typed> {
  const settings = await ask(api.GET('/api/v1/configuration/settings'));
  const block = settings.filter((each) => each.block === `connection ${name}`);
  const saidBy = (...words: readonly string[]) => block.find((each) => words.includes(each.name))?.value ?? '';
  return { address: saidBy('address', 'addresses'), username: saidBy('remote_username', 'username'), password: '' };
}
