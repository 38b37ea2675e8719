// What to answer a question. The package's own answering knows no known answers, no legacy queries and no negative answers.

import { type MdnsRecord, sameName, srvDataOf } from './records.ts';

/** Packet is a DNS message as multicast-dns gives and takes it. */
export interface Packet {
  readonly id?: number;
  readonly type?: 'query' | 'response';
  readonly questions?: readonly Question[];
  readonly answers?: readonly MdnsRecord[];
  readonly authorities?: readonly MdnsRecord[];
  readonly additionals?: readonly MdnsRecord[];
}

export interface Question {
  readonly name: string;
  readonly type: string;
}

/** Answer is one response in the making. */
export interface Answer {
  readonly answers: readonly MdnsRecord[];
  readonly additionals: readonly MdnsRecord[];
}

/** Seconds; how long a resolver that knows nothing of multicast may keep an answer (RFC 6762 6.7). */
const LEGACY_TTL = 10;

/** answerTo answers one question out of `records`, without what the asker knows already (RFC 6762 7.1); null = nothing to say. */
export function answerTo(question: Question, known: readonly MdnsRecord[], records: readonly MdnsRecord[]): Answer | null {
  const named = records.filter((record) => sameName(record.name, question.name));
  const matching = named.filter((record) => record.type === question.type || (question.type === 'ANY' && record.type !== 'NSEC'));
  const isAddress = question.type === 'A' || question.type === 'AAAA';
  const candidates = matching.length === 0 && isAddress ? named.filter((record) => record.type === 'NSEC') : matching;
  const answers = candidates.filter((record) => !isKnown(record, known));
  if (answers.length === 0) return null;
  return { answers, additionals: additionalsOf(answers, records) };
}

/** additionalsOf gives what the asker would ask next (RFC 6763 12): for a PTR its SRV and TXT, for an SRV the addresses, for an address the other family. */
export function additionalsOf(answers: readonly MdnsRecord[], records: readonly MdnsRecord[]): MdnsRecord[] {
  const chosen = new Set<MdnsRecord>();
  const instances = answers.filter((answer) => answer.type === 'PTR').map((answer) => String(answer.data));
  for (const record of records) {
    const belongs = record.type === 'SRV' || record.type === 'TXT';
    if (belongs && instances.some((instance) => sameName(instance, record.name))) chosen.add(record);
  }
  const hosts = [...answers, ...chosen].flatMap(hostsOf);
  for (const record of records) {
    const belongs = record.type === 'A' || record.type === 'AAAA' || record.type === 'NSEC';
    if (belongs && hosts.some((host) => sameName(host, record.name))) chosen.add(record);
  }
  return [...chosen].filter((record) => !answers.includes(record));
}

/** legacyAnswer makes a response to a resolver that asked from another port than 5353 (RFC 6762 6.7): its id and question repeated, short TTL, no cache-flush bit. */
export function legacyAnswer(query: Packet, question: Question, answer: Answer): Packet {
  const plain = (record: MdnsRecord) => ({ ...record, ttl: Math.min(record.ttl, LEGACY_TTL), flush: false });
  return {
    type: 'response',
    id: query.id ?? 0,
    questions: [{ name: question.name, type: question.type }],
    answers: answer.answers.map(plain),
    additionals: answer.additionals.filter((record) => record.type !== 'NSEC').map(plain),
  };
}

function hostsOf(record: MdnsRecord): string[] {
  if (record.type === 'A' || record.type === 'AAAA') return [record.name];
  const srv = srvDataOf(record);
  return srv === null ? [] : [srv.target];
}

// Only PTR records are worth it; a known answer counts while at least half of its life is left.
function isKnown(record: MdnsRecord, known: readonly MdnsRecord[]): boolean {
  if (record.type !== 'PTR') return false;
  return known.some(
    (other) =>
      other.type === 'PTR' &&
      other.ttl * 2 >= record.ttl &&
      sameName(other.name, record.name) &&
      sameName(String(other.data), String(record.data)),
  );
}
