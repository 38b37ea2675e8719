// The lines of the log, the latest first.

import { useEffect, useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Badge, Card } from '../../components/card.tsx';
import { Empty, Failed, Loading, wordsOf } from '../../components/faces.tsx';
import { Select } from '../../components/field.tsx';
import { SearchBox } from '../../components/search-box.tsx';
import { onReconnect } from '../../connection.ts';
import { useEvents } from '../../events.ts';
import { clockTime, dateTime, number, plural, t } from '../../i18n.ts';

/** Lines that the page keeps. */
const MOST_KEPT = 1000;
const MOST_SHOWN = 300;

/** As many as the box remembers. */
const MOST_ASKED = 500;

interface Line {
  readonly time: number;
  readonly type: string;
  readonly text: string;
}

type Level = 'all' | 'warning' | 'error';

const LEVELS: Readonly<Record<Level, (type: string) => boolean>> = {
  all: () => true,
  warning: (type) => type === 'warning' || type === 'error',
  error: (type) => type === 'error',
};

/** LogLines grow while they are looked at; Pause holds them still. */
export function LogLines() {
  const [lines, setLines] = useState<readonly Line[] | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const [level, setLevel] = useState<Level>('all');
  const [words, setWords] = useState('');
  const [held, setHeld] = useState<readonly Line[] | null>(null);
  const read = () => {
    setProblem(null);
    ask(api.GET('/api/v1/log', { params: { query: { lines: MOST_ASKED } } })).then(setLines, setProblem);
  };
  useEffect(read, []);
  useEffect(() => onReconnect(read), []);
  useEvents('/api/v1/log/stream', {
    line: (line) => setLines((old) => [...(old ?? []).slice(-MOST_KEPT), line as Line]), // as docs/rest.md says
  });
  if (lines === null) {
    return problem === null ? <Loading /> : <Failed words={wordsOf(problem)} action={<Button onClick={read}>{t('face.again')}</Button>} />;
  }
  const seen = held ?? lines;
  const search = words.trim().toLowerCase();
  const found = seen.filter(({ type, text }) => LEVELS[level](type) && text.toLowerCase().includes(search));
  const shown = found.toSorted((one, other) => one.time - other.time); // a line that was held back, for it repeats others, comes later
  return (
    <Card>
      <div class="log-tools">
        <SearchBox label={t('log.search')} value={words} change={setWords} />
        <Select<Level>
          label={t('log.level')}
          value={level}
          choose={setLevel}
          options={[
            ['all', t('log.all')],
            ['warning', t('log.warnings')],
            ['error', t('log.errors')],
          ]}
        />
        <Button onClick={() => setHeld(held === null ? lines : null)}>
          {held === null ? t('log.pause') : plural('log.resume', lines.length - held.length)}
        </Button>
      </div>
      {shown.length === 0 ? <Empty icon="log" words={t(seen.length === 0 ? 'log.none' : 'log.noneFound')} /> : <Shown lines={shown} />}
      <p class="hint">{t('log.older', { count: number(MOST_ASKED) })}</p>
    </Card>
  );
}

function Shown({ lines }: { readonly lines: readonly Line[] }) {
  return (
    <ol class="log-lines" aria-label={t('log.lines')}>
      {lines
        .slice(-MOST_SHOWN)
        .toReversed()
        .map(({ time, type, text }, index) => (
          <li key={`${time} ${lines.length - index}`} class={type}>
            <time dateTime={new Date(time).toISOString()} title={dateTime(time)}>
              {clockTime(time)}
            </time>
            {type === 'error' && <Badge look="bad">{t('log.error')}</Badge>}
            {type === 'warning' && <Badge look="warn">{t('log.warning')}</Badge>}
            <span lang="en">{text.replace(/^(Error|Warning): /, '')}</span>
          </li>
        ))}
    </ol>
  );
}
