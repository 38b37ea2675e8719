// Messages that say who sent them and which of his they are; some of them clear a retained value.

import type { PublishedMessage } from './steadfast-publisher.ts';

/** Topics that a publisher of retained values goes round, and how often it clears one instead. */
const TOPICS = 5;
const CLEAR_EVERY = 7;

/** streamMessage is message number `sequence`, `size` bytes large at least. */
export function streamMessage(publisher: string, sequence: number, size: number): PublishedMessage {
  return { topicName: `stream/${publisher}`, payload: Buffer.from(`${publisher} ${sequence} `.padEnd(size, '.')), retain: false };
}

/** retainedMessage is the same as a value of one of a few topics, or without payload. */
export function retainedMessage(publisher: string, sequence: number, size: number): PublishedMessage {
  const { payload } = streamMessage(publisher, sequence, size);
  const topicName = `kept/${publisher}/${sequence % TOPICS}`;
  return { topicName, payload: isClear(sequence) ? Buffer.alloc(0) : payload, retain: true };
}

/** isClear tells whether retainedMessage clears. */
export function isClear(sequence: number): boolean {
  return sequence % CLEAR_EVERY === 0;
}

/** readNumbered gives publisher and sequence of a payload; null for an empty one. */
export function readNumbered(payload: Buffer): { publisher: string; sequence: number } | null {
  const [publisher, sequence] = payload.toString('latin1', 0, 60).split(' ');
  return payload.length === 0 || publisher === undefined ? null : { publisher, sequence: Number(sequence) };
}

/** staleTopics names the topics on which what was found is older than what was acknowledged, or was never sent. `found` has the values by topic. */
export function staleTopics(publisher: string, found: ReadonlyMap<string, Buffer>, acknowledged: number, sent: number): string[] {
  const stale: string[] = [];
  for (let place = 0; place < TOPICS; place++) {
    const topicName = `kept/${publisher}/${place}`;
    const least = acknowledged - ((((acknowledged - place) % TOPICS) + TOPICS) % TOPICS); // the last acknowledged one of this topic, 0 or less: none
    const value = readNumbered(found.get(topicName) ?? Buffer.alloc(0))?.sequence ?? null;
    if (!mayBe(value, least, sent)) stale.push(`${topicName}: ${value ?? 'nothing'}, acknowledged ${least}, sent ${sent}`);
  }
  return stale;
}

function mayBe(value: number | null, least: number, sent: number): boolean {
  if (value !== null) return value >= least && value <= sent && value % TOPICS === ((least % TOPICS) + TOPICS) % TOPICS;
  if (least <= 0) return true;
  for (let sequence = least; sequence <= sent; sequence += TOPICS) if (isClear(sequence)) return true;
  return false;
}
