// Everybody at a glance: who is where, since when, and how far from here.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Badge, Card, PageHeader } from '../../components/card.tsx';
import { Shown } from '../../components/faces.tsx';
import { Select } from '../../components/field.tsx';
import { Table } from '../../components/table.tsx';
import { useEvents } from '../../events.ts';
import { ago, dateTime, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { recall, remember } from '../../remembered.ts';
import { isOffered, linkTo } from '../../router.ts';
import { currentSession } from '../../visit.ts';
import type { Place } from '../../where/geo.ts';
import { GroundView } from '../../where/ground-view.tsx';
import { Face } from './face.tsx';
import { HistorySettings } from './history-settings.tsx';
import { Nobody } from './nobody.tsx';
import {
  batteryWords,
  distanceWords,
  nameOf,
  type PhoneEvent,
  type PhonePlace,
  placeOf,
  transitionWords,
  whereWords,
} from './phone-place.ts';
import { WhereHint, WhereLink } from './where-link.tsx';

/** What the stream does not tell: a minute has passed, and the words for it are others. */
const EVERY_MS = 30_000;
const MAP_EVERY_MS = 60_000;

/** PhonesNow is the list. */
export function PhonesNow() {
  const known = useLive(() => ask(api.GET('/api/v1/locations')), EVERY_MS);
  const map = useLive(() => ask(api.GET('/api/v1/map')), MAP_EVERY_MS);
  const [news, setNews] = useState<ReadonlyMap<string, PhoneEvent>>(new Map());
  useEvents('/api/v1/locations/stream', {
    phone: (data) => {
      const event = data as PhoneEvent; // as the box writes it
      setNews((before) => new Map(before).set(event.topic, event));
    },
  });
  return (
    <>
      <PageHeader title={t('where.title')} lead={t('where.lead')} />
      <Shown live={known}>
        {({ phones }) => {
          const now = withNews(phones, news);
          return (
            <div class="stack">
              {now.length === 0 ? (
                <Nobody changed={() => void known.refresh()} />
              ) : (
                <Everybody phones={now} hasTiles={map.data.value?.bytes != null} />
              )}
              <HistorySettings map={map.data.value} />
            </div>
          );
        }}
      </Shown>
    </>
  );
}

/** What was asked for last may be older than what the stream has told since. */
function withNews(phones: readonly PhonePlace[], news: ReadonlyMap<string, PhoneEvent>): readonly PhonePlace[] {
  const all = new Map<string, PhonePlace>(phones.map((each) => [each.topic, each]));
  for (const { topic, phone } of news.values()) {
    const before = all.get(topic);
    if (phone === null) {
      if (before?.last == null) all.delete(topic);
    } else if (before?.last == null || phone.last === null || phone.last.received >= before.last.received) all.set(topic, phone);
  }
  return [...all.values()].sort((one, other) => one.topic.localeCompare(other.topic));
}

function Everybody({ phones, hasTiles }: { readonly phones: readonly PhonePlace[]; readonly hasTiles: boolean }) {
  const [chosen, setChosen] = useState(recall('where.from') ?? '');
  const origins = originsOf(phones);
  const from = origins.find(({ key }) => key === chosen) ?? null;
  const choose = (key: string) => {
    setChosen(key);
    remember('where.from', key);
  };
  const marks = phones.flatMap((phone) => {
    const at = placeOf(phone.last);
    return at === null ? [] : [{ ...at, key: phone.topic, label: labelOf(phone, phones) }];
  });
  return (
    <>
      {marks.length > 0 && (
        <Card>
          <GroundView name={t('where.ground')} marks={marks} track={[]} hasTiles={hasTiles} />
        </Card>
      )}
      <Card>
        {origins.length > 0 && (
          <div class="narrow">
            <Select
              label={t('where.distanceFrom')}
              value={from?.key ?? ''}
              choose={choose}
              options={[['', t('where.nowhere')], ...origins.map(({ key, name }) => [key, name] as const)]}
            />
          </div>
        )}
        <List phones={phones} from={from?.place ?? null} />
        <WhereHint locations={phones.map(({ last }) => last)} />
        {!isOffered('phones') && phones.every(({ person }) => person === currentSession()?.username) && (
          <p class="hint">{t('where.askOwner')}</p>
        )}
      </Card>
    </>
  );
}

interface Origin {
  readonly key: string;
  readonly name: string;
  readonly place: Place;
}

/** Of several phones of a person each has its own name, too. */
function labelOf(phone: PhonePlace, all: readonly PhonePlace[]): string {
  const isOne = all.filter(({ person }) => person === phone.person).length === 1;
  return isOne ? nameOf(phone) : `${nameOf(phone)} · ${phone.device}`;
}

/** From the places that phones have names for, and from the phones themselves. */
function originsOf(phones: readonly PhonePlace[]): readonly Origin[] {
  const named = phones.flatMap(({ waypoints }) =>
    waypoints.map(({ name, lat, lon }) => ({ key: `place ${name}`, name, place: { lat, lon } })),
  );
  const carried = phones.flatMap((phone) => {
    const at = placeOf(phone.last);
    return at === null ? [] : [{ key: phone.topic, name: `${nameOf(phone)} · ${phone.device}`, place: at }];
  });
  return [...new Map([...named, ...carried].map((each) => [each.key, each])).values()];
}

function List({ phones, from }: { readonly phones: readonly PhonePlace[]; readonly from: Place | null }) {
  return (
    <Table
      name={t('where.title')}
      rows={phones}
      keyOf={({ topic }) => topic}
      columns={[
        { title: t('where.who'), isHead: true, cell: (phone) => <Who phone={phone} /> },
        {
          title: t('where.where'),
          cell: ({ last }) => (last === null ? <span class="quiet">{t('where.unknown')}</span> : <Where last={last} />),
        },
        {
          title: t('where.when'),
          cell: ({ last }) =>
            last === null ? (
              ''
            ) : (
              <time dateTime={last.at} title={dateTime(last.at)}>
                {ago(last.at)}
              </time>
            ),
        },
        { title: t('where.news'), cell: (phone) => phone.transition !== null && <News phone={phone} /> },
        { title: t('where.battery'), isNumber: true, cell: ({ last }) => (last === null ? '' : (batteryWords(last) ?? '')) },
        ...(from === null
          ? []
          : [{ title: t('where.distance'), isNumber: true, cell: ({ last }: PhonePlace) => distanceWords(last, from) ?? '' }]),
      ]}
    />
  );
}

function Who({ phone }: { readonly phone: PhonePlace }) {
  const { person, device } = phone;
  return (
    <span class="who">
      <Face picture={phone.picture} />
      <a href={linkTo('where', [person, device])}>
        {nameOf(phone)} · {device}
      </a>
    </span>
  );
}

function Where({ last }: { readonly last: NonNullable<PhonePlace['last']> }) {
  return last.kind === 'encrypted' ? <Badge look="quiet">{whereWords(last)}</Badge> : <WhereLink location={last} />;
}

function News({ phone }: { readonly phone: PhonePlace }) {
  const { transition } = phone;
  if (transition === null) return null;
  return (
    <span>
      {transitionWords(nameOf(phone), transition)} <span class="quiet">{ago(transition.at)}</span>
    </span>
  );
}
