// Changes records of a zone at its name server: DNS UPDATE (RFC 2136) over TCP, signed with a shared key.

import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { decode, encode } from 'dns-packet';
import { encodeName, lastRecordAt } from './dns-wire.ts';
import type { DnsUpdateTarget } from './options.ts';
import { readTsigKey, sign, type TsigKey, verify } from './tsig.ts';

const OPCODE_UPDATE = 5 << 11;
const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;
const TYPE = { A: 1, SOA: 6, TXT: 16, AAAA: 28 } as const;
const TIMEOUT_MS = 15_000;
const RCODES: ReadonlyMap<number, string> = new Map([
  [1, 'it does not understand the request'],
  [2, 'it fails itself'],
  [4, 'it takes no updates'],
  [5, 'it refuses: allow the key to change this name'],
  [8, 'a record is there that should not be'],
  [9, 'it is not in charge of this zone'],
  [10, 'the name is not in its zone'],
]);

/** RecordChange is what becomes of the records of one name and type. */
export interface RecordChange {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'TXT';
  /** `set` leaves the value as the only one, `add` and `remove` leave others alone. */
  readonly action: 'set' | 'add' | 'remove';
  /** An address, or a text of at most 255 bytes. */
  readonly value: string;
  /** Seconds that others may keep it. */
  readonly ttl: number;
}

/** updateRecords makes the changes, all or none, in the zone of the first name. Rejects with the reason in words. */
export async function updateRecords(target: DnsUpdateTarget, changes: readonly RecordChange[], now = Date.now()): Promise<void> {
  const key = readTsigKey(target.keyFile);
  try {
    const zone = await findZone(target, changes[0]!.name); // at least one is
    await update(target, key, { zone, changes, now });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`name server ${target.host}: ${reason}`, { cause: error });
  }
}

/** The server says where its zone begins: in the answer, or beside it where the name has no SOA itself. */
async function findZone(target: DnsUpdateTarget, name: string): Promise<string> {
  const question = encode({ type: 'query', id: randomInt(65_536), flags: 0, questions: [{ type: 'SOA', name }] });
  const { answers = [], authorities = [] } = decode(await exchange(target, question));
  const zone = [...answers, ...authorities].find(({ type }) => type === 'SOA')?.name;
  if (zone === undefined) throw new Error(`it does not say which zone ${name} belongs to`);
  return zone;
}

async function update(
  target: DnsUpdateTarget,
  key: TsigKey,
  { zone, changes, now }: { zone: string; changes: readonly RecordChange[]; now: number },
): Promise<void> {
  const records = changes.flatMap(recordsOf);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(randomInt(65_536));
  header.writeUInt16BE(OPCODE_UPDATE, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 8);
  const question = Buffer.alloc(4);
  question.writeUInt16BE(TYPE.SOA);
  question.writeUInt16BE(CLASS.IN, 2);
  const request = sign(Buffer.concat([header, encodeName(zone), question, ...records]), key, now);
  const answer = await exchange(target, request.message);
  verify(answer, lastRecordAt(answer), request, key);
  const rcode = answer.readUInt16BE(2) & 0xf;
  if (rcode !== 0) throw new Error(RCODES.get(rcode) ?? `it answers with the error ${rcode}`);
}

/** RFC 2136 2.5. */
function recordsOf({ name, type, action, value, ttl }: RecordChange): Buffer[] {
  const bytes = valueBytes(type, value);
  if (action === 'remove') return [record(name, type, CLASS.NONE, 0, bytes)];
  const added = record(name, type, CLASS.IN, ttl, bytes);
  return action === 'add' ? [added] : [record(name, type, CLASS.ANY, 0, Buffer.alloc(0)), added];
}

function record(name: string, type: RecordChange['type'], klass: number, ttl: number, value: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(TYPE[type]);
  head.writeUInt16BE(klass, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(value.length, 8);
  return Buffer.concat([encodeName(name), head, value]);
}

/** dns-packet writes them behind two bytes of their length. */
function valueBytes(type: RecordChange['type'], value: string): Buffer {
  const answer = { type, name: '', data: value } as Parameters<typeof encode>[0]['answers'] extends (infer T)[] | undefined ? T : never;
  const message = encode({ type: 'response', answers: [answer] });
  return message.subarray(12 + 1 + 10);
}

/** exchange sends a message and gives the answer to it (RFC 1035 4.2.2). */
async function exchange({ host, port }: DnsUpdateTarget, message: Buffer): Promise<Buffer> {
  const socket = connect({ host, port });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('it does not answer')));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  socket.write(Buffer.concat([length, message]));
  try {
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) continue;
      const answer = received.subarray(2, 2 + received.readUInt16BE(0));
      if (answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0)) return answer;
      break;
    }
    throw new Error('its answer is cut off');
  } finally {
    socket.destroy();
  }
}
