// Deletes retained messages by a filter, after a look at what would go.

import { useEffect, useState } from 'preact/hooks';
import { api, ask, Refusal } from '../../api/client.ts';
import type { paths } from '../../api/schema.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Loading } from '../../components/faces.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { bytes, number, plural, t } from '../../i18n.ts';
import { useSending } from '../../sending.ts';
import { inOrder } from '../../topics/topic-tree.ts';

type Preview = paths['/api/v1/retained-deletions']['post']['responses'][200]['content']['application/json'];

/** Seen is what a filter would delete, and how many messages more are below the topic that it names; 0 where it has wildcards. */
type Seen = Preview & { readonly below: number };

export interface DeleteRetainedProps {
  /** '' = somebody is to type one. */
  readonly filter: string;
  /** False = nobody has said that this is to go: what it would delete is shown when somebody asks. */
  readonly isMeant: boolean;
  readonly close: () => void;
  readonly deleted: () => void;
}

/** DeleteRetained shows the topics before it deletes them, and deletes these only. */
export function DeleteRetained({ filter: first, isMeant, close, deleted }: DeleteRetainedProps) {
  const [filter, setFilter] = useState(first);
  const [preview, setPreview] = useState<Seen | null>(null);
  const sending = useSending();
  const { messages, confirm } = preview ?? { messages: 0, confirm: null };
  const show = async (wanted: string) => setPreview(await see(wanted));
  const remove = async () => {
    const done = await ask(api.POST('/api/v1/retained-deletions', { body: { filter, confirm } })).catch((error: unknown) => {
      if (error instanceof Refusal && error.status === 409) setPreview(null); // what matches has changed
      throw error;
    });
    toast(plural('topics.deleted', done.messages));
    deleted();
    close();
  };
  useEffect(() => {
    if (isMeant && first !== '') void sending.send(() => show(first));
  }, []);
  const change = (value: string) => {
    setFilter(value);
    setPreview(null);
  };
  const takeBelow = () => {
    const wider = `${filter}/#`;
    change(wider);
    return sending.send(() => show(wider));
  };
  return (
    <Dialog title={t('topics.deleteRetainedTitle')} close={close}>
      <Form
        action={preview === null ? t('topics.preview') : null}
        send={() => show(filter)}
        sending={sending}
        cancel={close}
        others={
          confirm !== null &&
          messages > 0 && (
            // It is not what Enter in the filter does.
            <Button look="danger" icon="trash" isBusy={sending.isBusy} onClick={() => void sending.send(remove)}>
              {plural('topics.deleteCount', messages)}
            </Button>
          )
        }
      >
        <Field label={t('topics.filter')} name="filter" value={filter} change={change} hint={t('topics.filterHint')} required isFirst />
        {preview !== null && <PreviewShown preview={preview} />}
        {preview !== null && preview.below > 0 && <Below topic={filter} count={preview.below} take={() => void takeBelow()} />}
        {preview === null && sending.isBusy && <Loading />}
      </Form>
    </Dialog>
  );
}

async function see(filter: string): Promise<Seen> {
  const preview = await look(filter);
  const below = /[+#]/.test(filter) ? 0 : (await look(`${filter}/#`)).messages - preview.messages; // a/# has a as well
  return { ...preview, below };
}

function look(filter: string): Promise<Preview> {
  return ask(api.POST('/api/v1/retained-deletions', { body: { filter } }));
}

function Below({ topic, count, take }: { readonly topic: string; readonly count: number; readonly take: () => void }) {
  return (
    <div class="delete-below">
      <p>{plural('topics.below', count)}</p>
      <Button onClick={take}>{t('topics.takeBelow', { filter: `${topic}/#` })}</Button>
    </div>
  );
}

function PreviewShown({ preview: { messages, bytes: size, topics } }: { readonly preview: Preview }) {
  if (messages === 0) return <p>{t('topics.nothingToDelete')}</p>;
  return (
    <div class="delete-preview">
      <p>
        <strong>{plural('topics.goes', messages)}</strong> {t('topics.goesBytes', { size: bytes(size) })}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and the keyboard must reach it */}
      <ul tabIndex={0} aria-label={t('topics.goesList')}>
        {topics.toSorted(inOrder.compare).map((topic) => (
          <li key={topic}>{topic}</li>
        ))}
      </ul>
      {messages > topics.length && <p class="hint">{t('topics.goesMore', { count: number(messages - topics.length) })}</p>}
      <p class="hint">{t('topics.goesForGood')}</p>
    </div>
  );
}
