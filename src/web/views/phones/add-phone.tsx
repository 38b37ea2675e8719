// A dialog of two steps: whose phone it is, and the link for it, with what the phone has done so far.

import { useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field, Select } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { Icon } from '../../components/icon.tsx';
import { clockTime, type Key, t } from '../../i18n.ts';
import type { Live } from '../../live.ts';
import '../../styles/phones.css';
import { PhoneNameAdvice } from '../phone-name-advice.tsx';
import { groupsIn, groupsOfOthers } from './groups.ts';
import { isHomeOnly } from './home-only.ts';
import { keptOutWords } from './kept-out.ts';

type Phone = Answer<'/api/v1/phones'>[number];
type Use = Phone['use'];
type Setup = Answer<'/api/v1/phone-setup'>;

/** Added is what the answer has that is shown. */
interface Added {
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

export interface AddPhoneProps {
  /** Whose it is, as far as that is known; '' = not at all. */
  readonly person: string;
  readonly phones: Live<readonly Phone[]>;
  readonly setup: Setup;
  readonly close: () => void;
}

/** AddPhone makes a link, and follows the phone that opens it. */
export function AddPhone({ person, phones, setup, close }: AddPhoneProps) {
  const [added, setAdded] = useState<Added | null>(null);
  const done = (made: Added) => {
    setAdded(made);
    void phones.refresh();
  };
  return (
    <Dialog title={added === null ? t('phones.add') : t('phones.scan')} close={close}>
      {added === null ? (
        <PhoneForm person={person} phones={phones.data.value ?? []} setup={setup} done={done} />
      ) : (
        <Link added={added} phone={phoneIn(phones, added)} close={close} />
      )}
    </Dialog>
  );
}

function phoneIn({ data }: Live<readonly Phone[]>, { account }: Added): Phone | null {
  return data.value?.find((each) => each.account === account) ?? null;
}

interface PhoneFormProps extends Pick<AddPhoneProps, 'person' | 'setup'> {
  readonly phones: readonly Phone[];
  readonly done: (added: Added) => void;
}

function PhoneForm({ person: first, phones, setup, done }: PhoneFormProps) {
  const [person, setPerson] = useState(first);
  const [device, setDevice] = useState('phone');
  const [groups, setGroups] = useState('');
  const [use, setUse] = useState<Use>('owntracks');
  const [filter, setFilter] = useState('');
  const [host, setHost] = useState(setup.hosts[0]?.host ?? '');
  const there = groupsOfOthers(phones, person.trim());
  const add = async () => {
    const named = groupsIn(groups);
    const topics = use === 'mqtt' ? [{ access: 'readwrite' as const, filter: filter.trim() }] : [];
    const body = {
      person: person.trim(),
      device: device.trim(),
      use,
      groups: named.length === 0 ? null : named,
      topics,
      host: host === '' ? null : host,
      webSocket: false,
      replace: false,
    };
    done(await ask(api.POST('/api/v1/phones', { body })));
  };
  return (
    <Form action={t('phones.makeLink')} send={add}>
      <Field label={t('phones.person')} name="person" value={person} change={setPerson} hint={t('phones.personHint')} required isFirst />
      <PhoneNameAdvice name={person.trim()} take={setPerson} />
      <Field label={t('phones.device')} name="device" value={device} change={setDevice} hint={t('phones.deviceHint')} required />
      <Select
        label={t('phones.use')}
        value={use}
        choose={setUse}
        options={[
          ['owntracks', 'OwnTracks'],
          ['owntracks-http', t('phones.ownTracksHttp')],
          ['mqtt', t('phones.otherApp')],
        ]}
      />
      {use !== 'mqtt' && <p class="hint">{t('phones.useHint')}</p>}
      {use !== 'mqtt' ? (
        <Field label={t('phones.groups')} name="groups" value={groups} change={setGroups} hint={t('phones.groupsHint')} />
      ) : (
        <Field label={t('phones.topics')} name="topics" value={filter} change={setFilter} hint={t('phones.topicsHint')} required />
      )}
      {use !== 'mqtt' && there !== '' && <p class="hint">{t('phones.groupsThere', { groups: there })}</p>}
      {setup.hosts.length > 1 && (
        <Select
          label={t('phones.host')}
          value={host}
          choose={setHost}
          options={setup.hosts.map((each) => [each.host, t(hostWords(each), { host: each.host })])}
        />
      )}
      {setup.beginsRules && <p class="hint">{t('phones.beginsRules')}</p>}
    </Form>
  );
}

function hostWords({ host, isPublic }: Setup['hosts'][number]): Key {
  if (isPublic) return 'phones.hostPublic';
  return isHomeOnly(host) ? 'phones.hostHome' : 'phones.hostOwn';
}

interface LinkProps {
  readonly added: Added;
  readonly phone: Phone | null;
  readonly close: () => void;
}

function Link({ added: { account, link, qr, ends, fingerprint }, phone, close }: LinkProps) {
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
