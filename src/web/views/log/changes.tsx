// Who changed what, the latest first.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { type Change, whatWords, whoWords } from '../../change-words.ts';
import { Card } from '../../components/card.tsx';
import { Empty, Shown } from '../../components/faces.tsx';
import { SearchBox } from '../../components/search-box.tsx';
import { dateTime, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { hasWords } from '../../settings/setting-form.ts';

const EVERY_MS = 5000;

/** As many as the box keeps. */
const MOST = 1000;

/** Changes lists those of the page, of programs and of the command line. */
export function Changes() {
  const changes = useLive(() => ask(api.GET('/api/v1/changes', { params: { query: { limit: MOST } } })), EVERY_MS);
  const [words, setWords] = useState('');
  return (
    <Card>
      <SearchBox label={t('log.searchChange')} value={words} change={setWords} />
      <Shown live={changes}>
        {(data) => (data.length === 0 ? <Empty icon="log" words={t('log.noChanges')} /> : <List changes={data} sought={words.trim()} />)}
      </Shown>
    </Card>
  );
}

function List({ changes, sought }: { readonly changes: readonly Change[]; readonly sought: string }) {
  const rows = changes.map((change, index) => ({
    key: `${change.time} ${changes.length - index}`,
    time: change.time,
    what: whatWords(change),
    english: change.what,
    who: whoWords(change),
    isEnglish: change.door === 'program',
  }));
  const found = rows.filter(({ what, english, who }) => hasWords(`${what ?? english} ${who}`, sought));
  if (found.length === 0) return <Empty icon="log" words={t('log.noneFound')} />;
  return (
    <ul class="reasons" aria-label={t('log.changes')}>
      {found.map(({ key, time, what, english, who, isEnglish }) => (
        <li key={key}>
          <p class="reason-head">
            <strong lang={what === null ? 'en' : undefined}>{what ?? english}</strong>
            <time class="hint reason-time" dateTime={time} title={english}>
              {dateTime(time)}
            </time>
          </p>
          <p class="hint" lang={isEnglish ? 'en' : undefined}>
            {who}
          </p>
        </li>
      ))}
    </ul>
  );
}
