// Reads mosquitto.db, the file of mosquitto's persistence: format version 5 (mosquitto 1.6) and 6 (2.0 and later), src/persist.h there.
//
//   00 B5 00 "mosquitto db" | checksum 4, unused | version 4 | chunk, chunk, ...
//   chunk = type 4 | length 4 | a C struct with its padding | client id, topic, payload, properties as the struct says
//
// Numbers are big endian, except 64-bit ones and single bytes: these lie as in the memory of the machine that wrote them, little endian.

import { FieldReader, TooShort } from './field-reader.ts';

const MAGIC = Buffer.from('\u0000\u00b5\u0000mosquitto db', 'latin1');
const VERSIONS = [5, 6];

const CHUNK = { configuration: 1, message: 2, clientMessage: 3, retained: 4, subscription: 5, client: 6 } as const;

/** MosquittoMessage is an application message, once however many clients wait for it. `properties` are encoded behind their length; empty = none. */
export interface MosquittoMessage {
  readonly id: bigint;
  /** Seconds since 1970, 0 = never. */
  readonly expiresAt: number;
  readonly clientId: string;
  readonly username: string;
  /** Port of the listener that it came by, 0 = not known. */
  readonly listenerPort: number;
  readonly topicName: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  /** Of its PUBLISH; 0 = QoS 0, or the broker's own. */
  readonly packetId: number;
  readonly properties: Buffer;
}

/** MosquittoClient is a kept session. */
export interface MosquittoClient {
  readonly clientId: string;
  /** Seconds since 1970, 0 = not yet running. */
  readonly expiresAt: number;
  /** Seconds; 0xFFFFFFFF = never. */
  readonly expiryInterval: number;
  /** Port of the listener that it came through last, 0 = not known. */
  readonly listenerPort: number;
  /** The last packet identifier that it was sent. */
  readonly packetId: number;
  /** Not to be trusted, '' = none: mosquitto 2.0.11 writes what was in memory for clients without one. */
  readonly username: string;
}

/** MosquittoDelivery is a message on its way to a client, or, `incoming`, from one (QoS 2). `state` is one of STATE. */
export interface MosquittoDelivery {
  readonly clientId: string;
  readonly message: bigint;
  readonly packetId: number;
  readonly qos: number;
  readonly state: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly incoming: boolean;
  readonly properties: Buffer;
}

/** STATE: what mosquitto waits for (enum mosquitto_msg_state). */
export const STATE = { waitForPubrel: 7, waitForPubcomp: 9, resendPubrel: 6, queued: 11 } as const;

/** MosquittoSubscription: `options` are those of SUBSCRIBE without the QoS, MQTT 5 3.8.3.1. */
export interface MosquittoSubscription {
  readonly clientId: string;
  readonly topicFilter: string;
  readonly qos: number;
  readonly options: number;
  /** 0 = none. */
  readonly identifier: number;
}

/** MosquittoDatabase is what the file says. `fault` tells why it was not read to its end, or null. */
export interface MosquittoDatabase {
  readonly version: number;
  readonly messages: ReadonlyMap<bigint, MosquittoMessage>;
  readonly clients: readonly MosquittoClient[];
  /** In the order of the file, which is that of sending. */
  readonly deliveries: readonly MosquittoDelivery[];
  readonly subscriptions: readonly MosquittoSubscription[];
  readonly retained: readonly bigint[];
  readonly fault: string | null;
}

/** MosquittoConfiguration is about the file itself. */
export interface MosquittoConfiguration {
  readonly lastId: bigint;
  /** It was written when the broker ended. */
  readonly isLast: boolean;
  /** Bytes of a message id, 8 in all files that can be read. */
  readonly idSize: number;
}

/** MosquittoChunk is one part of the file, `length` bytes behind its head of 8, which begins `at` a byte. */
export type MosquittoChunk = { readonly at: number; readonly length: number } & (
  | { readonly kind: 'configuration'; readonly record: MosquittoConfiguration }
  | { readonly kind: 'message'; readonly record: MosquittoMessage }
  | { readonly kind: 'delivery'; readonly record: MosquittoDelivery }
  | { readonly kind: 'retained'; readonly record: bigint }
  | { readonly kind: 'subscription'; readonly record: MosquittoSubscription }
  | { readonly kind: 'client'; readonly record: MosquittoClient }
  | { readonly kind: 'unknown'; readonly record: number }
);

/** DatabaseHead is what stands before the chunks. */
export interface DatabaseHead {
  readonly checksum: number;
  readonly version: number;
}

/** isMosquittoDatabase tells it by its first bytes. */
export function isMosquittoDatabase(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/** parseMosquittoDatabase gives all that can be read, or the reason why nothing can. It never throws for what stands in the file. */
export function parseMosquittoDatabase(bytes: Buffer): MosquittoDatabase | string {
  if (!isMosquittoDatabase(bytes))
    return bytes.every((byte) => byte === 0) ? 'it holds nothing but zeros' : 'it is no database of mosquitto';
  if (bytes.length < MAGIC.length + 8) return 'it ends in its header';
  const { version } = headOf(bytes);
  if (!canRead(version)) {
    const advice = version < 5 ? ' - start mosquitto 2 with it once, which writes it anew' : '';
    return `it has format version ${version}: ${VERSIONS.join(' and ')} can be read${advice}`;
  }
  return new DatabaseReader(version).read(bytes);
}

/** headOf reads it; the bytes are those of a database. Throws RangeError when they end in it. */
export function headOf(bytes: Buffer): DatabaseHead {
  return { checksum: bytes.readUInt32BE(MAGIC.length), version: bytes.readUInt32BE(MAGIC.length + 4) };
}

/** canRead tells whether chunksOf knows a version. */
export function canRead(version: number): boolean {
  return VERSIONS.includes(version);
}

/** chunksOf gives them in the order of the file, and then why it was not read to its end, or null. It never throws for what stands in the file. */
export function* chunksOf(bytes: Buffer, version: number): Generator<MosquittoChunk, string | null> {
  let at = MAGIC.length + 8;
  while (at < bytes.length) {
    const end = at + 8 <= bytes.length ? at + 8 + bytes.readUInt32BE(at + 4) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) return `it ends within a chunk, at byte ${at}`;
    let chunk: MosquittoChunk;
    try {
      const from = new FieldReader(bytes.subarray(at + 8, end));
      chunk = { at, length: end - at - 8, ...readChunk(bytes.readUInt32BE(at), from, version) } as MosquittoChunk; // a pair of its union
    } catch (error) {
      if (error instanceof TooShort) return `a chunk is shorter than it says, at byte ${at}`;
      throw error;
    }
    yield chunk;
    at = end;
  }
  return null;
}

function readChunk(type: number, from: FieldReader, version: number) {
  switch (type) {
    case CHUNK.configuration:
      return { kind: 'configuration', record: readConfiguration(from) } as const;
    case CHUNK.message:
      return { kind: 'message', record: readMessage(from) } as const;
    case CHUNK.clientMessage:
      return { kind: 'delivery', record: readDelivery(from) } as const;
    case CHUNK.retained:
      return { kind: 'retained', record: from.uint64() } as const;
    case CHUNK.subscription:
      return { kind: 'subscription', record: readSubscription(from) } as const;
    case CHUNK.client:
      return { kind: 'client', record: readClient(from, version) } as const;
    default:
      return { kind: 'unknown', record: type } as const;
  }
}

class DatabaseReader {
  readonly #version: number;
  readonly #messages = new Map<bigint, MosquittoMessage>();
  readonly #clients: MosquittoClient[] = [];
  readonly #deliveries: MosquittoDelivery[] = [];
  readonly #subscriptions: MosquittoSubscription[] = [];
  readonly #retained: bigint[] = [];

  constructor(version: number) {
    this.#version = version;
  }

  read(bytes: Buffer): MosquittoDatabase {
    const fault = this.#readChunks(bytes);
    return {
      version: this.#version,
      messages: this.#messages,
      clients: this.#clients,
      deliveries: this.#deliveries,
      subscriptions: this.#subscriptions,
      retained: this.#retained,
      fault,
    };
  }

  #readChunks(bytes: Buffer): string | null {
    const chunks = chunksOf(bytes, this.#version);
    for (let next = chunks.next(); ; next = chunks.next()) {
      if (next.done) return next.value;
      const fault = this.#take(next.value);
      if (fault !== null) return `${fault}, at byte ${next.value.at}`;
    }
  }

  #take({ kind, record }: MosquittoChunk): string | null {
    switch (kind) {
      case 'configuration':
        return record.idSize === 8 ? null : `its message ids have ${record.idSize} bytes`;
      case 'message':
        this.#messages.set(record.id, record);
        return null;
      case 'delivery':
        this.#deliveries.push(record);
        return null;
      case 'retained':
        this.#retained.push(record);
        return null;
      case 'subscription':
        this.#subscriptions.push(record);
        return null;
      case 'client':
        this.#clients.push(record);
        return null;
      case 'unknown':
        return `a chunk has the unknown type ${record}`;
    }
  }
}

/** struct PF_cfg */
function readConfiguration(from: FieldReader): MosquittoConfiguration {
  return { lastId: from.uint64(), isLast: from.uint8() !== 0, idSize: from.uint8() };
}

/** struct PF_msg_store */
function readMessage(from: FieldReader): MosquittoMessage {
  const id = from.uint64();
  const expiresAt = Number(from.int64());
  const payloadLength = from.uint32();
  const packetId = from.uint16();
  const clientIdLength = from.uint16();
  const usernameLength = from.uint16();
  const topicLength = from.uint16();
  const listenerPort = from.uint16();
  const qos = from.uint8();
  const retain = from.uint8() !== 0;
  const clientId = from.text(clientIdLength);
  const username = from.text(usernameLength);
  const topicName = from.text(topicLength);
  const payload = from.bytes(payloadLength);
  return { id, expiresAt, clientId, username, listenerPort, topicName, payload, qos, retain, packetId, properties: from.rest() };
}

/** struct PF_client_msg */
function readDelivery(from: FieldReader): MosquittoDelivery {
  const message = from.uint64();
  const packetId = from.uint16();
  const clientIdLength = from.uint16();
  const qos = from.uint8();
  const state = from.uint8();
  const retainDup = from.uint8();
  const incoming = from.uint8() === 0;
  const clientId = from.text(clientIdLength);
  const [retain, dup] = [(retainDup & 0xf0) !== 0, (retainDup & 0x0f) !== 0];
  return { clientId, message, packetId, qos, state, retain, dup, incoming, properties: from.rest() };
}

/** struct PF_sub */
function readSubscription(from: FieldReader): MosquittoSubscription {
  const identifier = from.uint32();
  const clientIdLength = from.uint16();
  const topicLength = from.uint16();
  const qos = from.uint8();
  const options = from.uint8();
  from.bytes(2); // padding
  const clientId = from.text(clientIdLength);
  return { clientId, topicFilter: from.text(topicLength), qos, options, identifier };
}

/** struct PF_client of version 6, PF_client_v5 of version 5. */
function readClient(from: FieldReader, version: number): MosquittoClient {
  const expiresAt = Number(from.int64());
  const expiryInterval = from.uint32();
  const packetId = from.uint16();
  const clientIdLength = from.uint16();
  const listenerPort = version > 5 ? from.uint16() : 0;
  const usernameLength = version > 5 ? from.uint16() : 0;
  if (version > 5) from.bytes(4); // padding
  const clientId = from.text(clientIdLength);
  const rest = from.rest();
  const username = usernameLength === rest.length ? rest.toString() : '';
  return { clientId, expiresAt, expiryInterval, listenerPort, packetId, username };
}
