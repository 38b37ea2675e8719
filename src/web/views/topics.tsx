// The topics of this box, live: a tree, what each holds, and what it held before; publish, and delete what is retained.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { Unreachable } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { PageHeader } from '../components/card.tsx';
import { Empty, Failed, Loading, Trouble, wordsOf } from '../components/faces.tsx';
import { SearchBox } from '../components/search-box.tsx';
import { onReconnect } from '../connection.ts';
import { useEvents } from '../events.ts';
import { plural, t } from '../i18n.ts';
import { go, place } from '../router.ts';
import { useSettled } from '../settled.ts';
import { TopicStore } from '../topics/topic-store.ts';
import type { Passed, Value } from '../topics/topic-tree.ts';
import { wantedTopics } from '../topics/wanted-topics.ts';
import { mayNow } from '../visit.ts';
import { DeleteRetained } from './topics/delete-retained.tsx';
import { Publish } from './topics/publish.tsx';
import { TopicDetail } from './topics/topic-detail.tsx';
import { TopicRows } from './topics/topic-rows.tsx';
import '../styles/topics.css';

/** Messages of the stream per second: more than anybody can read, and few enough for an old phone. */
const SAMPLE = 200;

/** What is open above the view. */
type Open =
  | { readonly kind: 'publish'; readonly topic: string; readonly like: Value | null }
  | { readonly kind: 'delete'; readonly filter: string; readonly isMeant: boolean };

/** View is the view of topics. The chosen one is in the address. */
export function View() {
  const store = useMemo(() => new TopicStore(), []);
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState<Open | null>(null);
  const chosen = place.value.rest[0] ?? null;
  const wanted = useMemo(() => wantedTopics(typed), [typed]);
  const sought = useSettled(wanted);
  useEffect(() => void store.find(sought), [sought]);
  useEffect(() => {
    void store.listMore(null);
    if (chosen !== null) void store.reveal(chosen);
    return onReconnect(() => void store.refresh());
  }, []);
  const mayAct = mayNow('operator');
  // All, so that what passes during a search is known after it; of a crowd, what is searched.
  useStream(store, mayAct ? [sought !== null && (store.hasMissed.value || sought.filter.startsWith('$')) ? sought.filter : '#'] : []);
  const close = () => setOpen(null);
  return (
    <div class={chosen === null ? 'topics' : 'topics has-chosen'}>
      <PageHeader
        title={t('topics.title')}
        lead={mayAct ? undefined : t('topics.retainedOnly')}
        actions={
          mayAct && (
            <>
              <Button
                icon="trash"
                onClick={() => setOpen({ kind: 'delete', filter: filterFor(store, wanted, chosen), isMeant: wanted !== null })}
              >
                {t('topics.deleteRetained')}
              </Button>
              <Button icon="send" look="primary" onClick={() => setOpen({ kind: 'publish', topic: chosen ?? '', like: null })}>
                {t('topics.publish')}
              </Button>
            </>
          )
        }
      />
      <div class="topics-panes">
        <section class="card topics-list" aria-label={t('topics.title')}>
          <SearchBox label={t('topics.search')} hint={t('topics.searchHint')} value={typed} change={setTyped} />
          <Summary store={store} />
          <Rows store={store} chosen={chosen} />
        </section>
        {chosen !== null && (
          <TopicDetail
            key={chosen}
            topic={chosen}
            store={store}
            close={() => go('topics')}
            publish={(like) => setOpen({ kind: 'publish', topic: chosen, like })}
            remove={(filter) => setOpen({ kind: 'delete', filter, isMeant: true })}
          />
        )}
      </div>
      {open?.kind === 'publish' && <Publish topic={open.topic} like={open.like} close={close} />}
      {open?.kind === 'delete' && (
        <DeleteRetained filter={open.filter} isMeant={open.isMeant} close={close} deleted={() => void store.refresh()} />
      )}
    </div>
  );
}

/** What somebody looks at is likely to go: what is searched by a filter, the topic that is open, or the branch. */
function filterFor({ branch }: TopicStore, wanted: ReturnType<typeof wantedTopics>, chosen: string | null): string {
  if (wanted !== null) return wanted.search === null ? wanted.filter : '';
  return chosen ?? (branch === null ? '' : `${branch}/#`);
}

function useStream(store: TopicStore, filters: readonly string[]): void {
  const query = new URLSearchParams([...filters.map((filter) => ['topic', filter]), ['sample', String(SAMPLE)]]);
  useEvents(filters.length === 0 ? null : `/api/v1/messages/stream?${query}`, {
    message: (data) => {
      const passed = data as Passed; // as docs/rest.md says
      if (passed.topic !== place.peek().rest[0]) store.passed(passed); // the chosen one has a stream of its own
    },
    missed: () => store.notAll(),
  });
}

function Summary({ store }: { readonly store: TopicStore }) {
  store.version.value; // it is counted anew when something has changed
  const search = store.search.value;
  if (search === null && store.tree.listingOf(null).kind === 'none' && store.tree.count === 0) return null; // nothing is known
  const count = search === null ? store.tree.count : store.tree.matching(search.wanted.isWanted).length;
  return (
    <p class="topics-summary">
      {search === null ? plural('topics.seen', count) : plural('topics.found', Math.max(count, search.total ?? 0))}
      {store.hasMissed.value && <span>{t(store.missed.value ? 'topics.sampled' : 'topics.wasSampled')}</span>}
    </p>
  );
}

function Rows({ store, chosen }: { readonly store: TopicStore; readonly chosen: string | null }) {
  const version = store.version.value; // rendered when something has changed
  const search = store.search.value;
  const problem = store.problem.value;
  const rows = search === null ? store.tree.rows() : store.tree.matching(search.wanted.isWanted);
  if (rows.some(({ kind }) => kind === 'topic')) {
    return (
      <>
        {problem !== null && !(problem instanceof Unreachable) && <Trouble problem={problem} />}
        <TopicRows store={store} version={version} rows={rows} isFlat={search !== null} chosen={chosen} />
      </>
    );
  }
  if (problem !== null) {
    return <Failed words={wordsOf(problem)} action={<Button onClick={() => void store.refresh()}>{t('face.again')}</Button>} />;
  }
  if (search !== null ? search.total === null : store.tree.listingOf(null).kind !== 'whole') return <Loading />;
  return search === null ? <Empty icon="tree" words={t('topics.none')} /> : <Empty icon="search" words={t('topics.noneFound')} />;
}
