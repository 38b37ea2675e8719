// The mDNS responder: claims names by probing, announces them, answers questions, and notices when somebody else has them.
//
//            claim()                    nobody objects
//   silent ----------> claiming (3 probes) ----------> announced --withdraw()--> silent
//                          | taken, tie                    | conflict, the local responder went
//                          v                               v
//                     verdict to the caller           onUpset(): the caller claims again

import type { BlockList } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { type Answer, additionalsOf, answerTo, legacyAnswer, type Packet, type Question } from './answer.ts';
import { isForeignHost, isForeignService, namesHost, type Publication } from './conflict.ts';
import { Link, type LinkEvents, MDNS_PORT, type Sender } from './link.ts';
import { addressSet, hasAddress, type LinkPlan } from './link-plan.ts';
import { addressRecords, goodbyeOf, identityOf, type MdnsRecord, sameName } from './records.ts';

/** Verdict of a claim: 'tie' = somebody else claims one of the names at this moment; 'not sent' = no link took a packet. */
export type Verdict = 'claimed' | 'instance taken' | 'host taken' | 'tie' | 'not sent';

/** RFC 6762 8.1: three probes, 250 ms apart, after a random wait of up to 250 ms. */
const PROBES = 3;
const PROBE_INTERVAL = 250;
/** The wait is never zero: the echo of what was sent before the claim has to be over. */
const LEAST_WAIT = 50;
/** RFC 6762 8.3 wants a second announcement after a second; the third is for lossy radio. Milliseconds after the first. */
const REPEATS = [1000, 3000];
/** RFC 6762 6: shared records are answered after 20-120 ms, so that several responders do not answer at once. */
const SHARED_DELAY = [20, 120] as const;
/** RFC 6762 6: the same record is not multicast twice within a second. */
const REPEAT_GUARD = 1000;
/** But a probe, which decides over a name, is answered after a quarter of that. */
const PROBE_GUARD = 250;
/** Questions of one packet that are looked at: browsers ask a dozen. */
const MAX_QUESTIONS = 50;
/** Answers to resolvers that know nothing of multicast, all together. */
const LEGACY_PER_SECOND = 20;
/** After our own probes their echo is not yet taken for those of another program on this machine. */
const ECHO_GUARD = 2000;
/** How often a host name that another program of this machine answers for is looked up, and after which silence it is ours again. */
const HELD_LOOKUP = 60_000;
const HELD_SILENCE = 75_000;

/** Responder speaks for one publication on several links. */
export class Responder {
  readonly #clock: Clock;
  readonly #onUpset: () => void;
  readonly #events: LinkEvents;
  #links: Link[];
  #phase: 'silent' | 'claiming' | 'announced';
  #publication: Publication;
  #verdict: Verdict | null;
  /** Addresses that another responder of this machine (avahi, systemd-resolved) gives for our host name; null = we answer for it. */
  #held: Set<string> | null;
  #heldHeardAt: number;
  #claimedAt: number;
  #timers: Set<NodeJS.Timeout>;
  #sentAt: Map<string, number>;
  /** The second in which legacy answers are counted, by its begin. */
  #legacySince: number;
  #legacyCount: number;

  constructor(ports: { readonly clock: Clock; readonly onUpset: () => void }) {
    this.#clock = ports.clock;
    this.#onUpset = ports.onUpset;
    this.#events = {
      query: (packet, sender, link) => this.#onQuery(packet, sender, link),
      response: (packet, sender) => this.#onResponse(packet, sender),
    };
    this.#links = [];
    this.#phase = 'silent';
    this.#publication = { host: '', services: [] };
    this.#verdict = null;
    this.#held = null;
    this.#heldHeardAt = 0;
    this.#claimedAt = 0;
    this.#timers = new Set();
    this.#sentAt = new Map();
    this.#legacySince = Number.NEGATIVE_INFINITY;
    this.#legacyCount = 0;
  }

  /** open makes the links those of `plans`; unchanged ones stay open. Gives the reasons of what could not be opened; called again, it tries that again. */
  async open(plans: readonly LinkPlan[]): Promise<string[]> {
    const wanted = new Map(plans.map((plan) => [JSON.stringify(plan), plan]));
    const kept = this.#links.filter((link) => wanted.delete(JSON.stringify(link.plan)));
    await Promise.all(this.#links.filter((link) => !kept.includes(link)).map((link) => link.close()));
    this.#links = [...kept, ...[...wanted.values()].map((plan) => new Link(plan, this.#events))];
    await Promise.all(this.#links.map((link) => link.open()));
    return this.#links.flatMap((link) => link.troubles);
  }

  /** links names what is open, for people: `eth0 (IPv4, IPv6)`. */
  get links(): string[] {
    const open = this.#links.filter((link) => link.families.length > 0);
    return open.map((link) => `${link.plan.interfaceName} (${link.families.map((family) => `IPv${family}`).join(', ')})`);
  }

  /** claim probes for all names of the publication and announces it when nobody objects. Services of the former publication that are not in the new one are withdrawn. Rejects with AbortError when `signal` stops it. */
  async claim(publication: Publication, signal: AbortSignal): Promise<Verdict> {
    await this.#withdrawMissing(publication);
    this.#silence();
    this.#publication = publication;
    await pause(LEAST_WAIT + Math.random() * (PROBE_INTERVAL - LEAST_WAIT), undefined, { signal, ref: false });
    this.#phase = 'claiming';
    for (let probe = 0; probe < PROBES && this.#verdict === null; probe++) {
      await this.#probe();
      await pause(PROBE_INTERVAL, undefined, { signal, ref: false });
    }
    if (this.#verdict !== null) {
      this.#phase = 'silent';
      return this.#verdict;
    }
    this.#phase = 'announced';
    this.#claimedAt = this.#clock.monotonic();
    if (!(await this.#announce())) {
      this.#silence();
      return 'not sent';
    }
    for (const delay of REPEATS) this.#later(delay, () => this.#announce());
    return 'claimed';
  }

  /** lookAfter is called every few seconds: it takes the host name back from a local responder that is gone. */
  async lookAfter(): Promise<void> {
    if (this.#phase !== 'announced' || this.#held === null) return;
    const silence = this.#clock.monotonic() - this.#heldHeardAt;
    if (silence > HELD_SILENCE) this.#onUpset();
    if (silence < HELD_LOOKUP || silence > HELD_SILENCE) return;
    const name = this.#publication.host;
    await this.#multicast(() => ({
      type: 'query',
      questions: [
        { name, type: 'A' },
        { name, type: 'AAAA' },
      ],
    }));
  }

  /** withdraw says goodbye to everything announced (RFC 6762 10.1). */
  async withdraw(): Promise<void> {
    const wasAnnounced = this.#phase === 'announced';
    const services = wasAnnounced ? this.#publication.services : [];
    const held = this.#held !== null;
    this.#silence();
    await Promise.all(
      this.#links.flatMap((link) => [
        ...services.map((records) => link.send({ type: 'response', answers: goodbyeOf(records) })),
        ...(wasAnnounced && !held ? [link.send({ type: 'response', answers: goodbyeOf(this.#ownAddresses(link)) })] : []),
      ]),
    );
  }

  async close(): Promise<void> {
    this.#silence();
    await Promise.all(this.#links.map((link) => link.close()));
    this.#links = [];
  }

  #silence(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#phase = 'silent';
    this.#verdict = null;
    this.#held = null;
    this.#sentAt.clear();
  }

  async #withdrawMissing(next: Publication): Promise<void> {
    if (this.#phase !== 'announced') return;
    const staying = new Set(next.services.flat().map(identityOf));
    const gone = this.#publication.services.flat().filter((record) => record.type === 'PTR' && !staying.has(identityOf(record)));
    if (gone.length > 0) await this.#multicast(() => ({ type: 'response', answers: goodbyeOf(gone) }));
  }

  // RFC 6762 8.2: the records wanted stand in the authority section, for the others to see.
  async #probe(): Promise<void> {
    for (const records of this.#publication.services) {
      const authorities = records.filter((record) => record.type === 'SRV' || record.type === 'TXT').map(withoutFlush);
      const name = authorities[0]?.name ?? '';
      await this.#multicast(() => ({ type: 'query', questions: [{ name, type: 'ANY' }], authorities }));
    }
    await this.#multicast((link) => ({
      type: 'query',
      questions: [{ name: this.#publication.host, type: 'ANY' }],
      authorities: this.#ownAddresses(link)
        .filter((record) => record.type !== 'NSEC')
        .map(withoutFlush),
    }));
  }

  async #announce(): Promise<boolean> {
    let sent = false;
    for (const records of this.#publication.services) {
      const answerOn = (link: Link) => ({ answers: records, additionals: additionalsOf(records, this.#recordsOf(link)) });
      sent = (await this.#multicast((link) => this.#noted(answerOn(link), link))) || sent;
    }
    if (this.#held === null) await this.#multicast((link) => this.#noted({ answers: this.#ownAddresses(link), additionals: [] }, link));
    return sent;
  }

  async #multicast(packetFor: (link: Link) => Packet): Promise<boolean> {
    const sent = await Promise.all(this.#links.map((link) => link.send(packetFor(link))));
    return sent.includes(true);
  }

  #ownAddresses(link: Link): MdnsRecord[] {
    return addressRecords(this.#publication.host, link.plan.announced);
  }

  // While a local responder holds the host name, its own words are repeated as a courtesy to browsers that want addresses beside the SRV, but
  // without the cache-flush bit, which is for the owner of a name (RFC 6762 10.2).
  #recordsOf(link: Link): MdnsRecord[] {
    const held = this.#held;
    const addresses = this.#ownAddresses(link);
    if (held === null) return [...this.#publication.services.flat(), ...addresses];
    const heard = addressSet(held);
    const repeated = addresses.filter((record) => hasAddress(heard, String(record.data))).map(withoutFlush);
    return [...this.#publication.services.flat(), ...repeated];
  }

  #onQuery(packet: Packet, sender: Sender, link: Link): void {
    if (this.#phase === 'claiming') this.#onRivalProbe(packet, sender);
    if (this.#phase !== 'announced') return;
    this.#yieldToLocalProbe(packet, sender);
    const records = this.#recordsOf(link);
    const told = new Set<MdnsRecord>(); // one query draws each record once, however often it is asked for
    for (const question of (packet.questions ?? []).slice(0, MAX_QUESTIONS)) {
      if (this.#held !== null && sameName(question.name, this.#publication.host)) continue;
      const answer = answerTo(question, packet.answers ?? [], records);
      if (answer === null) continue;
      if (sender.port !== MDNS_PORT) return this.#answerLegacy(packet, question, answer, sender, link);
      const isNew = (record: MdnsRecord) => !told.has(record);
      const news = { answers: answer.answers.filter(isNew), additionals: answer.additionals.filter(isNew) };
      for (const record of [...news.answers, ...news.additionals]) told.add(record);
      this.#answer(link, news, (packet.authorities?.length ?? 0) > 0);
    }
  }

  /** Such a resolver asks one question. Anybody can write another's address into a packet: the answers to all of them have a limit. */
  #answerLegacy(packet: Packet, question: Question, answer: Answer, sender: Sender, link: Link): void {
    const now = this.#clock.monotonic();
    if (now - this.#legacySince >= 1000) {
      this.#legacySince = now;
      this.#legacyCount = 0;
    }
    if (++this.#legacyCount <= LEGACY_PER_SECOND) void link.send(legacyAnswer(packet, question, answer), sender);
  }

  // A question that allows a unicast answer (RFC 6762 5.4) gets a multicast one all the same: with two programs on port 5353 of the asking
  // machine a unicast packet reaches only one of them.
  #answer(link: Link, answer: Answer, isProbe: boolean): void {
    const now = this.#clock.monotonic();
    const guard = isProbe ? PROBE_GUARD : REPEAT_GUARD;
    const isFresh = (record: MdnsRecord) => now - (this.#sentAt.get(link.plan.interfaceName + identityOf(record)) ?? -Infinity) > guard;
    const answers = answer.answers.filter(isFresh);
    if (answers.length === 0) return;
    const [least, most] = SHARED_DELAY;
    const isShared = answers.some((record) => !record.flush);
    const packet = this.#noted({ answers, additionals: answer.additionals }, link);
    if (isShared && !isProbe) this.#later(least + Math.random() * (most - least), () => link.send(packet));
    else void link.send(packet);
  }

  #noted(answer: Answer, link: Link): Packet {
    const now = this.#clock.monotonic();
    for (const record of answer.answers) this.#sentAt.set(link.plan.interfaceName + identityOf(record), now);
    return { type: 'response', ...answer };
  }

  // RFC 6762 8.2 lets the lexicographically later records win. We always take the place of the loser, who waits and probes again: it finds
  // either a winner that answers, or a free name.
  #onRivalProbe(packet: Packet, sender: Sender): void {
    const own = this.#ownMachine();
    for (const record of packet.authorities ?? []) {
      if (isForeignService(record, this.#publication) || isForeignHost(record, sender, this.#publication, own)) this.#verdict ??= 'tie';
    }
  }

  // A program of this machine that probes for our host name, with avahi's records, is a responder that starts after us. Both of us would say
  // the same, but it would rename the host if we said anything more: so it gets the name (RFC 6762 15).
  #yieldToLocalProbe(packet: Packet, sender: Sender): void {
    const now = this.#clock.monotonic();
    if (this.#held !== null || now - this.#claimedAt < ECHO_GUARD || !hasAddress(this.#ownMachine(), sender.address)) return;
    if (!(packet.authorities ?? []).some((record) => namesHost(record, this.#publication))) return;
    this.#held = new Set();
    this.#heldHeardAt = now;
  }

  #onResponse(packet: Packet, sender: Sender): void {
    if (this.#phase === 'silent') return;
    const own = this.#ownMachine();
    for (const record of [...(packet.answers ?? []), ...(packet.additionals ?? [])]) {
      if (namesHost(record, this.#publication) && hasAddress(own, sender.address)) this.#onLocalAddress(record);
      else if (record.ttl === 0) continue;
      else if (isForeignService(record, this.#publication)) this.#conflict('instance taken');
      else if (isForeignHost(record, sender, this.#publication, own)) this.#conflict('host taken');
    }
  }

  // RFC 6762 9: who has announced a name and sees a conflict goes back to probing, and finds out there who keeps it.
  #conflict(verdict: Verdict): void {
    if (this.#phase === 'announced') this.#onUpset();
    else this.#verdict ??= verdict;
  }

  #onLocalAddress(record: MdnsRecord): void {
    if (this.#phase === 'announced' && this.#held === null) return; // our own echo
    if (record.ttl === 0) {
      if (this.#phase === 'announced') this.#onUpset();
      return;
    }
    this.#held ??= new Set();
    this.#held.add(String(record.data));
    this.#heldHeardAt = this.#clock.monotonic();
  }

  /** Every address of this machine on its links. */
  #ownMachine(): BlockList {
    return addressSet(this.#links.flatMap((link) => link.plan.own));
  }

  #later(delay: number, act: () => Promise<unknown>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void act();
    }, delay);
    timer.unref();
    this.#timers.add(timer);
  }
}

function withoutFlush(record: MdnsRecord): MdnsRecord {
  return { ...record, flush: false };
}
