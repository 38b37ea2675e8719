// Random MQTT packets for fuzzing: nearly always well-formed, from few names and identifiers, so that they meet each other's state.

import fc from 'fast-check';

export type Version = 3 | 4 | 5;

/** RandomPacket is a packet still without its protocol version. */
export type RandomPacket = (version: Version) => Buffer;

const CLIENT_IDS = ['', 'a', 'b', 'c', '__proto__', 'constructor'];
const NAMES = ['a', 'a/b', 'a/b/c', '/', '__proto__/a', '$SYS/broker/uptime', 'é', 'd/'.repeat(199)];
const FILTERS = [...NAMES, '#', '+', 'a/#', 'a/+', '+/b', '$SYS/#', '$share/g/a', '$share/g/#', '$share/h/a/+', '$share/__proto__/a'];
const BAD_STRINGS = ['a+', 'a/#/b', '$share/g', '$share//a', '', 'nul\0', '\ufeff'];

const clientId = fc.constantFrom(...CLIENT_IDS);
const topicName = oftenOf(NAMES, [...BAD_STRINGS, '#']);
const topicFilter = oftenOf(FILTERS, BAD_STRINGS);
const payload = fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.constant(new Uint8Array(300))).map((bytes) => Buffer.from(bytes));
/** As many as a window has, so that most answers hit an exchange. */
const packetId = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }) }, { weight: 1, arbitrary: fc.constantFrom(0, 65_535) });
const reasonCode = fc.constantFrom(0x00, 0x00, 0x04, 0x10, 0x80, 0x87, 0x92, 0xff);
const qos = oftenOf([0, 1, 2], [3]);

/** A property: its identifier and its value as bytes. */
const property = fc.oneof(
  fc.constantFrom(0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a).chain((id) => fc.nat(2).map((value) => Buffer.of(id, value))),
  fc.constantFrom(0x13, 0x21, 0x22, 0x23).chain((id) => fc.nat(12).map((value) => Buffer.of(id, 0, value))),
  fc.constantFrom(0x02, 0x11, 0x18, 0x27).chain((id) => fc.constantFrom(0, 1, 2, 30, 0xffffffff).map((value) => fourBytes(id, value))),
  fc.constantFrom(0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f).chain((id) => topicName.map((text) => bytes(id, string(text)))),
  fc.nat(200).map((id) => bytes(0x0b, variable(id))),
  fc.tuple(topicName, topicName).map(([name, value]) => bytes(0x26, string(name), string(value))),
);
const properties = fc.oneof(
  { weight: 3, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 2, arbitrary: fc.array(property, { maxLength: 3 }).map((all) => Buffer.concat(all)) },
);

const will = fc.record({ topicName, payload, qos, retain: fc.boolean(), properties });

const connect: fc.Arbitrary<RandomPacket> = fc
  .record({
    clientId,
    cleanStart: fc.boolean(),
    keepAlive: fc.constantFrom(0, 1, 60),
    properties: fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.constantFrom('1100000001', '11FFFFFFFF', '110000001E210002', '22000A', '2700000020').map((text) => Buffer.from(text, 'hex')),
      properties,
    ),
    will: fc.option(will),
    username: fc.option(topicName),
    password: fc.option(payload),
  })
  .map((fields) => (version) => {
    const last = fields.will;
    const flags =
      (fields.cleanStart ? 2 : 0) |
      (last === null ? 0 : 4 | (last.qos << 3) | (last.retain ? 32 : 0)) |
      (fields.password === null ? 0 : 64) |
      (fields.username === null ? 0 : 128);
    return packet(
      0x10,
      string(version === 3 ? 'MQIsdp' : 'MQTT'),
      Buffer.of(version, flags, 0, fields.keepAlive),
      ofVersion5(version, fields.properties),
      string(fields.clientId),
      last === null ? Buffer.alloc(0) : Buffer.concat([ofVersion5(version, last.properties), string(last.topicName), binary(last.payload)]),
      fields.username === null ? Buffer.alloc(0) : string(fields.username),
      fields.password === null ? Buffer.alloc(0) : binary(fields.password),
    );
  });

const publish: fc.Arbitrary<RandomPacket> = fc
  .record({ topicName, payload, packetId, properties, qos, retain: fc.boolean(), dup: fc.boolean() })
  .map((fields) => (version) => {
    const first = 0x30 | (fields.dup ? 8 : 0) | (fields.qos << 1) | (fields.retain ? 1 : 0);
    const id = fields.qos === 0 ? Buffer.alloc(0) : twoBytes(fields.packetId);
    return packet(first, string(fields.topicName), id, ofVersion5(version, fields.properties), fields.payload);
  });

const acknowledgement: fc.Arbitrary<RandomPacket> = fc
  .record({ first: fc.constantFrom(0x40, 0x50, 0x62, 0x70), packetId, reasonCode, isShort: fc.boolean() })
  .map((fields) => (version) => {
    const tail = version !== 5 || fields.isShort ? Buffer.alloc(0) : Buffer.of(fields.reasonCode, 0);
    return packet(fields.first, twoBytes(fields.packetId), tail);
  });

const subscribe: fc.Arbitrary<RandomPacket> = fc
  .record({
    packetId,
    properties,
    requests: fc.array(fc.tuple(topicFilter, oftenOf([0, 1, 2, 0x05, 0x2e, 0x18], [3, 0x30, 0xff])), { maxLength: 4 }),
  })
  .map((fields) => (version) => {
    const requests = fields.requests.flatMap(([filter, options]) => [string(filter), Buffer.of(version === 5 ? options : options & 3)]);
    return packet(0x82, twoBytes(fields.packetId), ofVersion5(version, fields.properties), ...requests);
  });

const unsubscribe: fc.Arbitrary<RandomPacket> = fc
  .record({ packetId, properties, filters: fc.array(topicFilter, { maxLength: 4 }) })
  .map(
    (fields) => (version) => packet(0xa2, twoBytes(fields.packetId), ofVersion5(version, fields.properties), ...fields.filters.map(string)),
  );

const goodBye: fc.Arbitrary<RandomPacket> = fc
  .record({ first: fc.constantFrom(0xe0, 0xe0, 0xe0, 0xf0), reasonCode, properties, isShort: fc.boolean() })
  .map(
    (fields) => (version) =>
      fields.isShort || version !== 5
        ? packet(fields.first)
        : packet(fields.first, Buffer.of(fields.reasonCode), ofVersion5(5, fields.properties)),
  );

const ping: fc.Arbitrary<RandomPacket> = fc.constant(() => packet(0xc0));

/** What only a server may send, or nobody. */
const wrongWay: fc.Arbitrary<RandomPacket> = fc
  .constantFrom(0x00, 0x20, 0x90, 0xb0, 0xd0)
  .map((first) => () => packet(first, Buffer.of(0, 1, 0)));

/** connectPacket gives a CONNECT, mostly one that is accepted. */
export const connectPacket: fc.Arbitrary<RandomPacket> = connect.map(shown);

/** randomPacket gives any packet. */
export const randomPacket: fc.Arbitrary<RandomPacket> = fc
  .oneof(
    { weight: 8, arbitrary: publish },
    { weight: 8, arbitrary: acknowledgement },
    { weight: 5, arbitrary: subscribe },
    { weight: 2, arbitrary: unsubscribe },
    { weight: 2, arbitrary: ping },
    { weight: 1, arbitrary: goodBye },
    { weight: 1, arbitrary: connect },
    { weight: 1, arbitrary: wrongWay },
  )
  .map(shown);

/** Mutation changes bytes in one place. */
export interface Mutation {
  readonly kind: 'flip' | 'insert' | 'delete' | 'cut' | 'repeat';
  /** Where: taken modulo the length. */
  readonly at: number;
  readonly byte: number;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'insert', 'delete', 'cut', 'repeat'),
  at: fc.nat(400),
  byte: fc.integer({ min: 1, max: 255 }),
});

/** mutate applies a mutation. */
export function mutate(bytesIn: Buffer, { kind, at, byte }: Mutation): Buffer {
  const place = bytesIn.length === 0 ? 0 : at % bytesIn.length;
  const [before, after] = [bytesIn.subarray(0, place), bytesIn.subarray(place)];
  switch (kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.from(after.subarray(0, 1).map((old) => old ^ byte)), after.subarray(1)]);
    case 'insert':
      return Buffer.concat([before, Buffer.of(byte), after]);
    case 'delete':
      return Buffer.concat([before, after.subarray(1)]);
    case 'cut':
      return before;
    case 'repeat':
      return Buffer.concat([before, after, after]);
  }
}

/** A packet shows itself as hex where a failure is reported. */
function shown(encode: RandomPacket): RandomPacket {
  return Object.assign((version: Version) => encode(version), { [fc.toStringMethod]: () => encode(5).toString('hex') });
}

/** Mostly one of the good, now and then one of the bad. */
function oftenOf<T>(good: readonly T[], bad: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 15, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...bad) });
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(first), variable(body.length), body]);
}

function ofVersion5(version: Version, encoded: Buffer): Buffer {
  return version === 5 ? Buffer.concat([variable(encoded.length), encoded]) : Buffer.alloc(0);
}

function variable(value: number): Buffer {
  const digits: number[] = [];
  let rest = value;
  do {
    digits.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(digits);
}

function twoBytes(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

function fourBytes(id: number, value: number): Buffer {
  const all = Buffer.alloc(5);
  all[0] = id;
  all.writeUInt32BE(value, 1);
  return all;
}

function bytes(id: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(id), ...parts]);
}

function string(text: string): Buffer {
  return binary(Buffer.from(text));
}

function binary(content: Buffer): Buffer {
  return Buffer.concat([twoBytes(content.length), content]);
}
