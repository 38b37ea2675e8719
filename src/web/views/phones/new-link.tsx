// A dialog that makes another link for a phone: nobody can see the one before again.

import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Form } from '../../components/form.tsx';
import { t } from '../../i18n.ts';
import type { Live } from '../../live.ts';
import { LinkDialog } from './phone-link.tsx';

type Phone = Answer<'/api/v1/phones'>[number];

export interface NewLinkProps {
  readonly phone: Phone;
  readonly phones: Live<readonly Phone[]>;
  readonly close: () => void;
}

/** NewLink says what becomes of the phone, then shows the link. */
export function NewLink({ phone: { person, device, account, isSetUp }, phones, close }: NewLinkProps) {
  const make = () => ask(api.POST('/api/v1/phones/{person}/{device}/link', { params: { path: { person, device } }, body: {} }));
  return (
    <LinkDialog
      title={t('phones.newLinkOf', { name: account })}
      phones={phones}
      close={close}
      form={(done) => (
        <Form action={t('phones.makeLink')} send={async () => done(await make())} cancel={close}>
          <p>{t(isSetUp ? 'phones.newLinkSetUp' : 'phones.newLinkWords')}</p>
        </Form>
      )}
    />
  );
}
