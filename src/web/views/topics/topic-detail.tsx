// One topic: its value as a whole, what it held before, and what can be done with it.

import { useEffect, useRef, useState } from 'preact/hooks';
import { api, ask, Refusal } from '../../api/client.ts';
import { breakable } from '../../components/breakable.tsx';
import { Button, IconButton } from '../../components/button.tsx';
import { Badge } from '../../components/card.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Shown } from '../../components/faces.tsx';
import { useEvents } from '../../events.ts';
import { ago, bytes, clockTime, dateTime, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { useTick } from '../../tick.ts';
import { hexDump, prettyJson } from '../../topics/payload.ts';
import type { TopicStore } from '../../topics/topic-store.ts';
import type { Passed, Past, Value } from '../../topics/topic-tree.ts';
import { mayNow } from '../../visit.ts';
import { ValueChart } from './value-chart.tsx';
import { WhoMay } from './who-may.tsx';

/** What is retained is asked for again so often: others may be silent for days. */
const EVERY_MS = 10_000;

/** Who published what has just passed is asked no more often. */
const SOON_MS = 1000;

/** Values of the history that are listed. */
const MOST_LISTED = 30;

/** Characters of a retained value beside one that has passed since. */
const MOST_SHOWN = 60;

export interface TopicDetailProps {
  readonly topic: string;
  readonly store: TopicStore;
  readonly close: () => void;
  /** publish begins a message like the one that is there. */
  readonly publish: (like: Value | null) => void;
  /** remove begins to delete what is retained. */
  readonly remove: (filter: string) => void;
}

/** TopicDetail stands beside the tree, and on a phone in its place. */
export function TopicDetail({ topic, store, close, publish, remove }: TopicDetailProps) {
  const mayAct = mayNow('operator');
  const [isAsking, setAsking] = useState(false);
  const retained = useLive(() => readRetained(topic), EVERY_MS, [topic]);
  const soon = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const refreshSoon = () => {
    soon.current ??= setTimeout(() => {
      soon.current = undefined;
      void retained.refresh();
    }, SOON_MS);
  };
  useEffect(() => () => clearTimeout(soon.current), []);
  // Every message of this one: the tree shows a sample.
  useEvents(mayAct ? `/api/v1/messages/stream?${new URLSearchParams({ topic })}` : null, {
    message: (data) => {
      const passed = data as Passed; // as docs/rest.md says
      const wasRetained = store.tree.find(topic)?.value?.isRetained === true;
      store.passed(passed);
      const isNews = passed.retain ? passed.payload === '' || retained.data.value?.message == null : wasRetained;
      if (isNews) void retained.refresh();
      else if (passed.retain) refreshSoon();
    },
  });
  store.version.value; // rendered when something has changed
  const node = store.tree.find(topic);
  const kept = retained.data.value?.message ?? null;
  const value = currentValue(node?.value ?? null, kept);
  const hasBelow = node?.hasChildren === true;
  return (
    <section class="card topic-detail" aria-label={topic}>
      <div class="topic-detail-head">
        <IconButton name={t('topics.close')} icon="close" onClick={close} />
        <h2>{breakable(topic)}</h2>
      </div>
      {value === null && retained.data.value === null ? (
        <Shown live={retained}>{() => null}</Shown>
      ) : (
        <ValueShown value={value} isWithheld={retained.data.value?.isWithheld === true} />
      )}
      {kept?.isHeldBack && <p class="topic-held-back">{heldBackWords(kept)}</p>}
      {kept !== null && (
        <dl class="pairs">
          {value?.isRetained === false ? (
            <>
              <dt>{t('topics.keptValue')}</dt>
              <dd>
                {kept.encoding === 'utf8' && `${shortened(kept.payload)} · `}
                {bytes(kept.bytes)} · {publisherOf(kept)}
              </dd>
            </>
          ) : (
            <>
              <dt>{t('topics.publishedBy')}</dt>
              <dd class={isOf(value, kept) ? undefined : 'quiet'}>{publisherOf(kept)}</dd>
              <dt>{t('topics.size')}</dt>
              <dd>{bytes(sizeOf(value) ?? kept.bytes)}</dd>
            </>
          )}
          {kept.expires !== null && (
            <>
              <dt>{t('topics.expires')}</dt>
              <dd>{dateTime(kept.expires)}</dd>
            </>
          )}
        </dl>
      )}
      <div class="actions">
        {mayAct && (
          <Button icon="send" onClick={() => publish(value)}>
            {t('topics.publishHere')}
          </Button>
        )}
        {value?.payload != null && <CopyButton text={value.payload} />}
        {mayAct && (kept !== null || hasBelow) && (
          <Button icon="trash" look="danger" onClick={() => remove(hasBelow ? `${topic}/#` : topic)}>
            {t(hasBelow ? 'topics.deleteBelow' : 'topics.deleteThis')}
          </Button>
        )}
        {mayNow('admin') && (
          <button type="button" class="link" onClick={() => setAsking(true)}>
            {t('topics.who')}
          </button>
        )}
      </div>
      {isAsking && <WhoMay topic={topic} close={() => setAsking(false)} />}
      <History past={store.tree.pastOf(topic)} isLive={mayAct} />
    </section>
  );
}

/** The value is the one that was asked about: another may have passed since, whose publisher is told a moment later. */
function isOf(value: Value | null, { payload, encoding }: Kept): boolean {
  return value?.payload === payload && value.encoding === encoding;
}

/** Bytes of the payload that is shown; null = it is not here as a whole. */
function sizeOf(value: Value | null): number | null {
  if (value === null || value.payload === null || !value.isWhole) return null;
  const { payload, encoding } = value;
  return encoding === 'utf8' ? new TextEncoder().encode(payload).length : atob(payload).length;
}

function publisherOf({ username, client, bridge }: Kept): string {
  if (bridge !== null) return t('topics.bridge', { name: bridge });
  return username ?? client ?? t('topics.broker');
}

/** Nobody can give a client without an account a right of its own. */
function heldBackWords({ username, client }: Kept): string {
  return username === null ? t('topics.heldBackNobody', { client: client ?? '' }) : t('topics.heldBack', { who: username });
}

function shortened(payload: string): string {
  return payload.length > MOST_SHOWN ? `${payload.slice(0, MOST_SHOWN)}...` : payload;
}

/** `message` null = nothing is retained there, or it is withheld: it tells where a phone is. */
async function readRetained(topic: string) {
  try {
    const message = await ask(api.GET('/api/v1/retained-message', { params: { query: { topic } } }));
    return { message, isWithheld: false };
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return { message: null, isWithheld: false };
    if (error instanceof Refusal && error.status === 403) return { message: null, isWithheld: true };
    throw error;
  }
}

type Kept = NonNullable<Awaited<ReturnType<typeof readRetained>>['message']>;

/** What has passed is the latest; a list knows the beginning of a long payload only. */
function currentValue(seen: Value | null, kept: Kept | null): Value | null {
  if (kept === null) return seen?.isRetained === true && !seen.isWhole ? null : seen;
  const at = kept.since === null ? null : Date.parse(kept.since);
  if (seen?.isWhole && (at === null || (seen.at ?? 0) >= at - 1000)) return seen;
  return { payload: kept.payload, encoding: kept.encoding, isWithheld: false, isWhole: true, qos: kept.qos, isRetained: true, at };
}

function ValueShown({ value, isWithheld }: { readonly value: Value | null; readonly isWithheld: boolean }) {
  const [isRaw, setRaw] = useState(false);
  useTick(); // its age is shown
  if (value === null) return <p class="topic-nothing">{t(isWithheld ? 'topics.withheldWords' : 'topics.noValue')}</p>;
  const { payload, encoding, qos, isRetained, at } = value;
  const pretty = encoding === 'utf8' && payload !== null ? prettyJson(payload) : null;
  return (
    <>
      <p class="topic-marks">
        {isRetained && <Badge look="good">{t('topics.retained')}</Badge>}
        <Badge look="quiet">QoS {qos}</Badge>
        {encoding === 'base64' && <Badge look="quiet">{t('topics.binary')}</Badge>}
        {at !== null && (
          <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
            {ago(at)}
          </time>
        )}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and the keyboard must reach it */}
      <pre class={encoding === 'base64' ? 'topic-payload hex' : 'topic-payload'} tabIndex={0}>
        {payload === '' ? t('topics.emptyPayload') : shownAs(value, isRaw ? null : pretty)}
      </pre>
      {pretty !== null && (
        <Button look="plain" onClick={() => setRaw(!isRaw)}>
          {t(isRaw ? 'topics.showPretty' : 'topics.showRaw')}
        </Button>
      )}
    </>
  );
}

function shownAs({ payload, encoding }: Value, pretty: string | null): string {
  if (payload === null) return t('topics.binary');
  return encoding === 'base64' ? hexDump(payload) : (pretty ?? payload);
}

function History({ past, isLive }: { readonly past: readonly Past[]; readonly isLive: boolean }) {
  return (
    <div class="topic-history">
      <h3>{t('topics.history')}</h3>
      <p class="hint">{t(isLive ? 'topics.historyHint' : 'topics.historyNot')}</p>
      {past.length > 0 && <ValueChart past={past} />}
      {past.length > 0 && (
        <ol>
          {past
            .slice(-MOST_LISTED)
            .reverse()
            .map(({ at, payload }, index) => (
              <li key={`${at} ${past.length - index}`}>
                <time dateTime={new Date(at).toISOString()}>{clockTime(at)}</time>
                {payload === null ? <span class="quiet">{t('topics.binary')}</span> : <code>{payload.slice(0, 200)}</code>}
              </li>
            ))}
        </ol>
      )}
    </div>
  );
}
