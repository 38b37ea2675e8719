// A message that somebody publishes by hand.

import { useId, useState } from 'preact/hooks';
import { api, ask, Refusal } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Badge } from '../../components/card.tsx';
import { Check } from '../../components/check.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Choice, Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { t } from '../../i18n.ts';
import { isOffered, linkTo } from '../../router.ts';
import { useSending } from '../../sending.ts';
import type { Value } from '../../topics/topic-tree.ts';
import { currentSession } from '../../visit.ts';

const QOS = ['0', '1', '2'] as const;
type QoS = (typeof QOS)[number];

export interface PublishProps {
  readonly topic: string;
  /** What the message is like at first; null = nothing. */
  readonly like: Value | null;
  readonly close: () => void;
}

/** Publish asks for topic and message. It stays open, for who tries something out. */
export function Publish({ topic: first, like, close }: PublishProps) {
  const text = like?.encoding === 'utf8' ? like.payload : null;
  const [topic, setTopic] = useState(first);
  const [payload, setPayload] = useState(text ?? '');
  const [qos, setQos] = useState<QoS>(QOS.find((each) => Number(each) === like?.qos) ?? '0');
  const [retain, setRetain] = useState(text !== null && like?.isRetained === true); // retained and empty, it would delete a value that is no text
  const sending = useSending();
  const { problem } = sending;
  const [sent, setSent] = useState<string | null>(null);
  const id = useId();
  const publish = async () => {
    setSent(null);
    await ask(api.POST('/api/v1/messages', { body: { topic, payload, qos: Number(qos) as 0 | 1 | 2, retain } })); // one of three
    setSent(t('topics.published', { topic }));
  };
  return (
    <Dialog title={t('topics.publish')} close={close}>
      <Form
        action={t('topics.send')}
        icon="send"
        send={publish}
        sending={sending}
        others={<Button onClick={close}>{t('dialog.close')}</Button>}
      >
        <Field label={t('topics.topic')} name="topic" value={topic} change={setTopic} required isFirst={first === ''} />
        <div class="field">
          <label for={id}>{t('topics.message')}</label>
          <textarea id={id} rows={5} value={payload} onInput={(event) => setPayload(event.currentTarget.value)} spellcheck={false} />
          {isBrokenJson(payload) && <p class="hint">{t('topics.brokenJson')}</p>}
        </div>
        <Choice
          label={t('topics.qos')}
          value={qos}
          choose={setQos}
          options={[
            ['0', t('topics.qos0')],
            ['1', t('topics.qos1')],
            ['2', t('topics.qos2')],
          ]}
        />
        <Check
          label={t('topics.retain')}
          hint={t(retain && payload === '' ? 'topics.retainEmpty' : 'topics.retainHint')}
          isOn={retain}
          turn={setRetain}
        />
        <div role="status">{sent !== null && <Badge look="good">{sent}</Badge>}</div>
        {problem instanceof Refusal && problem.status === 403 && <OwnRules />}
      </Form>
    </Dialog>
  );
}

/** OwnRules leads to the rules of who is signed in: an administrator can change them there. */
function OwnRules() {
  const name = currentSession()?.username;
  if (name === undefined || !isOffered('people')) return null;
  return <a href={linkTo('people', [name])}>{t('refusals.toPerson', { name })}</a>;
}

/** It looks like JSON, but is not: worth a word, and nothing more. */
function isBrokenJson(payload: string): boolean {
  if (!/^\s*[[{]/.test(payload)) return false;
  try {
    JSON.parse(payload);
    return false;
  } catch {
    return true;
  }
}
