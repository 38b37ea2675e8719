// Deletes what is kept of a phone, after it has said how much that is.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Confirm } from '../../components/dialog.tsx';
import { Loading, Shown } from '../../components/faces.tsx';
import { Choice } from '../../components/field.tsx';
import { toast } from '../../components/toast.tsx';
import { type Key, plural, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import type { Span } from './span.ts';

const EVERY_MS = 60_000;

/** What is to go: the time that is shown, all of this phone, or all phones of the person. */
type Scope = 'shown' | 'device' | 'person';

const SCOPES: readonly (readonly [scope: Scope, words: Key])[] = [
  ['shown', 'where.scope.shown'],
  ['device', 'where.scope.device'],
  ['person', 'where.scope.person'],
];

export interface DeletePastProps {
  readonly person: string;
  readonly device: string;
  readonly span: Span;
  readonly done: () => void;
  readonly close: () => void;
}

/** DeletePast asks before it does. */
export function DeletePast({ person, device, span, done, close }: DeletePastProps) {
  const [scope, setScope] = useState<Scope>('shown');
  const name = scope === 'person' ? person : `${person}/${device}`;
  const erase = (isPreview: boolean) =>
    ask(api.POST('/api/v1/location-deletions', { body: { person, preview: isPreview, ...wishFor(scope, device, span) } }));
  const preview = useLive(() => erase(true), EVERY_MS, [scope, span.from, span.to]);
  const known = preview.isOld.value ? null : preview.data.value;
  const isNothing = known?.locations === 0 && known.messages === 0;
  const act = async () => {
    const { locations } = await erase(false);
    toast(plural('where.deleted', locations, { name }));
    done();
  };
  return (
    <Confirm
      title={t('where.deleteTitle', { name })}
      action={t('where.deleteForGood')}
      isReady={known !== null && !isNothing}
      act={act}
      close={close}
    >
      <Choice
        label={t('where.what')}
        value={scope}
        choose={setScope}
        options={SCOPES.map(([each, words]) => [each, t(words, { name: person })])}
      />
      {preview.isOld.value ? (
        <Loading />
      ) : (
        <Shown live={preview}>
          {({ locations, messages }) => (
            <p>
              {isNothing ? t('where.nothingKept') : plural('where.wouldGo', locations, { name })}
              {messages > 0 && ` ${t('where.lastToo')}`}
            </p>
          )}
        </Shown>
      )}
    </Confirm>
  );
}

function wishFor(scope: Scope, device: string, { from, to }: Span) {
  if (scope === 'person') return {};
  if (scope === 'device') return { device };
  return { device, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
}
