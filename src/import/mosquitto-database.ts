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

/** isMosquittoDatabase tells it by its first bytes. */
export function isMosquittoDatabase(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/** parseMosquittoDatabase gives all that can be read, or the reason why nothing can. It never throws for what stands in the file. */
export function parseMosquittoDatabase(bytes: Buffer): MosquittoDatabase | string {
  if (!isMosquittoDatabase(bytes))
    return bytes.every((byte) => byte === 0) ? 'it holds nothing but zeros' : 'it is no database of mosquitto';
  if (bytes.length < MAGIC.length + 8) return 'it ends in its header';
  const version = bytes.readUInt32BE(MAGIC.length + 4);
  if (!VERSIONS.includes(version)) {
    const advice = version < 5 ? ' - start mosquitto 2 with it once, which writes it anew' : '';
    return `it has format version ${version}: ${VERSIONS.join(' and ')} can be read${advice}`;
  }
  return new DatabaseReader(version).read(bytes, MAGIC.length + 8);
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

  read(bytes: Buffer, start: number): MosquittoDatabase {
    const fault = this.#readChunks(bytes, start);
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

  #readChunks(bytes: Buffer, start: number): string | null {
    let at = start;
    while (at < bytes.length) {
      if (at + 8 > bytes.length) return `it ends within a chunk, at byte ${at}`;
      const end = at + 8 + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) return `it ends within a chunk, at byte ${at}`;
      try {
        const fault = this.#readChunk(bytes.readUInt32BE(at), new FieldReader(bytes.subarray(at + 8, end)));
        if (fault !== null) return `${fault}, at byte ${at}`;
      } catch (error) {
        if (error instanceof TooShort) return `a chunk is shorter than it says, at byte ${at}`;
        throw error;
      }
      at = end;
    }
    return null;
  }

  #readChunk(type: number, from: FieldReader): string | null {
    switch (type) {
      case CHUNK.configuration:
        return readConfiguration(from);
      case CHUNK.message:
        return this.#addMessage(readMessage(from));
      case CHUNK.clientMessage:
        this.#deliveries.push(readDelivery(from));
        return null;
      case CHUNK.retained:
        this.#retained.push(from.uint64());
        return null;
      case CHUNK.subscription:
        this.#subscriptions.push(readSubscription(from));
        return null;
      case CHUNK.client:
        this.#clients.push(readClient(from, this.#version));
        return null;
      default:
        return `a chunk has the unknown type ${type}`;
    }
  }

  #addMessage(message: MosquittoMessage): null {
    this.#messages.set(message.id, message);
    return null;
  }
}

/** struct PF_cfg */
function readConfiguration(from: FieldReader): string | null {
  from.uint64(); // the last id
  from.uint8(); // whether it was written at the end
  const idSize = from.uint8();
  return idSize === 8 ? null : `its message ids have ${idSize} bytes`;
}

/** struct PF_msg_store */
function readMessage(from: FieldReader): MosquittoMessage {
  const id = from.uint64();
  const expiresAt = Number(from.int64());
  const payloadLength = from.uint32();
  from.uint16(); // the publisher's packet identifier
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
  return { id, expiresAt, clientId, username, listenerPort, topicName, payload, qos, retain, properties: from.rest() };
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

/** struct PF_client of version 6, PF_client_v5 of version 5. The user name that follows is not read: mosquitto 2.0.11 writes what was in memory for clients without one. */
function readClient(from: FieldReader, version: number): MosquittoClient {
  const expiresAt = Number(from.int64());
  const expiryInterval = from.uint32();
  from.uint16(); // the last packet identifier
  const clientIdLength = from.uint16();
  const listenerPort = version > 5 ? from.uint16() : 0;
  if (version > 5) from.bytes(6); // length of the user name, padding
  return { clientId: from.text(clientIdLength), expiresAt, expiryInterval, listenerPort };
}
