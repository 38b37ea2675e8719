// A dialog of two steps: whose phone it is, and the link for it, with what the phone has done so far.

import { useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Field, Select } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { type Key, t } from '../../i18n.ts';
import type { Live } from '../../live.ts';
import { PhoneNameAdvice } from '../phone-name-advice.tsx';
import { groupsIn, groupsOfOthers, onlyGroup } from './groups.ts';
import { isHomeOnly } from './home-only.ts';
import { type Added, LinkDialog } from './phone-link.tsx';

type Phone = Answer<'/api/v1/phones'>[number];
type Use = Phone['use'];
type Setup = Answer<'/api/v1/phone-setup'>;

export interface AddPhoneProps {
  /** Whose it is, as far as that is known; '' = not at all. */
  readonly person: string;
  readonly phones: Live<readonly Phone[]>;
  readonly setup: Setup;
  readonly close: () => void;
}

/** AddPhone makes a link, and follows the phone that opens it. */
export function AddPhone({ person, phones, setup, close }: AddPhoneProps) {
  const there = phones.data.value ?? [];
  return (
    <LinkDialog
      title={t('phones.add')}
      phones={phones}
      close={close}
      form={(done) => <PhoneForm person={person} phones={there} setup={setup} done={done} />}
    />
  );
}

interface PhoneFormProps extends Pick<AddPhoneProps, 'person' | 'setup'> {
  readonly phones: readonly Phone[];
  readonly done: (added: Added) => void;
}

function PhoneForm({ person: first, phones, setup, done }: PhoneFormProps) {
  const [person, setPerson] = useState(first);
  const [device, setDevice] = useState('phone');
  const [groups, setGroups] = useState(first === '' ? '' : onlyGroup(phones));
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
