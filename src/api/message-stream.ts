// Messages as they pass, as events: all of them, or a sample that costs the same however many there are.

import { isSharedFilter, isTopicFilter } from '../mqtt/topics.ts';
import type { EventSource } from './event-stream.ts';
import type { ApiSetup, StreamedMessage, WantedFeed } from './ports.ts';
import { Problem } from './problems.ts';

const MOST_FILTERS = 32;

/** MOST_SAMPLED is the greatest rate of a sample, in events per second. */
export const MOST_SAMPLED = 1000;

/** Events of a sample go out so often. */
const TICK_MS = 250;

/** Send writes an event. */
type Send = Parameters<EventSource['open']>[0];

/** MessageSource is where messages come from. */
type MessageSource = Pick<ApiSetup, 'messages' | 'isRetained'>;

/** WantedMessages are what the query of a stream says: `topic` once or more, and `sample`. */
export interface WantedMessages {
  readonly filters: readonly string[];
  /** Events per second at most; null = every message is one. */
  readonly sample: number | null;
}

/** wantedMessages reads a query. Throws Problem 422. */
export function wantedMessages(filters: readonly string[], sample: string | undefined): WantedMessages {
  const fields = [...filterProblems(filters), ...sampleProblems(sample)];
  if (fields.length > 0) throw new Problem(422, 'The input does not fit', { fields });
  return { filters, sample: sample === undefined ? null : Number(sample) };
}

/** openMessages sends them to an asker until the function that it gives is called. */
export function openMessages(broker: MessageSource, { sample, ...wanted }: WantedMessages & WantedFeed, send: Send): () => void {
  const sendMessage = (message: StreamedMessage) => send('message', describeMessage(message, broker));
  if (sample === null) return broker.messages(wanted, sendMessage);
  const sampling = new Sampling(sample, sendMessage, (count) => send('missed', { count }));
  const end = broker.messages(wanted, (message) => sampling.take(message));
  return () => {
    end();
    sampling.end();
  };
}

/**
 * Sampling sends every message while there is room. When there is none left, it goes on with the latest message of each topic, of so many topics
 * as there is room for, and tells how many messages to other topics there were.
 */
class Sampling {
  readonly #most: number;
  readonly #send: (message: StreamedMessage) => void;
  readonly #tellMissed: (count: number) => void;
  /** All of a topic, or its latest where it is crowded. */
  readonly #taken = new Map<string, StreamedMessage[]>();
  #isCrowded = false;
  #count = 0;
  readonly #timer: NodeJS.Timeout;
  #missed = 0;

  constructor(perSecond: number, send: (message: StreamedMessage) => void, tellMissed: (count: number) => void) {
    this.#most = Math.ceil((perSecond * TICK_MS) / 1000);
    this.#send = send;
    this.#tellMissed = tellMissed;
    this.#timer = setInterval(() => this.#flush(), TICK_MS).unref();
  }

  /** Most messages of a busy broker end in the second line: their payload is not looked at. */
  take(message: StreamedMessage): void {
    if (!this.#isCrowded && this.#count >= this.#most) this.#crowd();
    const known = this.#taken.get(message.topic);
    if (known === undefined && this.#count >= this.#most) return void this.#missed++;
    if (known !== undefined && this.#isCrowded) known[0] = copyOf(message);
    else {
      this.#count++;
      if (known === undefined) this.#taken.set(message.topic, [copyOf(message)]);
      else known.push(copyOf(message));
    }
  }

  #crowd(): void {
    this.#isCrowded = true;
    for (const messages of this.#taken.values()) messages.splice(0, messages.length - 1);
    this.#count = this.#taken.size;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #flush(): void {
    for (const messages of this.#taken.values()) messages.forEach(this.#send);
    this.#taken.clear();
    this.#isCrowded = false;
    this.#count = 0;
    if (this.#missed > 0) this.#tellMissed(this.#missed);
    this.#missed = 0;
  }
}

/** The bytes belong to the socket that they came from, and only until the call ends. */
function copyOf({ topic, payload, qos, retain }: StreamedMessage): StreamedMessage {
  return { topic, payload: Buffer.from(payload), qos, retain };
}

function filterProblems(filters: readonly string[]) {
  const problem = (detail: string) => [{ field: 'topic', detail }];
  if (filters.length === 0) return problem('Say which: topic=home/%23');
  if (filters.length > MOST_FILTERS) return problem(`There may be ${MOST_FILTERS} at most`);
  const bad = filters.find((filter) => !isTopicFilter(filter) || isSharedFilter(filter));
  return bad === undefined ? [] : problem(`${JSON.stringify(bad)} is no topic filter`);
}

function sampleProblems(sample: string | undefined) {
  if (sample === undefined || (/^\d{1,4}$/.test(sample) && Number(sample) >= 1 && Number(sample) <= MOST_SAMPLED)) return [];
  return [{ field: 'sample', detail: `must be a number from 1 to ${MOST_SAMPLED}` }];
}

/** `retained` tells what the message alone does not: whether the topic has a retained one beside it. */
function describeMessage({ topic, payload, qos, retain }: StreamedMessage, broker: MessageSource) {
  const text = payload.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(payload);
  const retained = retain ? payload.length > 0 : broker.isRetained(topic);
  return { topic, qos, retain, retained, payload: isText ? text : payload.toString('base64'), encoding: isText ? 'utf8' : 'base64' };
}
