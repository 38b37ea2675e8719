// sub's output, where it is better than mosquitto's or no mosquitto is at hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessagePrinter, type ReceivedMessage } from '../../src/clients/format.ts';
import { readJson } from '../../src/clients/json.ts';

const MESSAGE: ReceivedMessage = {
  topic: 'a/b',
  payload: Buffer.from('hello'),
  qos: 1,
  retain: true,
  messageId: 7,
  properties: {},
  time: new Date(2026, 0, 5, 3, 4, 5),
  nanoseconds: 6_000_007,
};

const ROWS: readonly (readonly [format: string, expected: string, message?: Partial<ReceivedMessage>])[] = [
  ['%t %p %q %r %m %l', 'a/b hello 1 1 7 5'],
  ['[%12x] [%-12X] [%012x] [%2x]', '[  68656c6c6f] [68656C6C6F  ] [0068656c6c6f] [6865]'],
  ['%.2x|%.1X|%.4:x|%14.2x|%-14.2-x|', '68 65 6c 6c 6f|6 8 6 5 6 C 6 C 6 F|6865:6c6c:6f|      68 65 6c 6c 6f|68-65-6c-6c-6f    |'],
  ['%f|%.3f|%9.2f|%-9.2f|%09.2f', '0.707000|0.707|     0.71|0.71     |000000.71', { payload: Buffer.from('f4fd343f', 'hex') }],
  ['%.3d|%012.4d', '-2.718|-000002.7180', { payload: Buffer.from('5839b4c876be05c0', 'hex') }],
  ['%-05l|%-05p|', '5    |hello|'],
  ['[%10R]', '[          ]'],
  ['[%10R]', '[     re/sp]', { properties: { responseTopic: 're/sp' } }],
  ['%S', '4', { properties: { subscriptionIdentifier: [4, 5] } }],
  ['%P', 'a:1 a:2 b:3', { properties: { userProperties: { a: ['1', '2'], b: '3' } } }],
  ['@Y-@m-@d @H:@M:@S.@N @@', '2026-01-05 03:04:05.006000007 @'],
  ['%U', `${new Date(2026, 0, 5, 3, 4, 5).getTime() / 1000}.006000007`],
  ['%.3t|%5.1t|%-5.1t|', 'a/b|    a|a    |'],
  ['grüße 🐝 %%', 'grüße 🐝 %'],
];

for (const [format, expected, message] of ROWS) {
  test(`sub prints ${JSON.stringify(expected)} when the format is ${JSON.stringify(format)}`, () => {
    assert.equal(printed(format, { ...MESSAGE, ...message }).toString(), `${expected}\n`);
  });
}

test('sub prints the bytes of a payload untouched when they are no text', () => {
  const payload = Buffer.from([0, 255, 254, 10, 13, 0]);
  assert.deepEqual(printed('%p', { ...MESSAGE, payload }), Buffer.concat([payload, Buffer.from('\n')]));
  assert.deepEqual(printed(null, { ...MESSAGE, payload }), Buffer.concat([payload, Buffer.from('\n')]));
});

test('sub prints JSON that can be read when the payload is no UTF-8 or holds NUL', () => {
  const payload = Buffer.from([0x41, 0, 0xff]);
  const read = JSON.parse(printed('%j', { ...MESSAGE, payload }).toString());
  assert.equal(read.payload, 'A\0\ufffd');
  assert.deepEqual([read.topic, read.qos, read.retain, read.payloadlen, read.mid], ['a/b', 1, 1, 3, 7]);
});

test('sub prints each user property as an object of a list when the format is %j', () => {
  const properties = { userProperties: { a: ['1', '2'], b: '3' } };
  const read = printed('%j', { ...MESSAGE, properties }).toString();
  assert.ok(read.includes('"properties":{"user-properties":[{"a":"1"},{"a":"2"},{"b":"3"}]}'), read);
});

test('sub prints the time as ISO 8601 has it, and null for an empty payload, when the format is %j or %J', () => {
  for (const format of ['%j', '%J']) {
    const read = JSON.parse(printed(format, { ...MESSAGE, payload: Buffer.alloc(0) }).toString());
    assert.match(read.tst, /^2026-01-05T03:04:05\.006000[+-]\d{4}$/);
    assert.equal(read.payload, null);
  }
});

test('sub complains when %f meets what has not the size of a float', () => {
  const complaints: string[] = [];
  assert.equal(printed('%f', MESSAGE, complaints).toString(), '\n');
  assert.deepEqual(complaints, ['Error: Message payload is not a float: it has 5 bytes, not 4.']);
});

test('sub prints nothing when the payload is empty and there is no -v', () => {
  assert.equal(printed(null, { ...MESSAGE, payload: Buffer.alloc(0) }).length, 0);
});

test('sub complains and prints an empty line when %J meets what is no JSON', () => {
  const complaints: string[] = [];
  assert.equal(printed('%J', MESSAGE, complaints).toString(), '\n');
  assert.deepEqual(complaints, ['Error: Message payload is not valid JSON on topic a/b.']);
});

const NUMBERS: readonly (readonly [text: string, expected: string])[] = [
  ['1.50', '1.5'],
  ['12.5e3', '12500'],
  ['1e15', '1e+15'],
  ['123456789012', '123456789012'],
  ['0.1', '0.1'],
  ['1e-7', '1e-07'],
  ['-0', '-0'],
  ['3.141592653589793', '3.1415926535897931'],
  ['{"2":1,"1":2,"2":3}', '{"2":1,"1":2,"2":3}'],
  ['[ ]', '[]'],
  ['"\\u00e9\\/"', '"é/"'],
];

for (const [text, expected] of NUMBERS) {
  test(`JSON is spelled as cJSON spells it when it is ${text}`, () => {
    assert.equal(readJson(text)?.compact, expected);
  });
}

function printed(format: string | null, message: ReceivedMessage, complaints: string[] = []): Buffer {
  const complain = (line: string) => complaints.push(line);
  return new MessagePrinter({ format, verbose: false, endOfLine: true, pretty: false, complain }).bytesOf(message);
}
