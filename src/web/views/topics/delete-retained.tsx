// Deletes retained messages by a filter, after a look at what would go.

import { useEffect, useState } from 'preact/hooks';
import { api, ask, Refusal } from '../../api/client.ts';
import type { paths } from '../../api/schema.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Loading, Trouble } from '../../components/faces.tsx';
import { Field } from '../../components/field.tsx';
import { toast } from '../../components/toast.tsx';
import { bytes, number, plural, t } from '../../i18n.ts';
import { useSending } from '../../sending.ts';

type Preview = paths['/api/v1/retained-deletions']['post']['responses'][200]['content']['application/json'];

export interface DeleteRetainedProps {
  /** '' = somebody is to type one. */
  readonly filter: string;
  readonly close: () => void;
  readonly deleted: () => void;
}

/** DeleteRetained shows the topics before it deletes them, and deletes these only. */
export function DeleteRetained({ filter: first, close, deleted }: DeleteRetainedProps) {
  const [filter, setFilter] = useState(first);
  const [preview, setPreview] = useState<Preview | null>(null);
  const { isBusy, problem, clear, send } = useSending();
  const attempt = (work: () => Promise<void>) => {
    clear();
    return send(() =>
      work().catch((error: unknown) => {
        if (error instanceof Refusal && error.status === 409) setPreview(null); // what matches has changed
        throw error;
      }),
    );
  };
  const look = () => attempt(async () => setPreview(await ask(api.POST('/api/v1/retained-deletions', { body: { filter } }))));
  const remove = (confirm: string) =>
    attempt(async () => {
      const done = await ask(api.POST('/api/v1/retained-deletions', { body: { filter, confirm } }));
      toast(plural('topics.deleted', done.messages));
      deleted();
      close();
    });
  useEffect(() => {
    if (first !== '') void look();
  }, []);
  const change = (value: string) => {
    setFilter(value);
    setPreview(null);
  };
  return (
    <Dialog title={t('topics.deleteRetainedTitle')} close={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        <Field
          label={t('topics.filter')}
          name="filter"
          value={filter}
          change={change}
          hint={t('topics.filterHint')}
          problem={problem}
          required
          isFirst
        />
        {problem !== null && <Trouble problem={problem} />}
        {preview !== null && <PreviewShown preview={preview} />}
        {preview === null && isBusy && <Loading />}
        <div class="actions">
          <Button onClick={close}>{t('dialog.cancel')}</Button>
          {preview === null ? (
            <Button type="submit" look="primary" isBusy={isBusy}>
              {t('topics.preview')}
            </Button>
          ) : (
            preview.messages > 0 &&
            preview.confirm !== null && (
              <Button look="danger" icon="trash" isBusy={isBusy} onClick={() => void remove(preview.confirm ?? '')}>
                {plural('topics.deleteCount', preview.messages)}
              </Button>
            )
          )}
        </div>
      </form>
    </Dialog>
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
        {topics.map((topic) => (
          <li key={topic}>{topic}</li>
        ))}
      </ul>
      {messages > topics.length && <p class="hint">{t('topics.goesMore', { count: number(messages - topics.length) })}</p>}
      <p class="hint">{t('topics.goesForGood')}</p>
    </div>
  );
}
