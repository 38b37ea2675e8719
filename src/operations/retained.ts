// Retained messages: listed, as a tree, one by one; and deleted below a filter after a look at what would go.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { bridgeBehind } from '../bridges/options.ts';
import { Message, NEVER } from '../broker/message.ts';
import type { RetainedValue } from '../broker/retained/retained-messages.ts';
import { isTopicFilter, isTopicName } from '../mqtt/topics.ts';
import { type MayRead, maySeeOf } from './location-sight.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, OperationFailure, operation } from './operation.ts';
import { PAGE_INPUT, PageTaker, pageOf } from './page.ts';
import { PAYLOAD_OUTPUT, writePayload } from './payload.ts';
import { iso, TIME } from './time.ts';
import { whenDurable } from './when-durable.ts';

/** Nodes that are looked at in one turn of the event loop: some 5 ms. */
const STEPS = 10_000;

/** Messages that are deleted in one turn: each goes to its subscribers. */
const DELETED_AT_ONCE = 200;

/** Bytes of a payload that a list shows. */
const PREVIEW_BYTES = 200;

/** Topics that a preview names. */
const SAMPLE = 100;

const FIELDS = {
  topic: z.string(),
  qos: z.number().int(),
  bytes: z.number().int().describe('of the payload'),
  since: TIME.nullable().describe('when it was published; null = before the broker started'),
  expires: TIME.nullable(),
  username: z.string().nullable().describe('of its publisher'),
  client: z.string().nullable().describe('client identifier of its publisher; null = the broker itself'),
  bridge: z.string().nullable().describe('of this broker, by which it came; null = by none'),
  isHeldBack: z.boolean().describe('nobody gets it: its publisher may not publish there any more (`check_retain_source`)'),
};

const FILTER = z.string().describe('topic filter; `#` does not match topics that begin with $');

const PREVIEW = z
  .string()
  .nullable()
  .describe('beginning of a payload of text; null = it is no text, or it is of a phone that the asker may not see');

const IS_WITHHELD = z.boolean().describe('it tells where a phone is, and no rule lets the asker see that');

const LISTED = z.object({ ...FIELDS, preview: PREVIEW, isWithheld: IS_WITHHELD });
const ONE = z.object({ ...FIELDS, ...PAYLOAD_OUTPUT });

/** RETAINED lists them. */
export const RETAINED = operation({
  name: 'retained',
  kind: 'query',
  right: 'viewer',
  summary: 'Retained messages below a topic filter, by topic.',
  input: z.strictObject({
    ...PAGE_INPUT,
    filter: FILTER.default('#'),
    search: z.string().nullish().describe('only those that have this in their topic, in lower or upper case'),
    minBytes: z.number().int().nullish().describe('only those whose payload has so many bytes'),
    olderThan: z.number().int().nullish().describe('only those that were published more than so many seconds ago'),
  }),
  output: pageOf(LISTED),
  run: async (needs, { filter, search, minBytes, olderThan, ...page }, asker) => {
    const taker = new PageTaker<RetainedValue>(page);
    const { broker } = needs;
    const newest = olderThan == null ? Number.POSITIVE_INFINITY : broker.clock.now() / 1000 - olderThan;
    const wanted = search?.toLowerCase() ?? '';
    await walk(needs, filter, (value) => {
      if (value.payload.length < (minBytes ?? 0) || value.since > newest) return;
      if (wanted === '' || value.topicName.toLowerCase().includes(wanted)) taker.see(value.topicName, value);
    });
    const maySee = maySeeOf(() => needs, asker);
    return taker.page((value) => ({ ...fieldsOf(value), isHeldBack: isHeldBack(needs, value), ...shownOf(value, maySee) }));
  },
});

const LEVEL = z.object({
  level: z.string().describe('one level of a topic; it may be empty'),
  topic: z.string().describe('from the root to this level'),
  messages: z.number().int().describe('at this topic and below it'),
  bytes: z.number().int().describe('of their payloads'),
  hasMore: z.boolean().describe('there are some below it'),
  message: z
    .object({ preview: PREVIEW, isWithheld: IS_WITHHELD, qos: FIELDS.qos, bytes: FIELDS.bytes, since: FIELDS.since })
    .nullable()
    .describe('the one at this very topic'),
});

/** Counts are what is known of a level when all below it was seen. */
interface Counts {
  messages: number;
  bytes: number;
  own: RetainedValue | null;
  hasMore: boolean;
}

/** RETAINED_TREE gives the branches of one place. */
export const RETAINED_TREE = operation({
  name: 'retained tree',
  kind: 'query',
  right: 'viewer',
  summary: 'The next levels below a topic that has retained messages below it, with what each holds.',
  input: z.strictObject({ ...PAGE_INPUT, below: z.string().nullish().describe('topic whose next levels are told; none = the root') }),
  output: pageOf(LEVEL),
  run: async (needs, { below, ...page }, asker) => {
    const prefix = below == null ? '' : `${below}/`;
    const levels = new Map<string, Counts>();
    await walk(needs, `${prefix}#`, (value) => {
      const { topicName, payload } = value;
      if (!topicName.startsWith(prefix)) return; // `a/#` matches `a` as well
      const end = topicName.indexOf('/', prefix.length);
      const level = topicName.slice(prefix.length, end < 0 ? undefined : end);
      const known = levels.get(level) ?? { messages: 0, bytes: 0, own: null, hasMore: false };
      levels.set(level, known);
      known.messages++;
      known.bytes += payload.length;
      if (end < 0) known.own = value;
      else known.hasMore = true;
    });
    const maySee = maySeeOf(() => needs, asker);
    const taker = new PageTaker<[string, Counts]>(page);
    for (const each of levels) taker.see(each[0], each);
    return taker.page(([level, { own, ...counts }]) => ({
      ...{ level, topic: prefix + level, ...counts },
      message: own === null ? null : messageOf(own, maySee),
    }));
  },
});

function messageOf(value: RetainedValue, maySee: MayRead) {
  const { qos, bytes, since } = fieldsOf(value);
  return { ...shownOf(value, maySee), qos, bytes, since };
}

/** RETAINED_MESSAGE gives one. */
export const RETAINED_MESSAGE = operation({
  name: 'retained message',
  kind: 'query',
  right: 'viewer',
  summary: 'The retained message of a topic.',
  input: z.strictObject({ topic: z.string() }),
  output: ONE,
  run: (needs, { topic }, asker) => {
    const value = isTopicName(topic) ? needs.broker.retained.valueOf(topic) : null;
    if (value === null) throw new OperationFailure('not found', `Cannot find a retained message at "${topic}"`);
    if (!maySeeOf(() => needs, asker)(topic))
      throw new OperationFailure(
        'not allowed',
        `Cannot show the message at "${topic}": no rule that names it lets you see where this phone is`,
      );
    return { ...fieldsOf(value), isHeldBack: isHeldBack(needs, value), ...writePayload(value.toMessage().payload) };
  },
});

const DELETION = z.strictObject({
  filter: FILTER,
  search: z.string().nullish().describe('only those that have this in their topic, in lower or upper case'),
  confirm: z.string().nullish().describe('what the preview gave; none = nothing is deleted, and the answer is a preview'),
});

/** DELETE_RETAINED deletes what a preview has shown, and nothing else. */
export const DELETE_RETAINED = operation({
  name: 'delete retained',
  kind: 'command',
  right: 'operator',
  summary: 'Delete the retained messages below a topic filter: without a confirmation the answer tells what would go, and gives one.',
  input: DELETION,
  output: z.object({
    deleted: z.boolean().describe('false = this is a preview'),
    messages: z.number().int(),
    bytes: z.number().int().describe('of their payloads'),
    topics: z.array(z.string()).describe(`the first ${SAMPLE}`),
    confirm: z.string().nullable().describe('confirms the deletion of these very topics; null = they are deleted'),
  }),
  isDone: ({ deleted }) => deleted,
  run: deleteRetained,
});

async function deleteRetained(needs: OperationNeeds, { filter, search, confirm }: z.infer<typeof DELETION>) {
  if (filter.startsWith('$SYS')) throw badInput('filter', `Cannot delete "${filter}": the broker itself writes there`);
  const wanted = search?.toLowerCase() ?? '';
  const topics: string[] = [];
  let bytes = 0;
  await walk(needs, filter, ({ topicName, payload }) => {
    if (!topicName.toLowerCase().includes(wanted)) return;
    topics.push(topicName);
    bytes += payload.length;
  });
  topics.sort();
  const told = { messages: topics.length, bytes, topics: topics.slice(0, SAMPLE) };
  const token = createHash('sha256').update(JSON.stringify(topics)).digest('base64url');
  if (confirm == null) return { deleted: false, ...told, confirm: token };
  if (confirm !== token)
    throw new OperationFailure('conflict', `Cannot delete "${filter}": other topics match it than in the preview - look at a new one`);
  await deleteTopics(needs, topics);
  return { deleted: true, ...told, confirm: null };
}

/** deleteBelow deletes what is kept of a topic and of those below it, and gives how many messages that were. */
export async function deleteBelow(needs: OperationNeeds, topicName: string): Promise<number> {
  const topics: string[] = [];
  await walk(needs, `${topicName}/#`, (value) => void topics.push(value.topicName)); // [MQTT-4.7.1-2] with the topic itself
  await deleteTopics(needs, topics);
  return topics.length;
}

/** deleteTopics deletes what is kept of these very topics, as a client would, by an empty message: who is subscribed learns of it. */
export async function deleteTopics(needs: OperationNeeds, topics: readonly string[]): Promise<void> {
  const { broker } = needs;
  for (const [index, name] of topics.entries()) {
    broker.accept(Message.of({ topic: broker.topics.named(name), qos: 0, retain: true, payload: Buffer.alloc(0) }), true);
    if (index % DELETED_AT_ONCE === DELETED_AT_ONCE - 1) await nextTurn();
  }
  await whenDurable(needs, 'The messages are deleted, but the database cannot be written: they may come back');
}

/** walk meets the messages below a filter, with pauses in which the broker serves its clients. */
async function walk({ broker }: OperationNeeds, filter: string, meet: (value: RetainedValue) => void): Promise<void> {
  if (!isTopicFilter(filter))
    throw badInput(
      'filter',
      `Cannot find messages by "${filter}": it is no topic filter - + stands for one whole level, and # for all below, only at the end: home/+/light, home/#`,
    );
  const cursor = broker.retained.matching(filter);
  for (let limit = STEPS; ; limit = cursor.steps + STEPS) {
    for (let value = cursor.nextValue(limit); value !== null; value = cursor.nextValue(limit)) meet(value);
    if (cursor.atEnd) return;
    await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isHeldBack({ broker }: OperationNeeds, { source, topicName }: RetainedValue): boolean {
  return !broker.mayStillPublish(source, topicName);
}

function fieldsOf({ topicName, qos, payload, since, expiresAt, source }: RetainedValue) {
  return {
    topic: topicName,
    qos,
    bytes: payload.length,
    since: since === 0 ? null : iso(since * 1000),
    expires: expiresAt === NEVER ? null : iso(expiresAt),
    username: source?.username ?? null,
    client: source?.clientId ?? null,
    bridge: source === null ? null : bridgeBehind(source),
  };
}

function shownOf(value: RetainedValue, maySee: MayRead) {
  const isWithheld = !maySee(value.topicName);
  return { preview: isWithheld ? null : previewOf(value), isWithheld };
}

/** A character that is cut in two at the end is left out. */
function previewOf({ payload }: RetainedValue): string | null {
  const bytes = typeof payload === 'string' ? Buffer.from(payload.slice(0, PREVIEW_BYTES), 'latin1') : payload.subarray(0, PREVIEW_BYTES);
  for (let end = bytes.length; end >= Math.max(0, bytes.length - 3); end--) {
    const { payload: text, encoding } = writePayload(bytes.subarray(0, end));
    if (encoding === 'utf8') return text;
    if (payload.length <= PREVIEW_BYTES) return null;
  }
  return null;
}
