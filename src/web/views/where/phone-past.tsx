// Where one phone was: its way on a map or a sheet, the table behind it, and the end of what is kept of it.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Card, PageHeader } from '../../components/card.tsx';
import { Asked, Empty } from '../../components/faces.tsx';
import { Choice, Field } from '../../components/field.tsx';
import { Table } from '../../components/table.tsx';
import { useEvents } from '../../events.ts';
import { dateTime, type Key, length, number, plural, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { linkTo } from '../../router.ts';
import { currentSession, mayNow } from '../../visit.ts';
import { distance } from '../../where/geo.ts';
import { GroundView } from '../../where/ground-view.tsx';
import { DeletePast } from './delete-past.tsx';
import { batteryWords, type Location, type PhoneEvent, placeOf, type Transition, transitionWords } from './phone-place.ts';
import { PhoneSelf } from './phone-self.tsx';
import { type Span, type Stretch, spanOf } from './span.ts';
import { WhereHint, WhereLink } from './where-link.tsx';

const EVERY_MS = 60_000;

/** Of one request, and in all: some weeks of a phone that moves. */
const PAGE = 2000;
const MOST = 20_000;

const STRETCHES: readonly (readonly [stretch: Stretch, words: Key])[] = [
  ['today', 'where.today'],
  ['week', 'where.week'],
  ['range', 'where.range'],
];

/** Rows of the table at first. */
const FIRST_ROWS = 50;

export interface PhonePastProps {
  readonly person: string;
  readonly device: string;
}

/** PhonePast is the view of one phone. */
export function PhonePast({ person, device }: PhonePastProps) {
  const [stretch, setStretch] = useState<Stretch>('today');
  const [days, setDays] = useState({ from: '', to: '' });
  const [isDeleting, setDeleting] = useState(false);
  const span = spanOf(stretch, days);
  const past = useLive(() => loadPast({ person, device }, spanOf(stretch, days)), EVERY_MS, [stretch, days.from, days.to]);
  const map = useLive(() => ask(api.GET('/api/v1/map')), EVERY_MS);
  useEvents('/api/v1/locations/stream', {
    phone: (data) => {
      const { phone } = data as PhoneEvent; // as the box writes it
      if (phone?.person === person && phone.device === device) void past.refresh();
    },
  });
  const mayDelete = mayNow('admin') || currentSession()?.username === person;
  return (
    <>
      <PageHeader title={`${person} · ${device}`} lead={<a href={linkTo('where')}>{t('where.back')}</a>} />
      <div class="stack">
        <Card>
          <Choice
            label={t('where.time')}
            value={stretch}
            choose={setStretch}
            options={STRETCHES.map(([each, words]) => [each, t(words)])}
          />
          {stretch === 'range' && (
            <div class="where-range">
              <Field type="date" name="from" label={t('where.from')} value={days.from} change={(from) => setDays({ ...days, from })} />
              <Field type="date" name="to" label={t('where.to')} value={days.to} change={(to) => setDays({ ...days, to })} />
            </div>
          )}
        </Card>
        {mayDelete && <PhoneSelf {...{ person, device }} />}
        <Asked live={past}>
          {(data) =>
            data === 'nothing kept' ? <NothingKept /> : <Past person={person} past={data} hasTiles={map.data.value?.bytes != null} />
          }
        </Asked>
        {mayDelete && (
          <div class="actions">
            <Button icon="trash" onClick={() => setDeleting(true)}>
              {t('where.delete')}
            </Button>
          </div>
        )}
      </div>
      {isDeleting && (
        <DeletePast
          {...{ person, device, span }}
          close={() => setDeleting(false)}
          done={() => {
            setDeleting(false);
            void past.refresh();
          }}
        />
      )}
    </>
  );
}

/** Loaded is what is known of a time, the oldest first. */
interface Loaded {
  readonly locations: readonly Location[];
  readonly transitions: readonly Transition[];
  /** There is more than is shown. */
  readonly isCut: boolean;
}

async function loadPast(path: PhonePastProps, { from, to }: Span): Promise<Loaded | 'nothing kept'> {
  if (!(await ask(api.GET('/api/v1/location-settings'))).isPersistent) return 'nothing kept';
  const locations: Location[] = [];
  const transitions: Transition[] = [];
  let cursor: string | null = null;
  do {
    const query: { from: string | null; to: string | null; limit: number; cursor: string | null } = { from, to, limit: PAGE, cursor };
    const page = await ask(api.GET('/api/v1/locations/{person}/{device}', { params: { path: { ...path }, query: withoutNulls(query) } }));
    locations.push(...page.locations);
    transitions.push(...page.transitions);
    cursor = page.cursor;
  } while (cursor !== null && locations.length < MOST);
  return { locations: locations.reverse(), transitions: transitions.reverse(), isCut: cursor !== null };
}

/** What is null is not asked for. */
function withoutNulls<T extends object>(query: T): { [Key in keyof T]?: NonNullable<T[Key]> } {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== null)) as { [Key in keyof T]?: NonNullable<T[Key]> }; // of the same keys
}

function NothingKept() {
  const action = mayNow('admin') && <a href={linkTo('settings', [], { find: 'persistence' })}>{t('refusals.toSettings')}</a>;
  return <Empty icon="pin" words={t('where.notPersistent')} action={action} />;
}

function Past({ person, past, hasTiles }: { readonly person: string; readonly past: Loaded; readonly hasTiles: boolean }) {
  const { locations, transitions, isCut } = past;
  const track = locations.flatMap((each) => placeOf(each) ?? []);
  const encrypted = locations.filter(({ kind }) => kind === 'encrypted').length;
  if (locations.length === 0 && transitions.length === 0) return <Empty icon="pin" words={t('where.nothingThen')} />;
  return (
    <div class="stack">
      {track.length > 0 && (
        <Card title={t('where.track')} aside={t('where.trackLength', { length: length(wayOf(track)) })}>
          <GroundView name={t('where.trackOf', { name: person })} marks={[]} track={track} hasTiles={hasTiles} />
          {isCut && <p class="hint">{t('where.cut', { count: locations.length })}</p>}
        </Card>
      )}
      {encrypted > 0 && <p class="hint">{plural('where.encryptedCount', encrypted)}</p>}
      {transitions.length > 0 && (
        <Card title={t('where.transitions')}>
          <ul class="plain-list">
            {transitions.toReversed().map((each) => (
              <li key={each.received + each.event}>
                {transitionWords(person, each)} <span class="quiet">{dateTime(each.at)}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      <Points locations={locations} />
    </div>
  );
}

function wayOf(track: readonly { readonly lat: number; readonly lon: number }[]): number {
  return track.slice(1).reduce((sum, each, index) => sum + distance(track[index] ?? each, each), 0);
}

/** Points is the table behind the picture. */
function Points({ locations }: { readonly locations: readonly Location[] }) {
  const [isWhole, setWhole] = useState(false);
  const newest = locations.toReversed();
  const rows = isWhole ? newest : newest.slice(0, FIRST_ROWS);
  return (
    <Card title={t('where.points')} aside={number(locations.length)}>
      <Table
        name={t('where.points')}
        rows={rows}
        keyOf={({ at, received, kind }) => `${at} ${received} ${kind}`}
        columns={[
          { title: t('where.when'), isHead: true, cell: ({ at }) => <time dateTime={at}>{dateTime(at)}</time> },
          { title: t('where.where'), cell: (location) => <WhereLink location={location} /> },
          { title: t('where.accuracy'), isNumber: true, cell: ({ accuracy }) => (accuracy === null ? '' : length(accuracy)) },
          { title: t('where.battery'), isNumber: true, cell: (location) => batteryWords(location) ?? '' },
        ]}
      />
      <WhereHint locations={rows} />
      {!isWhole && newest.length > FIRST_ROWS && (
        <div class="actions">
          <Button onClick={() => setWhole(true)}>{t('where.allPoints')}</Button>
        </div>
      )}
    </Card>
  );
}
