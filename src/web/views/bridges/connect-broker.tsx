// A bridge to a broker that makes no invitations: one of another kind, or in a cloud. What somebody types becomes an invitation, and is accepted.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Check } from '../../components/check.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { FileField } from '../../components/file-field.tsx';
import { Form } from '../../components/form.tsx';
import { t } from '../../i18n.ts';
import { useSending } from '../../sending.ts';
import { blockFor, isBridgeName } from './bridge-block.ts';
import { linesOf, type TopicLine } from './topic-line.ts';
import { TopicLines } from './topic-lines.tsx';

export interface ConnectBrokerProps {
  readonly close: () => void;
  readonly added: () => void;
}

/** ConnectBroker asks for what the other broker wants to know. */
export function ConnectBroker({ close, added }: ConnectBrokerProps) {
  const [typed, setTyped] = useState({ name: '', address: '', username: '', password: '' });
  const [topics, setTopics] = useState<readonly TopicLine[]>([]);
  const [isPrivate, setPrivate] = useState(true);
  const [authority, setAuthority] = useState<string | null>(null);
  const sending = useSending();
  const connect = async () => {
    if (!isBridgeName(typed.name)) throw new Error(t('bridges.nameWrong'));
    const text = blockFor({ ...typed, topics: linesOf(topics), isPrivate, authority });
    await ask(api.POST('/api/v1/bridges', { body: { text } }));
    added();
    close();
  };
  const field = (name: keyof typeof typed) => ({
    name,
    value: typed[name],
    change: (value: string) => setTyped({ ...typed, [name]: value }),
  });
  return (
    <Dialog title={t('bridges.connect')} close={close}>
      <Form action={t('bridges.add')} send={connect} sending={sending} cancel={close}>
        <Field label={t('bridges.connectName')} {...field('name')} hint={t('bridges.nameHint')} required isFirst />
        <Field label={t('bridges.address')} {...field('address')} hint={t('bridges.addressHint')} required />
        <Check label={t('bridges.private')} hint={t('bridges.privateHint')} isOn={isPrivate} turn={setPrivate} />
        {isPrivate && (
          <FileField
            label={t('bridges.authority')}
            hint={t('bridges.authorityHint')}
            accept=".crt,.pem,.cer"
            take={(file) => void sending.send(async () => setAuthority(await file.text()))}
          />
        )}
        <Field label={t('bridges.username')} {...field('username')} hint={t('bridges.usernameHint')} />
        <Field label={t('bridges.password')} {...field('password')} type="password" autocomplete="off" />
        <TopicLines topics={topics} change={setTopics} />
      </Form>
    </Dialog>
  );
}
