// Where phones are and were, for those who may read their topics; and the end of what is kept.

import { z } from 'zod';
import { LOCATION_KINDS } from '../base/location-record.ts';
import type { LocationLog } from '../store/location-log.ts';
import type { LocationPlace } from '../store/location-table.ts';
import { checkRevision, readEdited, revisionOf, revisionOfFile } from './change-in-force.ts';
import { applyText, mainFile } from './configuration.ts';
import {
  describeLocation,
  describePhone,
  describeTransition,
  LOCATION,
  PHONE_LOCATION,
  PHONE_NAME,
  TRANSITION,
} from './location-shapes.ts';
import { mayReadOf } from './location-sight.ts';
import type { Locations, OperationNeeds } from './needs.ts';
import { badInput, OperationFailure, operation } from './operation.ts';
import { deleteTopics } from './retained.ts';
import { includesRight } from './right.ts';
import { iso, TIME } from './time.ts';

const LIMIT_MAX = 2000;
const LIMIT_DEFAULT = 500;

const SPAN = {
  from: TIME.nullish().describe('none = from the first one on'),
  to: TIME.nullish().describe('none = to the last one'),
};

/** LOCATIONS are the latest. */
export const LOCATIONS = operation({
  name: 'locations',
  kind: 'query',
  right: 'viewer',
  summary: 'Where the phones are whose topics the rules for MQTT let the asker read.',
  input: z.strictObject({}),
  output: z.object({ phones: z.array(PHONE_LOCATION).describe('by person and device') }),
  run: (needs, _, asker) => {
    const mayRead = mayReadOf(needs, asker);
    const seen = locationsOf(needs)
      .live.list()
      .filter(({ topic }) => mayRead(topic));
    return { phones: seen.map((phone) => describePhone(needs, phone, mayRead)) };
  },
});

/** LOCATION_HISTORY is one phone's past. */
export const LOCATION_HISTORY = operation({
  name: 'location history',
  kind: 'query',
  right: 'viewer',
  summary: 'Where one phone was, the newest first, if the rules for MQTT let the asker read its topic.',
  input: z.strictObject({
    ...PHONE_NAME,
    ...SPAN,
    limit: z.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT).describe('locations and transitions of a page'),
    cursor: z.string().max(100).nullish().describe('where the page before ended; none = the first page'),
  }),
  output: z.object({
    ...PHONE_NAME,
    locations: z.array(LOCATION),
    transitions: z.array(TRANSITION).describe('of the same time; none where the asker may not read them'),
    cursor: z.string().nullable().describe('for the next page; null = this is the last one'),
  }),
  run: async (needs, { person, device, limit, cursor, ...span }, asker) => {
    const topic = topicIn({ person, device });
    const mayRead = mayReadOf(needs, asker);
    if (!mayRead(topic))
      throw new OperationFailure(
        'not allowed',
        `Cannot tell where ${person}/${device} was: the rules for MQTT do not let you read "${topic}"`,
      );
    const { days } = locationsOf(needs);
    const { from, to } = spanOf(span);
    const oldest = needs.broker.clock.now() - days * DAY_MS; // what is older goes once a day
    const wanted = { topic, from: Math.max(from, oldest), to };
    const records = await logOf(needs).read(wanted, cursor == null ? null : placeIn(cursor), limit);
    const last = records.at(-1);
    return {
      ...{ person, device },
      locations: records.filter(({ kind }) => kind !== 'transition').map(describeLocation),
      transitions: mayRead(`${topic}/event`) ? records.filter(({ kind }) => kind === 'transition').map(describeTransition) : [],
      cursor: last === undefined || records.length < limit ? null : cursorOf(last),
    };
  },
});

/** DELETE_LOCATIONS deletes them for good. Whoever deletes sees no more than how many there are. */
export const DELETE_LOCATIONS = operation({
  name: 'delete locations',
  kind: 'command',
  right: 'viewer',
  summary: "Delete the locations of a person or a phone, all or of a time; others' with the right admin. A preview deletes nothing.",
  input: z.strictObject({
    person: PHONE_NAME.person,
    device: PHONE_NAME.device.nullish().describe('none = all phones of the person'),
    ...SPAN,
    preview: z.boolean().default(false).describe('only count'),
  }),
  output: z.object({
    phones: z.array(z.object({ ...PHONE_NAME, locations: z.number().int() })).describe('those of which something was deleted, or would be'),
    locations: z.number().int().describe('with transitions'),
    messages: z.number().int().describe('retained messages: last locations'),
    preview: z.boolean(),
  }),
  isDone: ({ preview }) => !preview,
  run: async (needs, { person, device, preview, ...span }, asker) => {
    if (!includesRight(asker.right, 'admin') && asker.username !== person)
      throw new OperationFailure('not allowed', `Cannot delete locations of "${person}": that needs the right "admin"`);
    return deleteLocations(needs, { person, device: device ?? null, ...spanOf(span) }, preview);
  },
});

const SETTINGS_FIELDS = {
  keep: z.enum(['phones', 'all', 'none']).describe('location_history: phones = those that were set up here'),
  days: z.number().int().min(1).max(36_500).describe('location_history_days'),
};

/** LOCATION_SETTINGS tells what is kept. */
export const LOCATION_SETTINGS = operation({
  name: 'location settings',
  kind: 'query',
  right: 'viewer',
  summary: 'Of which phones locations are kept, and how long.',
  input: z.strictObject({}),
  output: z.object({
    ...SETTINGS_FIELDS,
    revision: z.string().nullable().describe('of the text of the configuration; null = there is none that can be read'),
    isPersistent: z.boolean().describe('false = persistence is off, and nothing is kept'),
    phones: z.number().int().describe('of which something is kept, as far as the asker may read them'),
    oldest: TIME.nullable().describe('the oldest location that is kept of them'),
  }),
  run: async (needs, _, asker) => {
    const { keep, days, log } = locationsOf(needs);
    const mayRead = mayReadOf(needs, asker);
    const kept = (await log?.phones())?.filter(({ topic }) => mayRead(topic)) ?? [];
    const times = kept.flatMap(({ first }) => first ?? []);
    return {
      keep,
      days,
      revision: revisionOfFile(needs.configuration.file),
      isPersistent: log !== null,
      phones: kept.length,
      oldest: times.length === 0 ? null : iso(Math.min(...times)),
    };
  },
});

/** CHANGE_LOCATION_SETTINGS writes them into the configuration. */
export const CHANGE_LOCATION_SETTINGS = operation({
  name: 'change location settings',
  kind: 'command',
  right: 'admin',
  summary: 'Change what is kept from now on; the change is taken back unless it is confirmed, as with "apply configuration".',
  input: z.strictObject({
    keep: SETTINGS_FIELDS.keep.optional(),
    days: SETTINGS_FIELDS.days.optional(),
    revision: z.string().nullish().describe('of the text that the asker has seen; another one is a conflict'),
  }),
  output: z.object({
    confirm: z.string().nullable().describe('for "confirm configuration"; null = nothing had to be changed'),
    until: TIME.nullable().describe('when it is taken back'),
  }),
  run: async (needs, { keep, days, revision }) => {
    const file = mainFile(needs);
    const before = readEdited(file);
    checkRevision(file, before, revision);
    let text = before;
    for (const [name, value] of [
      ['location_history', keep],
      ['location_history_days', days],
    ] as const)
      if (value !== undefined) text = needs.files.withChange(file, text, { name, values: [String(value)], listener: null });
    if (text === before) return { confirm: null, until: null };
    const { confirm, until } = await applyText(needs, text, revisionOf(before));
    return { confirm, until: iso(until) };
  },
});

/** Meant is what is to be deleted; `from` and `to` in milliseconds since 1970. */
export interface MeantLocations {
  readonly person: string;
  /** Null = all phones of the person. */
  readonly device: string | null;
  readonly from: number;
  readonly to: number;
}

/** ALL_TIME is every moment. */
export const ALL_TIME = { from: 0, to: 8.64e15 } as const;

const DAY_MS = 86_400_000;

/** deleteLocations deletes what is kept of a person's phones, with the retained last location of those that were there last within the time. */
export async function deleteLocations(needs: OperationNeeds, meant: MeantLocations, isPreview = false) {
  const { live, log } = locationsOf(needs);
  const { person, device, from, to } = meant;
  const topics = new Set([...live.list(), ...((await log?.phones()) ?? [])].map(({ topic }) => topic));
  const phones: { person: string; device: string; locations: number }[] = [];
  let messages = 0;
  for (const topic of [...topics].sort()) {
    const [, of = '', on = ''] = topic.split('/');
    if (of !== person || (device !== null && on !== device)) continue;
    const span = { topic, from, to };
    const locations = log === null ? 0 : isPreview ? await log.count(span) : await log.delete(span);
    const last = live.find(topic)?.last ?? null;
    const isLastGone = last !== null && last.at >= from && last.at <= to && needs.broker.retained.has(topic);
    if (isLastGone) messages++;
    if (!isPreview) {
      if (from <= ALL_TIME.from && to >= ALL_TIME.to) live.drop(topic);
      else live.forget(topic, from, to);
      if (isLastGone) await deleteTopics(needs, [topic]);
    }
    if (locations > 0 || isLastGone) phones.push({ person: of, device: on, locations });
  }
  return { phones, locations: phones.reduce((sum, each) => sum + each.locations, 0), messages, preview: isPreview };
}

/** forgetPhones deletes all of a person's phones, or of one of them, and gives how many locations were kept. */
export async function forgetPhones(needs: OperationNeeds, person: string, device: string | null): Promise<number> {
  if (needs.locations === null) return 0;
  return (await deleteLocations(needs, { person, device, ...ALL_TIME })).locations;
}

function locationsOf({ locations }: OperationNeeds): Locations {
  if (locations !== null) return locations;
  throw new OperationFailure(
    'not possible',
    'Cannot tell where phones are: no listener has "protocol http" - add "listener 8443" and "protocol http"',
  );
}

function logOf(needs: OperationNeeds): LocationLog {
  const { log } = locationsOf(needs);
  if (log !== null) return log;
  throw new OperationFailure('not possible', 'Cannot tell where phones were: nothing is kept without "persistence true"');
}

function topicIn({ person, device }: { readonly person: string; readonly device: string }): string {
  for (const [field, value] of Object.entries({ person, device }))
    if (value === '' || /[/+#\u0000]/.test(value))
      throw badInput(field, `Cannot find a phone of "${person}/${device}": it is no level of a topic`);
  return `owntracks/${person}/${device}`;
}

function spanOf({ from, to }: { readonly from?: string | null | undefined; readonly to?: string | null | undefined }) {
  const span = { from: from == null ? ALL_TIME.from : Date.parse(from), to: to == null ? ALL_TIME.to : Date.parse(to) + 999 }; // a second is meant whole
  if (span.from > span.to) throw badInput('to', 'Cannot look there: it ends before it begins');
  return span;
}

function cursorOf({ at, kind }: LocationPlace): string {
  return `${at}-${kind}`;
}

function placeIn(cursor: string): LocationPlace {
  const [, at, name] = /^(\d{1,16})-(\w+)$/.exec(cursor) ?? [];
  const kind = LOCATION_KINDS.find((each) => each === name);
  if (at === undefined || kind === undefined) throw badInput('cursor', 'Cannot go on at this cursor: no page ended with it');
  return { at: Number(at), kind };
}
