// HTTP mode of OwnTracks: what a phone posts is published as its own message, and the answer is where its friends are.
// https://owntracks.org/booklet/tech/http
//
//   POST /pub  {"_type":"location", ...}  --> publish to owntracks/jane/phone, by the rules of jane/phone
//              [{"_type":"location","tid":"JO", ...}, {"_type":"card", ...}]   <-- of those whom the rules let it read

import { createHash } from 'node:crypto';
import { jsonObject, MOST_MESSAGE_BYTES } from '../phones/owntracks-message.ts';
import { topicOf } from '../phones/phone.ts';
import type { Whereabout } from '../phones/whereabouts.ts';
import { detailsIn } from './location-shapes.ts';
import { mayReadAs } from './location-sight.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, OperationFailure } from './operation.ts';
import { publish } from './publish.ts';
import { ownTracksFields } from './recorder.ts';

/** Where the app would publish a message of a type, below its topic, and whether to be kept there. */
const PLACES: Readonly<Record<string, { readonly end: string; readonly retain: boolean }>> = {
  location: { end: '', retain: true },
  encrypted: { end: '', retain: true },
  lwt: { end: '', retain: false },
  transition: { end: '/event', retain: false },
  card: { end: '/info', retain: true },
  waypoint: { end: '/waypoint', retain: false },
  waypoints: { end: '/waypoints', retain: false },
  beacon: { end: '/beacon', retain: false },
  steps: { end: '/step', retain: false },
  status: { end: '/status', retain: false },
  configuration: { end: '/dump', retain: false },
  dump: { end: '/dump', retain: false },
  request: { end: '/request', retain: false },
};

/** Posts of an account by which a repetition is known: the app posts again when it has not seen the answer. */
const REMEMBERED = 32;

/** Accounts whose posts are remembered. */
const MOST_ACCOUNTS = 1000;

/** A picture goes over mobile data: it is told again after so much time, or when it is another one. */
const CARD_AGAIN_MS = 6 * 3_600_000;

/** Post is a message that a phone brings; `u` and `d` are what it calls itself, null = it does not say. */
export interface Post {
  readonly username: string;
  readonly listener: string;
  readonly u: string | null;
  readonly d: string | null;
  readonly body: Uint8Array;
}

interface Remembered {
  readonly posts: string[];
  /** By topic: the digest of the card that was told, and when. */
  readonly cards: Map<string, { readonly digest: string; readonly at: number }>;
}

/** OwnTracksPosts takes posts whose sender has signed in. */
export class OwnTracksPosts {
  readonly #accounts = new Map<string, Remembered>();

  /** take publishes a post, unless it was there already, and gives the answer. Throws OperationFailure where it can't be published. */
  async take(needs: OperationNeeds, post: Post): Promise<readonly object[]> {
    const base = baseOf(needs, post);
    const remembered = this.#remembered(post.username);
    if (post.body.length > 0) await this.#publish(needs, post, base, remembered); // the app posts nothing when a friend is removed from it
    return friendsOf(needs, post, base, remembered);
  }

  async #publish(needs: OperationNeeds, { username, listener, body }: Post, base: string, { posts }: Remembered): Promise<void> {
    if (body.length > MOST_MESSAGE_BYTES) throw badInput('', `Cannot publish ${body.length} bytes: ${MOST_MESSAGE_BYTES} are allowed`);
    const fields = jsonObject(body);
    const type = fields?.['_type'];
    if (fields === null || typeof type !== 'string') throw badInput('_type', 'Cannot publish this: it is no message of OwnTracks');
    const digest = digestOf(body);
    if (posts.includes(digest)) return;
    const { end, retain } = placeOf(fields, type, base);
    const input = { topic: base + end, payload: Buffer.from(body).toString('utf8'), encoding: 'utf8', qos: 1, retain, listener } as const;
    await publish(needs, input, { name: username, right: 'operator', username });
    posts.push(digest);
    if (posts.length > REMEMBERED) posts.shift();
  }

  #remembered(username: string): Remembered {
    const known = this.#accounts.get(username) ?? { posts: [], cards: new Map() };
    this.#accounts.delete(username);
    this.#accounts.set(username, known); // the latest at the end
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size > MOST_ACCOUNTS && oldest !== undefined) this.#accounts.delete(oldest);
    return known;
  }
}

/** A phone that was set up here has its topic, whether its app calls it by its account or by its person; others are called as they say. */
function baseOf({ phones }: OperationNeeds, { username, u, d }: Post): string {
  const phone = phones?.book.find(username) ?? null;
  if (phone !== null && (u === null || u === username || u === phone.person) && (d === null || d === phone.device)) return topicOf(phone);
  const [person, device] = [u ?? username, d ?? 'phone'];
  for (const [field, value] of [
    ['u', person],
    ['d', device],
  ] as const)
    if (value === '' || /[/+#\u0000]/.test(value))
      throw badInput(field, `Cannot publish as "${person}", "${device}": it is no level of a topic`);
  return `owntracks/${person}/${device}`;
}

/** The app says where it would publish, since what is encrypted may be of any type. */
function placeOf(
  fields: Readonly<Record<string, unknown>>,
  type: string,
  base: string,
): { readonly end: string; readonly retain: boolean } {
  const place = PLACES[type];
  if (place === undefined)
    throw new OperationFailure('bad input', `Cannot publish a message of type "${type.slice(0, 40)}": a phone does not send it`);
  const { topic } = fields;
  if (type !== 'encrypted' || typeof topic !== 'string' || !topic.startsWith(`${base}/`)) return place;
  const said = Object.values(PLACES).find(({ end }) => topic === base + end);
  return said ?? place;
}

/** Each has a `tid`: the app knows it by this. */
function friendsOf(needs: OperationNeeds, post: Post, base: string, { cards }: Remembered): readonly object[] {
  const mayRead = mayReadAs(needs, post);
  const now = needs.broker.clock.now();
  const friends = needs.locations?.live.list().filter(({ topic }) => topic !== base && mayRead(topic)) ?? [];
  return friends.flatMap((friend) => {
    const { topic, last, card } = friend;
    const tid = last?.tid ?? topic.slice(-2);
    const answer: object[] = [];
    if (card !== null && mayRead(`${topic}/info`)) {
      const digest = digestOf(JSON.stringify(card));
      const told = cards.get(topic);
      if (told === undefined || told.digest !== digest || now - told.at >= CARD_AGAIN_MS) {
        cards.set(topic, { digest, at: now });
        answer.push({ _type: 'card', tid, ...withoutNull({ name: card.name, face: card.face }), topic: `${topic}/info` });
      }
    }
    if (last !== null) answer.push(locationOf(friend, tid));
    return answer;
  });
}

function locationOf({ topic, last }: Whereabout, tid: string): object {
  if (last === null || last.kind === 'encrypted')
    return { _type: 'encrypted', data: last === null ? null : detailsIn(last)['data'], topic };
  return { ...ownTracksFields(last), tid, topic };
}

function withoutNull(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64');
}
