// Who changed what, the latest first.

import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { Empty, Shown } from '../../components/faces.tsx';
import { dateTime, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';

type Change = Answer<'/api/v1/changes'>[number];

const EVERY_MS = 5000;

/** As many as the box keeps. */
const MOST = 1000;

/** Changes lists those of the page, of programs and of the command line. */
export function Changes() {
  const changes = useLive(() => ask(api.GET('/api/v1/changes', { params: { query: { limit: MOST } } })), EVERY_MS);
  return (
    <Card>
      <Shown live={changes}>
        {(data) => (data.length === 0 ? <Empty icon="log" words={t('log.noChanges')} /> : <List changes={data} />)}
      </Shown>
    </Card>
  );
}

function List({ changes }: { readonly changes: readonly Change[] }) {
  return (
    <ul class="reasons" aria-label={t('log.changes')}>
      {changes.map(({ time, who, what }, index) => (
        <li key={`${time} ${changes.length - index}`}>
          <p class="reason-head">
            <strong lang="en">{what}</strong>
            <time class="hint reason-time" dateTime={time}>
              {dateTime(time)}
            </time>
          </p>
          <p class="hint" lang="en">
            {who}
          </p>
        </li>
      ))}
    </ul>
  );
}
