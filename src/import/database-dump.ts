// What stands in mosquitto's database, for people and for programs: the output of mosquitto_db_dump(1).

import { isMqttString } from '../mqtt/utf8.ts';
import { keptProperties } from './kept-properties.ts';
import {
  canRead,
  chunksOf,
  type DatabaseHead,
  headOf,
  isMosquittoDatabase,
  type MosquittoChunk,
  type MosquittoDelivery,
  type MosquittoMessage,
} from './mosquitto-database.ts';

/** Payloads from here on are not shown as text, as in mosquitto_db_dump. */
const LONG_PAYLOAD = 256;

const CORRUPT = 'Error: Corrupt persistent database.';

/** DumpForm: all of it as text or JSON, how many chunks there are of each kind, or how much each client has. */
export type DumpForm = 'text' | 'json' | 'stats' | 'client stats';

/** Dump is the output, and the lines for standard error. `isWhole` tells whether all could be read. */
export interface Dump {
  readonly output: string;
  readonly complaints: readonly string[];
  readonly isWhole: boolean;
}

/** dumpDatabase never throws for what stands in the file. */
export function dumpDatabase(bytes: Buffer, form: DumpForm): Dump {
  if (!isMosquittoDatabase(bytes)) return { output: '', complaints: ['Error: Unrecognised file format.'], isWhole: false };
  let head: DatabaseHead;
  try {
    head = headOf(bytes);
  } catch {
    return { output: '', complaints: ['Error: The file ends in its header.'], isWhole: false };
  }
  if (!canRead(head.version)) {
    const advice = 'start mosquitto 2 with it once, which writes it anew';
    return { output: '', complaints: [`Error: Unsupported format version ${head.version} - ${advice}.`], isWhole: false };
  }
  const view = FORMS[form](head);
  const complaints: string[] = [];
  const isWhole = readInto(view, bytes, head, complaints);
  return { output: isWhole || form === 'text' ? view.output() : '', complaints, isWhole };
}

/** View takes the chunks one after the other. */
interface View {
  take(chunk: MosquittoChunk): void;
  output(): string;
}

function readInto(view: View, bytes: Buffer, { version }: DatabaseHead, complaints: string[]): boolean {
  const chunks = chunksOf(bytes, version);
  for (let next = chunks.next(); ; next = chunks.next()) {
    if (next.done) {
      if (next.value !== null) complaints.push(CORRUPT);
      return next.value === null;
    }
    const { kind, record, length, at } = next.value;
    if (kind === 'unknown') {
      complaints.push(
        `Warning: Unsupported chunk "${record}" of length ${length} in persistent database file at position ${at + 8}. Ignoring.`,
      );
      continue;
    }
    view.take(next.value);
    if (kind !== 'configuration' || record.idSize === 8) continue;
    complaints.push(`Error: Incompatible database configuration (dbid size is ${record.idSize} bytes, expected 8)`);
    return false;
  }
}

const FORMS: Readonly<Record<DumpForm, (head: DatabaseHead) => View>> = {
  text: textView,
  json: jsonView,
  stats: statsView,
  'client stats': clientStatsView,
};

/** The names that mosquitto has for the chunks, in the order of its statistics. */
const KINDS = {
  configuration: 'DB_CHUNK_CFG',
  message: 'DB_CHUNK_BASE_MSG',
  delivery: 'DB_CHUNK_CLIENT_MSG',
  retained: 'DB_CHUNK_RETAIN',
  subscription: 'DB_CHUNK_SUB',
  client: 'DB_CHUNK_CLIENT',
} as const;

function textView({ checksum, version }: DatabaseHead): View {
  const lines = ['Mosquitto DB dump', `CRC: ${checksum}`, `DB version: ${version}`];
  return {
    take: (chunk) => {
      if (chunk.kind === 'unknown') return;
      const fields = fieldsOf(chunk).map((field) => `\t${field.replace(/[^\P{Cc}\t]/gu, '\uFFFD')}`); // names must not steer the screen
      lines.push(`${KINDS[chunk.kind]}:`, `\tLength: ${chunk.length}`, ...fields);
    },
    output: () => `${lines.join('\n')}\n`,
  };
}

function fieldsOf(chunk: MosquittoChunk): string[] {
  switch (chunk.kind) {
    case 'configuration': {
      const { isLast, idSize, lastId } = chunk.record;
      return [`Shutdown: ${Number(isLast)}`, `DB ID size: ${idSize}`, `Last DB ID: ${lastId}`];
    }
    case 'message':
      return messageFields(chunk.record);
    case 'delivery':
      return deliveryFields(chunk.record);
    case 'retained':
      return [`Store ID: ${chunk.record}`];
    case 'subscription': {
      const { clientId, topicFilter, qos, identifier, options } = chunk.record;
      const hex = options.toString(16).toUpperCase().padStart(2, '0');
      return [`Client ID: ${clientId}`, `Topic: ${topicFilter}`, `QoS: ${qos}`, `Subscription ID: ${identifier}`, `Options: 0x${hex}`];
    }
    case 'client': {
      const { clientId, username, listenerPort, packetId, expiresAt, expiryInterval } = chunk.record;
      return [
        `Client ID: ${clientId}`,
        ...(username === '' ? [] : [`Username: ${username}`]),
        ...(listenerPort === 0 ? [] : [`Listener port: ${listenerPort}`]),
        `Last MID: ${packetId}`,
        `Session expiry time: ${expiresAt}`,
        `Session expiry interval: ${expiryInterval}`,
      ];
    }
    case 'unknown':
      return [];
  }
}

function messageFields({ id, listenerPort, packetId, topicName, qos, retain, payload, expiresAt, properties }: MosquittoMessage): string[] {
  const isText = payload.length > 0 && payload.length < LONG_PAYLOAD && isMqttString(payload, 0, payload.length);
  const known = propertiesOf(properties);
  return [
    `Store ID: ${id}`,
    `Source Port: ${listenerPort}`,
    `Source MID: ${packetId}`,
    `Topic: ${topicName}`,
    `QoS: ${qos}`,
    `Retain: ${Number(retain)}`,
    `Payload Length: ${payload.length}`,
    `Expiry Time: ${expiresAt}`,
    ...(isText ? [`Payload: ${payload.toString()}`] : []),
    ...(known.length === 0 ? [] : ['Properties:', ...known.map((property) => `\t${propertyText(property)}`)]),
  ];
}

function deliveryFields({ clientId, message, packetId, qos, retain, incoming, state, dup, properties }: MosquittoDelivery): string[] {
  const identifier = identifierOf(properties);
  return [
    `Client ID: ${clientId}`,
    `Store ID: ${message}`,
    `MID: ${packetId}`,
    `QoS: ${qos}`,
    `Retain: ${Number(retain)}`,
    `Direction: ${directionOf(incoming)}`,
    `State: ${state}`,
    `Dup: ${Number(dup)}`,
    ...(identifier === 0 ? [] : [`Subscription identifier: ${identifier}`]),
  ];
}

/** enum mosquitto_msg_direction */
function directionOf(incoming: boolean): 0 | 1 {
  return incoming ? 0 : 1;
}

/** JSON as mosquitto 2.1's, but for the `storeid` of a client's message: mosquitto writes the subscription identifier there. */
function jsonView(): View {
  const tree = {
    'base-messages': [] as object[],
    clients: [] as object[],
    'client-messages': [] as object[],
    'retained-messages': [] as object[],
    subscriptions: [] as object[],
  };
  return {
    take: ({ kind, record }) => {
      switch (kind) {
        case 'message':
          return void tree['base-messages'].push(messageJson(record));
        case 'delivery':
          return void tree['client-messages'].push(deliveryJson(record));
        case 'retained':
          return void tree['retained-messages'].push({ storeid: record });
        case 'subscription': {
          const { clientId: clientid, topicFilter: topic, qos, options, identifier } = record;
          return void tree.subscriptions.push({ clientid, topic, qos, options, identifier });
        }
        case 'client':
          return void tree.clients.push({
            clientid: record.clientId,
            ...(record.username === '' ? {} : { username: record.username }),
            'session-expiry-time': record.expiresAt,
            'session-expiry-interval': record.expiryInterval,
            'last-mid': record.packetId,
            'listener-port': record.listenerPort,
          });
        case 'configuration':
        case 'unknown':
      }
    },
    output: () => `${withBigIntegers(tree)}\n`,
  };
}

function messageJson({ id, expiresAt, packetId, listenerPort, qos, retain, topicName, clientId, username, ...rest }: MosquittoMessage) {
  const known = propertiesOf(rest.properties);
  return {
    storeid: id,
    'expiry-time': expiresAt,
    'source-mid': packetId,
    'source-port': listenerPort,
    qos,
    retain: Number(retain),
    topic: topicName,
    ...(clientId === '' ? {} : { clientid: clientId }),
    ...(username === '' ? {} : { username }),
    ...(rest.payload.length === 0 ? {} : { payload: rest.payload.toString('base64') }),
    ...(known.length === 0 ? {} : { properties: known.map(propertyJson) }),
  };
}

function deliveryJson({ clientId, message, packetId, qos, state, retain, dup, incoming, properties }: MosquittoDelivery) {
  return {
    clientid: clientId,
    storeid: message,
    mid: packetId,
    qos,
    state,
    'retain-dup': (retain ? 0x10 : 0) + (dup ? 1 : 0),
    direction: directionOf(incoming),
    'subscription-identifier': identifierOf(properties),
  };
}

/** Ids have 64 bits: they are written as they are, though not every reader keeps all their digits. */
function withBigIntegers(tree: object): string {
  const marked = JSON.stringify(tree, (_key, value) => (typeof value === 'bigint' ? `\uE000${value}` : value), '\t');
  return marked.replace(/"\uE000(\d+)"/g, '$1');
}

function statsView(): View {
  const counts = new Map(Object.values(KINDS).map((name) => [name as string, 0]));
  return {
    take: ({ kind }) => {
      if (kind !== 'unknown') counts.set(KINDS[kind], counts.get(KINDS[kind])! + 1); // all kinds are there
    },
    output: () => [...counts].map(([name, count]) => `${`${name}:`.padEnd(20)} ${count}\n`).join(''),
  };
}

/** SC, SS: subscriptions and their bytes in the file; MC, MS: messages that wait. */
function clientStatsView(): View {
  const clients = new Map<string, { subscriptions: number; subscriptionBytes: number; messages: number; messageBytes: number }>();
  const messageLengths = new Map<bigint, number>();
  return {
    take: (chunk) => {
      const { length } = chunk;
      if (chunk.kind === 'client')
        clients.set(chunk.record.clientId, { subscriptions: 0, subscriptionBytes: 0, messages: 0, messageBytes: 0 });
      if (chunk.kind === 'message') messageLengths.set(chunk.record.id, length);
      if (chunk.kind !== 'subscription' && chunk.kind !== 'delivery') return;
      const client = clients.get(chunk.record.clientId);
      if (client === undefined) return;
      if (chunk.kind === 'subscription') {
        client.subscriptions++;
        client.subscriptionBytes += length;
      } else {
        client.messages++;
        client.messageBytes += length + (messageLengths.get(chunk.record.message) ?? 0);
      }
    },
    output: () =>
      Array.from(clients, ([id, { subscriptions, subscriptionBytes, messages, messageBytes }]) => {
        return `SC: ${subscriptions} SS: ${subscriptionBytes} MC: ${messages} MS: ${messageBytes}   ${id}\n`;
      }).join(''),
  };
}

/** Property is one of a message, in the order of the file. */
type Property = { readonly name: keyof typeof PROPERTY_WORDS; readonly value: string | number; readonly key?: string };

/** Those that a message keeps: in the text, and in JSON. */
const PROPERTY_WORDS = {
  payloadFormatIndicator: ['Payload format indicator', 'payload-format-indicator'],
  contentType: ['Content type', 'content-type'],
  responseTopic: ['Response topic', 'response-topic'],
  correlationData: ['Correlation data', 'correlation-data'],
  userProperty: ['User property', 'user-property'],
} as const;

function propertyText({ name, key, value }: Property): string {
  return `${PROPERTY_WORDS[name][0]}: ${key === undefined ? '' : `${key} , `}${value}`;
}

function propertyJson({ name, key, value }: Property): object {
  return { identifier: PROPERTY_WORDS[name][1], ...(key === undefined ? {} : { name: key }), value };
}

function propertiesOf(bytes: Buffer): Property[] {
  return Object.entries(keptProperties(bytes) ?? {}).flatMap(([name, value]): Property[] => {
    if (name === 'userProperty') return userProperties(value);
    if (name === 'correlationData') return [{ name, value: value.toString('hex').toUpperCase() }];
    return name in PROPERTY_WORDS ? [{ name: name as Property['name'], value }] : []; // as just asked
  });
}

/** Identifier, name and value of each, as in the packet. */
function userProperties(bytes: Buffer): Property[] {
  const found: Property[] = [];
  for (let at = 0; at < bytes.length; ) {
    const middle = at + 3 + bytes.readUInt16BE(at + 1);
    const end = middle + 2 + bytes.readUInt16BE(middle);
    found.push({ name: 'userProperty', key: bytes.toString('utf8', at + 3, middle), value: bytes.toString('utf8', middle + 2, end) });
    at = end;
  }
  return found;
}

function identifierOf(bytes: Buffer): number {
  return keptProperties(bytes)?.subscriptionIdentifier?.[0] ?? 0;
}
