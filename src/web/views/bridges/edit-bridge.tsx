// A bridge that connects to another address, signs in there in another way, or carries other topics: nobody has to remove it for a wrong password.

import { useEffect, useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Check } from '../../components/check.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Loading, Trouble } from '../../components/faces.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { t } from '../../i18n.ts';
import { addressOf } from './bridge-block.ts';
import { linesOf, readTopicLine, type TopicLine } from './topic-line.ts';
import { TopicLines } from './topic-lines.tsx';

export interface EditBridgeProps {
  readonly name: string;
  readonly close: () => void;
  readonly changed: () => void;
}

interface Typed {
  readonly address: string;
  readonly username: string;
  readonly password: string;
  readonly isPrivate: boolean;
  readonly topics: readonly TopicLine[];
}

type Word = Exclude<keyof Typed, 'topics' | 'isPrivate'>;

/** Before is what the configuration says. */
interface Before {
  readonly typed: Typed;
  /** False = other lines say whether it has TLS, and how. */
  readonly offersTls: boolean;
}

/** EditBridge shows what the configuration says, but for the password. */
export function EditBridge({ name, close, changed }: EditBridgeProps) {
  const [before, setBefore] = useState<Before | null>(null);
  const [typed, setTyped] = useState<Typed>({ address: '', username: '', password: '', isPrivate: true, topics: [] });
  const [problem, setProblem] = useState<Error | null>(null);
  useEffect(() => {
    read(name).then((said) => {
      setBefore(said);
      setTyped(said.typed);
    }, setProblem);
  }, [name]);
  const send = async () => {
    const given = (field: Word) => (typed[field].trim() === before?.typed[field] ? null : typed[field].trim() || null);
    const topics = linesOf(typed.topics);
    const hasSame = topics.join('\n') === linesOf(before?.typed.topics ?? []).join('\n');
    const address = addressOf(typed);
    const body = {
      address: before !== null && address === addressOf(before.typed) ? null : address,
      username: given('username'),
      password: given('password'),
      topics: hasSame ? null : topics,
    };
    await ask(api.PATCH('/api/v1/bridges/{name}', { params: { path: { name } }, body }));
    toast(t('bridges.changed', { name }));
    changed();
    close();
  };
  const field = (key: Word) => ({
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
          {before.offersTls && (
            <Check
              label={t('bridges.private')}
              hint={t('bridges.privateHint')}
              isOn={typed.isPrivate}
              turn={(isPrivate) => setTyped({ ...typed, isPrivate })}
            />
          )}
          <Field
            label={t('bridges.username')}
            {...field('username')}
            hint={t('bridges.usernameHint')}
            required={before.typed.username !== ''}
            isFirst
          />
          <Field
            label={t('bridges.newPassword')}
            {...field('password')}
            type="password"
            autocomplete="off"
            hint={t('bridges.newPasswordHint')}
          />
          <TopicLines topics={typed.topics} change={(topics) => setTyped({ ...typed, topics })} />
        </Form>
      )}
    </Dialog>
  );
}

const TLS_WORDS = /^bridge_(cafile|capath|tls_use_os_certs|certfile|identity|psk)$/;

async function read(name: string): Promise<Before> {
  const settings = await ask(api.GET('/api/v1/configuration/settings'));
  const block = settings.filter((each) => each.block === `connection ${name}`);
  const topics = block.flatMap(({ name: word, value }) => (word === 'topic' && value !== null ? [readTopicLine(value)] : []));
  const saidBy = (...words: readonly string[]) => block.find((each) => words.includes(each.name))?.value ?? '';
  const said = saidBy('address', 'addresses');
  const address = /\s/.test(said) ? said : said.replace(/^mqtts:\/\//, ''); // several keep what each has
  const hasTlsWords = block.some((each) => TLS_WORDS.test(each.name));
  const isPrivate = hasTlsWords || address !== said; // so that an address without a port has that of TLS
  const typed = { address, username: saidBy('remote_username', 'username'), password: '', isPrivate, topics };
  return { typed, offersTls: !/:\/\/|\s/.test(address) && !hasTlsWords };
}
