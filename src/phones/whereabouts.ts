// Where phones are, as far as their messages tell: the latest of each. Lives in memory; what is kept of the past is for others to keep.
//
//   owntracks/jane/phone           location, encrypted, transition in HTTP mode
//                       /event     transition
//                       /info      card
//                       /waypoint  /waypoints

import type { LocationRecord } from '../base/location-record.ts';
import { type Card, jsonObject, type MessageClock, MOST_WAYPOINTS, readOwnTracks, type Waypoint } from './owntracks-message.ts';
import type { PhoneName } from './phone.ts';

/** WATCHED_TOPICS are the filters whose messages are taken. */
export const WATCHED_TOPICS = ['', '/event', '/info', '/waypoint', '/waypoints'].map((end) => `owntracks/+/+${end}`);

/** Phones at once; who may write below owntracks/ can think of any number. */
const MOST_PHONES = 1000;
/** Characters of all pictures together. */
const MOST_FACES = 16_777_216;
const MOST_APART_MS = 60_000;

/** Whereabout is what is known about one phone. */
export interface Whereabout extends PhoneName {
  readonly topic: string;
  /** Of kind location or encrypted; null = none has come. */
  readonly last: LocationRecord | null;
  readonly transition: LocationRecord | null;
  readonly card: Card | null;
  readonly waypoints: readonly Waypoint[];
}

/** Change is told of each message that has changed something. `record` null = a card, waypoints, or a phone that is forgotten. */
export interface WhereaboutChange {
  readonly phone: Whereabout;
  readonly record: LocationRecord | null;
}

/** Whereabouts is told all messages of WATCHED_TOPICS. */
export class Whereabouts {
  readonly #phones = new Map<string, Whereabout>();
  readonly #listeners = new Set<(change: WhereaboutChange) => void>();

  /** list gives them in the order of their topics. */
  list(): readonly Whereabout[] {
    return [...this.#phones.values()].sort((one, other) => (one.topic < other.topic ? -1 : 1));
  }

  find(topic: string): Whereabout | null {
    return this.#phones.get(topic) ?? null;
  }

  /** onChange calls the listener after each change; the function it gives ends that. */
  onChange(listener: (change: WhereaboutChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** take reads a message, and gives the record in it; null = it has none. A retained message that is deleted takes what it said with it. */
  take(topicName: string, payload: Uint8Array, clock: MessageClock): LocationRecord | null {
    const name = phoneIn(topicName);
    if (name === null) return null;
    if (payload.length === 0) {
      this.#unsay(name.topic, name.end);
      return null;
    }
    const fields = jsonObject(payload);
    const message = fields === null ? null : readOwnTracks(fields, clock);
    if (message === null || message.type === 'other') return null;
    const { topic, person, device } = name;
    if (message.type === 'record') {
      const record = this.#apart({ topic, ...message.record });
      this.recall(record);
      return record;
    }
    const phone = this.#phones.get(topic) ?? unknown(topic, { person, device });
    if (message.type === 'card') this.#put({ ...phone, card: this.#withinRoom(phone, message.card) });
    else this.#put({ ...phone, waypoints: withWaypoints(phone.waypoints, message.waypoints) });
    return null;
  }

  /** takeRetained reads a message that came before the start, at a time that is not known: an encrypted one says nothing then. */
  takeRetained(topicName: string, payload: Uint8Array, clock: MessageClock): void {
    const fields = jsonObject(payload);
    if (fields?.['_type'] === 'encrypted') return;
    this.take(topicName, payload, clock);
  }

  /** recall takes a record that may be older than what is known. */
  recall(record: LocationRecord): void {
    const name = phoneIn(record.topic);
    if (name === null) return;
    const phone = this.#phones.get(record.topic) ?? unknown(record.topic, name);
    const field = record.kind === 'transition' ? 'transition' : 'last';
    const known = phone[field];
    this.#put(known !== null && known.at > record.at ? phone : { ...phone, [field]: record }, record);
  }

  /** forget lets go what is known of a phone from one time to another, in milliseconds since 1970. */
  forget(topic: string, from: number, to: number): void {
    const phone = this.#phones.get(topic);
    if (phone === undefined) return;
    const isGone = (record: LocationRecord | null) => record !== null && record.at >= from && record.at <= to;
    this.#putOrDrop({
      ...phone,
      last: isGone(phone.last) ? null : phone.last,
      transition: isGone(phone.transition) ? null : phone.transition,
    });
  }

  /** Encrypted messages have the time at which they came, and some may come at once. */
  #apart(record: LocationRecord): LocationRecord {
    const last = this.#phones.get(record.topic)?.last ?? null;
    const isAtOnce =
      record.kind === 'encrypted' && last?.kind === 'encrypted' && last.at >= record.at && last.at - record.at < MOST_APART_MS;
    return isAtOnce ? { ...record, at: last.at + 1 } : record;
  }

  /** drop forgets all that is known of a phone. */
  drop(topic: string): void {
    const phone = this.#phones.get(topic);
    if (phone === undefined) return;
    this.#phones.delete(topic);
    this.#tell({ phone: unknown(topic, phone), record: null });
  }

  /** A card loses its picture where the others take all the room. */
  #withinRoom({ topic }: Whereabout, card: Card): Card {
    let room = MOST_FACES - (card.face?.length ?? 0);
    for (const phone of this.#phones.values()) if (phone.topic !== topic) room -= phone.card?.face?.length ?? 0;
    return room < 0 ? { ...card, face: null } : card;
  }

  #unsay(topic: string, end: string): void {
    const phone = this.#phones.get(topic);
    if (phone === undefined) return;
    if (end === '') this.#putOrDrop({ ...phone, last: null, transition: null });
    else if (end === 'info') this.#putOrDrop({ ...phone, card: null });
  }

  #putOrDrop(phone: Whereabout): void {
    if (phone.last !== null || phone.transition !== null || phone.card !== null) return this.#put(phone);
    this.drop(phone.topic);
  }

  #put(phone: Whereabout, record: LocationRecord | null = null): void {
    if (!this.#phones.has(phone.topic) && this.#phones.size >= MOST_PHONES) return;
    this.#phones.set(phone.topic, phone);
    this.#tell({ phone, record });
  }

  #tell(change: WhereaboutChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** phoneIn reads the topic of a message; null = it is none of a phone. */
export function phoneIn(topicName: string): (PhoneName & { readonly topic: string; readonly end: string }) | null {
  const [root, person = '', device = '', end = '', more] = topicName.split('/');
  if (root !== 'owntracks' || person === '' || device === '' || more !== undefined) return null;
  return { person, device, end, topic: `owntracks/${person}/${device}` };
}

function unknown(topic: string, { person, device }: PhoneName): Whereabout {
  return { topic, person, device, last: null, transition: null, card: null, waypoints: [] };
}

/** OwnTracks knows a waypoint by its time: a new one of the same takes its place. */
function withWaypoints(known: readonly Waypoint[], told: readonly Waypoint[]): readonly Waypoint[] {
  const times = new Set(told.map(({ tst }) => tst));
  return [...known.filter(({ tst }) => !times.has(tst)), ...told].slice(-MOST_WAYPOINTS);
}
