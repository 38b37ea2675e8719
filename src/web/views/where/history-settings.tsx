// Of which phones the box keeps locations, and how long; and where the owner puts a map.

import { useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { Shown } from '../../components/faces.tsx';
import { Choice, Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { day, type Key, plural, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { noteWaiting } from '../../settings/trial.ts';
import { mayNow } from '../../visit.ts';

type Settings = Answer<'/api/v1/location-settings'>;

const EVERY_MS = 30_000;
const KEPT: readonly (readonly [keep: Settings['keep'], words: Key])[] = [
  ['phones', 'where.keep.phones'],
  ['all', 'where.keep.all'],
  ['none', 'where.keep.none'],
];

/** HistorySettings says it to everybody, and lets the owner change it. */
export function HistorySettings({ map }: { readonly map: Answer<'/api/v1/map'> | null }) {
  const settings = useLive(() => ask(api.GET('/api/v1/location-settings')), EVERY_MS);
  const mayChange = mayNow('admin');
  return (
    <Card title={t('where.history')}>
      <Shown live={settings}>
        {(data) => (
          <>
            <p>{wordsOf(data)}</p>
            {mayChange && data.isPersistent && (
              <Change key={`${data.keep} ${data.days}`} settings={data} saved={() => settings.refresh()} />
            )}
          </>
        )}
      </Shown>
      {mayChange && map !== null && map.bytes === null && <p class="hint">{t('where.putMap', { file: map.file })}</p>}
    </Card>
  );
}

function wordsOf({ keep, days, isPersistent, oldest }: Settings): string {
  if (!isPersistent) return t('where.notPersistent');
  const since = oldest === null ? '' : ` ${t('where.oldest', { day: day(oldest) })}`;
  if (keep === 'none') return `${t('where.keepsNone')}${since}`;
  return `${plural('where.keeps', days)}${since}`;
}

function Change({ settings, saved }: { readonly settings: Settings; readonly saved: () => Promise<void> }) {
  const [keep, setKeep] = useState(settings.keep);
  const [days, setDays] = useState(String(settings.days));
  const isSame = keep === settings.keep && days === String(settings.days);
  const save = async () => {
    const sent = await api.PATCH('/api/v1/location-settings', { body: { keep, days: Number(days) } });
    const { confirm, until } = await ask(Promise.resolve(sent));
    if (confirm !== null && until !== null) noteWaiting({ confirm, until }, sent.response);
    await saved();
  };
  return (
    <Form class="form narrow" action={t('where.save')} look="normal" send={save} disabled={isSame}>
      <Choice label={t('where.keep')} value={keep} choose={setKeep} options={KEPT.map(([each, words]) => [each, t(words)])} />
      {keep !== 'none' && <Field label={t('where.days')} name="days" type="number" value={days} change={setDays} required />}
    </Form>
  );
}
