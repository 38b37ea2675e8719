// A bridge that connects to another address, signs in there in another way, or carries other topics: nobody has to remove it for a wrong password.

import { useEffect, useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Loading, Trouble } from '../../components/faces.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { number, t } from '../../i18n.ts';

export interface EditBridgeProps {
  readonly name: string;
  readonly close: () => void;
  readonly changed: () => void;
}

interface Typed {
  readonly address: string;
  readonly username: string;
  readonly password: string;
  /** As in the topic lines of the configuration. */
  readonly topics: readonly string[];
}

type Word = Exclude<keyof Typed, 'topics'>;

/** EditBridge shows what the configuration says, but for the password. */
export function EditBridge({ name, close, changed }: EditBridgeProps) {
  const [before, setBefore] = useState<Typed | null>(null);
  const [typed, setTyped] = useState<Typed>({ address: '', username: '', password: '', topics: [] });
  const [problem, setProblem] = useState<Error | null>(null);
  useEffect(() => {
    read(name).then((said) => {
      setBefore(said);
      setTyped(said);
    }, setProblem);
  }, [name]);
  const send = async () => {
    const given = (field: Word) => (typed[field].trim() === before?.[field] ? null : typed[field].trim() || null);
    const topics = typed.topics.map((each) => each.trim()).filter((each) => each !== '');
    const hasSame = topics.join('\n') === before?.topics.join('\n');
    const body = {
      address: given('address'),
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
          <Field
            label={t('bridges.username')}
            {...field('username')}
            hint={t('bridges.usernameHint')}
            required={before.username !== ''}
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

interface TopicLinesProps {
  readonly topics: readonly string[];
  readonly change: (topics: readonly string[]) => void;
}

/** TopicLines has an empty line behind them for one more; one that is emptied goes. */
function TopicLines({ topics, change }: TopicLinesProps) {
  const lines = topics.at(-1) === '' ? topics : [...topics, ''];
  return (
    <fieldset class="topic-lines">
      <legend>{t('bridges.topics')}</legend>
      {lines.map((topic, index) => (
        <Field
          key={index} // what stands in it is what is typed
          label={t('bridges.topicNumber', { number: number(index + 1) })}
          name={`topics.${index}`}
          value={topic}
          change={(next) => change(lines.with(index, next))}
        />
      ))}
      <p class="hint">{t('bridges.topicLinesHint')}</p>
    </fieldset>
  );
}

async function read(name: string): Promise<Typed> {
  const settings = await ask(api.GET('/api/v1/configuration/settings'));
  const block = settings.filter((each) => each.block === `connection ${name}`);
  const topics = block.flatMap(({ name: word, value }) => (word === 'topic' && value !== null ? [value] : []));
  const saidBy = (...words: readonly string[]) => block.find((each) => words.includes(each.name))?.value ?? '';
  return { address: saidBy('address', 'addresses'), username: saidBy('remote_username', 'username'), password: '', topics };
}
