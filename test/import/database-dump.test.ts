// `midge db-dump` beside what mosquitto's own tests of mosquitto_db_dump expect, and on a file that Debian's mosquitto has written.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseMosquittoDatabase } from '../../src/import/mosquitto-database.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';

const FROM_DEBIAN = join(import.meta.dirname, 'mosquitto-2.0.11.db');

const MAGIC = Buffer.from('\u0000\u00b5\u0000mosquitto db', 'latin1');

/** hex of a string behind two bytes of its length */
const text = (value: string) => `${u16(Buffer.byteLength(value))}${hex(value)}`;
const hex = (value: string) => Buffer.from(value).toString('hex');
const u8 = (value: number) => value.toString(16).padStart(2, '0');
const u16 = (value: number) => value.toString(16).padStart(4, '0');
const u32 = (value: number) => value.toString(16).padStart(8, '0');
/** 64-bit numbers lie as in memory. */
function u64(value: bigint | number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes.toString('hex');
}

const chunk = (type: number, body: string) => u32(type) + u32(body.length / 2) + body;
const database = (...chunks: readonly string[]) => Buffer.concat([MAGIC, Buffer.from(u32(0) + u32(6) + chunks.join(''), 'hex')]);
const behindLength = (properties: string) => u8(properties.length / 2) + properties;

interface Message {
  readonly id: bigint;
  readonly expiry: number;
  readonly mid: number;
  readonly port: number;
  readonly qos: number;
  readonly retain: number;
  readonly topic: string;
  readonly client: string;
  readonly payload: string;
  readonly properties: string;
}

function message({ id, expiry, mid, port, qos, retain, topic, client, payload, properties }: Message): string {
  const lengths = u32(payload.length) + u16(mid) + u16(client.length) + u16(0) + u16(topic.length) + u16(port) + u8(qos) + u8(retain);
  return chunk(2, u64(id) + u64(expiry) + lengths + hex(client) + hex(topic) + hex(payload) + (properties && behindLength(properties)));
}

const configuration = (last: bigint) => chunk(1, `${u64(last)}${u8(1)}${u8(8)}000000000000`);
const client = (id: string, expiry: number, interval: number, mid: number) =>
  chunk(6, `${u64(expiry)}${u32(interval)}${u16(mid)}${u16(id.length)}${u16(0)}${u16(0)}00000000${hex(id)}`);
const delivery = (id: string, stored: bigint, properties = '') =>
  chunk(3, `${u64(stored)}${u16(1)}${u16(id.length)}${u8(1)}${u8(11)}${u8(0)}${u8(1)}${hex(id)}${properties && behindLength(properties)}`);
const retained = (id: bigint) => chunk(4, u64(id));
const subscription = (id: string, filter: string, identifier: number) =>
  chunk(5, `${u32(identifier)}${u16(id.length)}${u16(filter.length)}${u8(1)}${u8(0)}0000${hex(id)}${hex(filter)}`);

const properties = (correlation: string, response: string, key: string, value: string) =>
  `03${text('text/plain')}09${u16(correlation.length)}${hex(correlation)}010108${text(response)}26${text(key)}${text(value)}`;

/** v6-mqtt-v5-props.test-db of mosquitto's tests, built from what they say about it. */
const WITH_PROPERTIES = database(
  configuration(273732472648936n),
  message({
    id: 273732462748327n,
    expiry: 1669799825,
    mid: 1,
    port: 1883,
    qos: 1,
    retain: 0,
    topic: 'test-topic',
    client: 'auto-1F56F09A-97D3-2395-8B77-185E54E0A83C',
    payload: 'message',
    properties: properties('5cf8e0de-5ffa-4a10-906b-4e5b2f90861b', 'pub-response-topic', 'pub-key', 'pub-value'),
  }),
  message({
    id: 273732472648936n,
    expiry: 1669799786,
    mid: 0,
    port: 0,
    qos: 2,
    retain: 1,
    topic: 'will-topic',
    client: 'clientid',
    payload: 'will-payload',
    properties: properties('correlation-data', 'will-response-topic', 'key', 'value'),
  }),
  client('clientid', 1669799784, 60, 1),
  delivery('clientid', 273732462748327n, '0b2a'),
  subscription('clientid', 'test-topic', 42),
  retained(273732472648936n),
);

/** test/apps/db_dump/db-dump-print-v6-mqtt-v5-props.py */
const PRINTED = `Mosquitto DB dump
CRC: 0
DB version: 6
DB_CHUNK_CFG:
	Length: 16
	Shutdown: 1
	DB ID size: 8
	Last DB ID: 273732472648936
DB_CHUNK_BASE_MSG:
	Length: 187
	Store ID: 273732462748327
	Source Port: 1883
	Source MID: 1
	Topic: test-topic
	QoS: 1
	Retain: 0
	Payload Length: 7
	Expiry Time: 1669799825
	Payload: message
	Properties:
		Content type: text/plain
		Correlation data: 35636638653064652D356666612D346131302D393036622D346535623266393038363162
		Payload format indicator: 1
		Response topic: pub-response-topic
		User property: pub-key , pub-value
DB_CHUNK_BASE_MSG:
	Length: 132
	Store ID: 273732472648936
	Source Port: 0
	Source MID: 0
	Topic: will-topic
	QoS: 2
	Retain: 1
	Payload Length: 12
	Expiry Time: 1669799786
	Payload: will-payload
	Properties:
		Content type: text/plain
		Correlation data: 636F7272656C6174696F6E2D64617461
		Payload format indicator: 1
		Response topic: will-response-topic
		User property: key , value
DB_CHUNK_CLIENT:
	Length: 32
	Client ID: clientid
	Last MID: 1
	Session expiry time: 1669799784
	Session expiry interval: 60
DB_CHUNK_CLIENT_MSG:
	Length: 27
	Client ID: clientid
	Store ID: 273732462748327
	MID: 1
	QoS: 1
	Retain: 0
	Direction: 1
	State: 11
	Dup: 0
	Subscription identifier: 42
DB_CHUNK_SUB:
	Length: 30
	Client ID: clientid
	Topic: test-topic
	QoS: 1
	Subscription ID: 42
	Options: 0x00
DB_CHUNK_RETAIN:
	Length: 8
	Store ID: 273732472648936
`;

/** db-dump-json-v6-mqtt-v5-props.py, but for the storeid of a client's message, where mosquitto writes the subscription identifier. */
const AS_JSON = {
  'base-messages': [
    {
      storeid: 273732462748327,
      'expiry-time': 1669799825,
      'source-mid': 1,
      'source-port': 1883,
      qos: 1,
      retain: 0,
      topic: 'test-topic',
      clientid: 'auto-1F56F09A-97D3-2395-8B77-185E54E0A83C',
      payload: 'bWVzc2FnZQ==',
      properties: [
        { identifier: 'content-type', value: 'text/plain' },
        { identifier: 'correlation-data', value: '35636638653064652D356666612D346131302D393036622D346535623266393038363162' },
        { identifier: 'payload-format-indicator', value: 1 },
        { identifier: 'response-topic', value: 'pub-response-topic' },
        { identifier: 'user-property', name: 'pub-key', value: 'pub-value' },
      ],
    },
    {
      storeid: 273732472648936,
      'expiry-time': 1669799786,
      'source-mid': 0,
      'source-port': 0,
      qos: 2,
      retain: 1,
      topic: 'will-topic',
      clientid: 'clientid',
      payload: 'd2lsbC1wYXlsb2Fk',
      properties: [
        { identifier: 'content-type', value: 'text/plain' },
        { identifier: 'correlation-data', value: '636F7272656C6174696F6E2D64617461' },
        { identifier: 'payload-format-indicator', value: 1 },
        { identifier: 'response-topic', value: 'will-response-topic' },
        { identifier: 'user-property', name: 'key', value: 'value' },
      ],
    },
  ],
  clients: [{ clientid: 'clientid', 'session-expiry-time': 1669799784, 'session-expiry-interval': 60, 'last-mid': 1, 'listener-port': 0 }],
  'client-messages': [
    {
      clientid: 'clientid',
      storeid: 273732462748327,
      mid: 1,
      qos: 1,
      state: 11,
      'retain-dup': 0,
      direction: 1,
      'subscription-identifier': 42,
    },
  ],
  'retained-messages': [{ storeid: 273732472648936 }],
  subscriptions: [{ clientid: 'clientid', topic: 'test-topic', qos: 1, options: 0, identifier: 42 }],
};

/** v6-single-all.test-db */
const SINGLE = database(
  configuration(208508774941868n),
  message({
    id: 208508774941868n,
    expiry: 0,
    mid: 1,
    port: 1883,
    qos: 1,
    retain: 1,
    topic: 'topic',
    client: 'auto-1F56F09A-97D3-2395-8B77-185E54E0A83C',
    payload: 'message',
    properties: '',
  }),
  client('single-all', 0, 0xffffffff, 1),
  delivery('single-all', 208508774941868n),
  subscription('single-all', 'topic', 0),
  retained(208508774941868n),
);

const COUNTS = `DB_CHUNK_CFG:        1
DB_CHUNK_BASE_MSG:   1
DB_CHUNK_CLIENT_MSG: 1
DB_CHUNK_RETAIN:     1
DB_CHUNK_SUB:        1
DB_CHUNK_CLIENT:     1
`;

const ROWS: readonly (readonly [name: string, words: readonly string[], bytes: Buffer, stdout: string, stderr: string, status: number])[] =
  [
    ['all of it', [], WITH_PROPERTIES, PRINTED, '', 0],
    ['counts', ['--stats'], SINGLE, COUNTS, '', 0],
    ['what each client has', ['--client-stats'], SINGLE, 'SC: 1 SS: 27 MC: 1 MS: 111   single-all\n', '', 0],
    ['no database', [], Buffer.from('no database at all'), '', 'Error: Unrecognised file format.\n', 1],
    ['no more than a header', [], SINGLE.subarray(0, 20), '', 'Error: The file ends in its header.\n', 1],
    [
      'an old version',
      [],
      Buffer.concat([MAGIC, Buffer.from(u32(0) + u32(4), 'hex')]),
      '',
      'Error: Unsupported format version 4 - start mosquitto 2 with it once, which writes it anew.\n',
      1,
    ],
    [
      'a chunk of another kind',
      ['--stats'],
      database(chunk(2816, 'ffff'), chunk(4, u64(1))),
      'DB_CHUNK_CFG:        0\nDB_CHUNK_BASE_MSG:   0\nDB_CHUNK_CLIENT_MSG: 0\nDB_CHUNK_RETAIN:     1\nDB_CHUNK_SUB:        0\nDB_CHUNK_CLIENT:     0\n',
      'Warning: Unsupported chunk "2816" of length 2 in persistent database file at position 31. Ignoring.\n',
      0,
    ],
    [
      'ids of five bytes',
      ['--stats'],
      database(chunk(1, `${u64(1)}0105000000000000`)),
      '',
      'Error: Incompatible database configuration (dbid size is 5 bytes, expected 8)\n',
      1,
    ],
    ['a torn file', ['--json'], SINGLE.subarray(0, -3), '', 'Error: Corrupt persistent database.\n', 1],
    ['a chunk that says too much', ['--json'], database(chunk(4, '0000')), '', 'Error: Corrupt persistent database.\n', 1],
  ];

for (const [name, words, bytes, expected, complaint, expectedStatus] of ROWS) {
  test(`db-dump prints what mosquitto_db_dump does of ${name}`, async (context) => {
    const file = join(temporaryFolder(context), 'mosquitto.db');
    writeFileSync(file, bytes);
    const { stdout, stderr, status } = await runMidge([...words, file], { program: 'mosquitto_db_dump' });
    assert.equal(stdout.toString(), expected);
    assert.deepEqual([stderr, status], [complaint, expectedStatus]);
  });
}

test('db-dump prints JSON with all digits of the ids', async (context) => {
  const file = join(temporaryFolder(context), 'mosquitto.db');
  writeFileSync(file, WITH_PROPERTIES);
  const { stdout } = await runMidge(['db-dump', '--json', file]);
  assert.deepEqual(JSON.parse(stdout.toString()), AS_JSON);
  writeFileSync(file, database(retained(0xffff_ffff_ffff_ffffn)));
  assert.match((await runMidge(['db-dump', '--json', file])).stdout.toString(), /"storeid": 18446744073709551615\n/);
});

test('db-dump tells of a file that is not there, and of words that do not fit', async () => {
  for (const [words, program, status, sentence] of [
    [['/nowhere'], 'mosquitto_db_dump', 0, /^Error: Unable to open \/nowhere\n$/],
    [['db-dump', '/nowhere'], 'midge', 1, /^Error: Unable to open \/nowhere\n$/],
    [['db-dump'], 'midge', 1, /^Usage: midge db-dump \[--stats/],
    [['--stats', '--json', '/nowhere'], 'mosquitto_db_dump', 1, /^Usage: mosquitto_db_dump/],
  ] as const) {
    const ran = await runMidge(words, { program });
    assert.match(ran.stderr, sentence);
    assert.equal(ran.status, status);
  }
});

test("db-dump shows what is in a file of Debian's mosquitto", async () => {
  const found = parseMosquittoDatabase(readFileSync(FROM_DEBIAN));
  assert.ok(typeof found !== 'string');
  const { stdout, stderr, status } = await runMidge(['db-dump', '--json', FROM_DEBIAN]);
  assert.deepEqual([status, stderr], [0, '']);
  const shown = JSON.parse(stdout.toString());
  assert.deepEqual(
    shown['base-messages'].map(({ topic, payload }: { topic: string; payload?: string }) => [
      topic,
      Buffer.from(payload ?? '', 'base64').toString(),
    ]),
    Array.from(found.messages.values(), ({ topicName, payload }) => [topicName, payload.toString()]),
  );
  assert.deepEqual(
    shown.clients.map(({ clientid }: { clientid: string }) => clientid),
    found.clients.map(({ clientId }) => clientId),
  );
  assert.equal(shown.subscriptions.length, found.subscriptions.length);
  const printed = (await runMidge(['db-dump', FROM_DEBIAN])).stdout.toString();
  for (const { topicFilter } of found.subscriptions) assert.ok(printed.includes(`\tTopic: ${topicFilter}\n`));
});
