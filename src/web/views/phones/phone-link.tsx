// The dialog that makes the link by which a phone is set up, shows it as a QR code, and what the phone has done so far.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { clockTime, type Key, t } from '../../i18n.ts';
import type { Live } from '../../live.ts';
import { isOffered, linkTo } from '../../router.ts';
import '../../styles/phones.css';
import { keptOutWords } from './kept-out.ts';

type Phone = Answer<'/api/v1/phones'>[number];

/** Added is what the answer has that is shown. */
export interface Added {
  readonly account: string;
  readonly link: string;
  readonly qr: string;
  readonly ends: string;
  readonly fingerprint: string | null;
}

const STEPS: readonly (readonly [step: keyof Phone['steps'], words: Key])[] = [
  ['certificate', 'phones.stepCertificate'],
  ['tls', 'phones.stepTls'],
  ['signedIn', 'phones.stepSignedIn'],
  ['location', 'phones.stepLocation'],
];

/** Characters of the fingerprint that people compare. */
const COMPARED = 23;

export interface LinkDialogProps {
  readonly title: string;
  readonly phones: Live<readonly Phone[]>;
  /** Gives what is asked before; it calls `done` with the link. */
  readonly form: (done: (added: Added) => void) => ComponentChildren;
  readonly close: () => void;
}

/** LinkDialog asks, then shows the link, from its first sentence on. */
export function LinkDialog({ title, phones, form, close }: LinkDialogProps) {
  const [added, setAdded] = useState<Added | null>(null);
  const done = (made: Added) => {
    setAdded(made);
    void phones.refresh();
  };
  if (added === null) {
    return (
      <Dialog key="form" title={title} close={close}>
        {form(done)}
      </Dialog>
    );
  }
  const phone = phones.data.value?.find(({ account }) => account === added.account) ?? null;
  const isOpened = phone?.link?.state === 'opened' || phone?.isSetUp === true;
  return (
    <Dialog key="link" title={isOpened ? added.account : t('phones.scan')} close={close}>
      <PhoneLink {...{ added, phone, isOpened, close }} />
    </Dialog>
  );
}

interface PhoneLinkProps extends Pick<LinkDialogProps, 'close'> {
  readonly added: Added;
  /** Null = it has gone. */
  readonly phone: Phone | null;
  readonly isOpened: boolean;
}

/** Until it is opened, and how far the phone is. */
function PhoneLink({ added: { account, link, qr, ends, fingerprint }, phone, isOpened, close }: PhoneLinkProps) {
  const isSetUp = phone?.isSetUp === true;
  const warns = fingerprint !== null && link.startsWith('https:'); // the browser meets the certificate before the phone can load it
  return (
    <div class="phone-link">
      {!isOpened && (
        <>
          <p>{t('phones.scanWords', { name: account, time: clockTime(ends) })}</p>
          {warns && <p class="remarks warn">{t('phones.willWarn')}</p>}
          <img class="qr" src={`data:image/svg+xml;base64,${btoa(qr)}`} alt={t('phones.qr')} />
          <div class="secret">
            <code>{link}</code>
            <CopyButton text={warns ? `${link}\n${t('phones.willWarn')}` : link} />
          </div>
          {fingerprint !== null && <p class="hint">{t('phones.fingerprint', { text: fingerprint.slice(0, COMPARED) })}</p>}
        </>
      )}
      <ul class="plain-list phone-steps" aria-live="polite">
        {STEPS.filter(([step]) => (step !== 'location' || phone?.use !== 'mqtt') && (step !== 'certificate' || fingerprint !== null)).map(
          ([step, words]) => (
            <Step key={step} words={t(words)} isDone={phone?.steps[step] != null} />
          ),
        )}
      </ul>
      {phone?.problem != null && <p role="alert">{keptOutWords(phone.problem)}</p>}
      {isSetUp && (
        <p>
          {t('phones.allDone')} {phone.use !== 'mqtt' && isOffered('where') && <a href={linkTo('where')}>{t('phones.toWhere')}</a>}
        </p>
      )}
      <div class="actions">
        <Button look={isSetUp ? 'primary' : 'normal'} onClick={close}>
          {t('dialog.close')}
        </Button>
      </div>
    </div>
  );
}

function Step({ words, isDone }: { readonly words: string; readonly isDone: boolean }) {
  return (
    <li class={isDone ? 'done' : 'quiet'}>
      <Icon name={isDone ? 'check' : 'circle'} /> <span>{words}</span>
      <span class="unseen">{isDone ? t('phones.done') : t('phones.notDone')}</span>
    </li>
  );
}
