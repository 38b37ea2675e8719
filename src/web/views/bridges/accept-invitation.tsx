// The invitation of another box: brought as a file or as text, looked at, and then added.

import { useId, useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import type { paths } from '../../api/schema.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { FileField } from '../../components/file-field.tsx';
import { Form } from '../../components/form.tsx';
import { either, t } from '../../i18n.ts';
import { useSending } from '../../sending.ts';
import { isBridgeName } from './bridge-block.ts';
import { DIRECTIONS } from './directions.ts';

type Brought = paths['/api/v1/bridge-invitations/check']['post']['responses'][200]['content']['application/json'];

export interface AcceptInvitationProps {
  readonly close: () => void;
  readonly added: () => void;
}

/** AcceptInvitation adds nothing before a person has seen what it carries. */
export function AcceptInvitation({ close, added }: AcceptInvitationProps) {
  const [text, setText] = useState('');
  const [brought, setBrought] = useState<Brought | null>(null);
  const sending = useSending();
  const id = useId();
  const [name, setName] = useState('');
  const look = async () => {
    const read = await ask(api.POST('/api/v1/bridge-invitations/check', { body: { text } }));
    setName(read.from !== null && isBridgeName(read.from) ? read.from : read.name); // its own name is that of this box, as the other one calls it
    setBrought(read);
  };
  const add = async () => {
    await ask(api.POST('/api/v1/bridges', { body: { text, name } }));
    added();
    close();
  };
  return (
    <Dialog title={t('bridges.accept')} close={close}>
      <Form
        action={t(brought === null ? 'bridges.look' : 'bridges.add')}
        send={brought === null ? look : add}
        sending={sending}
        cancel={close}
      >
        {brought === null ? (
          <>
            <p class="hint">{t('bridges.acceptWords')}</p>
            <FileField label={t('bridges.file')} take={(file) => void sending.send(async () => setText(await file.text()))} />
            <div class="field">
              <label for={id}>{t('bridges.text')}</label>
              <textarea
                id={id}
                class="bridge-invitation"
                rows={10}
                required
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
                autocomplete="off"
                spellcheck={false}
              />
            </div>
          </>
        ) : (
          <>
            <Carried brought={brought} />
            <Field
              label={t('bridges.acceptName')}
              name="name"
              value={name}
              change={setName}
              hint={t('bridges.acceptNameHint')}
              required
              isFirst
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}

function Carried({ brought: { addresses, tls, topics } }: { readonly brought: Brought }) {
  return (
    <>
      <p>{t('bridges.brings', { addresses: either(addresses.split(/\s+/)) })}</p>
      {!tls && <p class="remarks warn">{t('bridges.noTls')}</p>}
      <ul>
        {topics.map(({ filter, direction }) => (
          <li key={`${filter} ${direction}`}>
            <code>{filter}</code> {t(DIRECTIONS[direction])}
          </li>
        ))}
      </ul>
    </>
  );
}
