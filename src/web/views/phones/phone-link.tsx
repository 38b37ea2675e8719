// The link that sets a phone up, as a QR code, and what the phone has done so far.

import type { Answer } from '../../api/answer.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Icon } from '../../components/icon.tsx';
import { clockTime, type Key, t } from '../../i18n.ts';
import type { Live } from '../../live.ts';
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

export interface PhoneLinkProps {
  readonly added: Added;
  readonly phones: Live<readonly Phone[]>;
  readonly close: () => void;
}

/** PhoneLink shows the link of a phone until it is opened, and how far the phone is. */
export function PhoneLink({ added: { account, link, qr, ends, fingerprint }, phones, close }: PhoneLinkProps) {
  const phone = phones.data.value?.find((each) => each.account === account) ?? null;
  const isSetUp = phone?.isSetUp === true;
  const warns = fingerprint !== null && link.startsWith('https:'); // the browser meets the certificate before the phone can load it
  return (
    <div class="phone-link">
      {phone?.link?.state !== 'opened' && !isSetUp && (
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
      {isSetUp && <p>{t('phones.allDone')}</p>}
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
