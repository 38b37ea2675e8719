// A dialog that makes another link for a phone: nobody can see the one before again.

import { useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Form } from '../../components/form.tsx';
import { t } from '../../i18n.ts';
import type { Live } from '../../live.ts';
import { type Added, PhoneLink } from './phone-link.tsx';

type Phone = Answer<'/api/v1/phones'>[number];

export interface NewLinkProps {
  readonly phone: Phone;
  readonly phones: Live<readonly Phone[]>;
  readonly close: () => void;
}

/** NewLink says what becomes of the phone, then shows the link. */
export function NewLink({ phone: { person, device, account, isSetUp }, phones, close }: NewLinkProps) {
  const [added, setAdded] = useState<Added | null>(null);
  const make = async () => {
    setAdded(await ask(api.POST('/api/v1/phones/{person}/{device}/link', { params: { path: { person, device } }, body: {} })));
    void phones.refresh();
  };
  return (
    <Dialog
      key={added === null ? 'form' : 'link'}
      title={added === null ? t('phones.newLinkOf', { name: account }) : t('phones.scan')}
      close={close}
    >
      {added === null ? (
        <Form action={t('phones.makeLink')} send={make} cancel={close}>
          <p>{t(isSetUp ? 'phones.newLinkSetUp' : 'phones.newLinkWords')}</p>
        </Form>
      ) : (
        <PhoneLink added={added} phones={phones} close={close} />
      )}
    </Dialog>
  );
}
