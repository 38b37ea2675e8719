// From a blank card with a midge.txt to messages over TLS, seen from outside.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Card, IMAGE, obstacle } from './card.ts';
import { switchOn } from './machine.ts';

const run = promisify(execFile);
const skip = obstacle();

const MIDGE_TXT = `\ufeff# as Notepad writes it\r
hostname = testbed\r
account = jane correct horse battery\r
certificate_names = mqtt.test.example\r
time_zone = Europe/Berlin\r
wifi_contry = DE\r
`;
const LOGIN = { username: 'jane', password: 'correct horse battery' };

test('image carries messages over TLS when a blank card is booted', { skip }, async (t) => {
  const card = new Card(t, IMAGE ?? '');
  card.write('midge.txt', MIDGE_TXT);
  const root = card.rootDigest();
  const start = Date.now();
  const machine = await switchOn(t, card, { memoryMb: 512 });
  const client = await machine.connect(LOGIN);
  t.diagnostic(`first CONNACK after ${((Date.now() - start) / 1000).toFixed(0)} s`);
  const line = await machine.ready();
  t.diagnostic(line);
  assert.match(line, /testbed\.local is ready: addresses=10\.0\.2\.15/);
  assert.match(line, /accounts=1 /);
  assert.doesNotMatch(line, /failed=/);

  await t.test('image refuses whoever has no account', async () => {
    for (const login of [{}, { ...LOGIN, password: 'wrong' }, { username: 'midge', password: 'midge' }]) {
      await assert.rejects(machine.connect(login), { code: 5 });
    }
  });

  await t.test('image is known by every name when TLS asks', async () => {
    const authority = authorityOf(card, line);
    for (const servername of ['testbed.local', 'testbed', 'mqtt.test.example']) {
      const secure = await machine.connect({
        ...LOGIN,
        protocol: 'mqtts',
        port: machine.ports.secure,
        ca: readFileSync(authority),
        servername,
      });
      await secure.endAsync();
    }
    await assert.rejects(
      run('openssl', [
        's_client',
        '-connect',
        `127.0.0.1:${machine.ports.secure}`,
        '-CAfile',
        authority,
        '-verify_hostname',
        'other.local',
        '-verify_return_error',
        '-brief',
      ]),
      /hostname mismatch/i,
    );
  });

  await t.test('image carries a message when mosquitto_pub and mosquitto_sub verify its certificate', async () => {
    const authority = authorityOf(card, line);
    const words = [
      '-h',
      'localhost',
      '-p',
      String(machine.ports.secure),
      '--cafile',
      authority,
      '-u',
      LOGIN.username,
      '-P',
      LOGIN.password,
    ];
    await run('mosquitto_pub', [...words, '-t', 'owntracks/jane/phone', '-q', '1', '-r', '-m', 'hello']);
    const { stdout } = await run('mosquitto_sub', [...words, '-t', 'owntracks/#', '-C', '1', '-W', '30', '-v']);
    assert.equal(stdout, 'owntracks/jane/phone hello\n');
  });

  await t.test('image announces itself by mDNS', () => {
    const traffic = readFileSync(machine.traffic);
    for (const name of ['_mqtt', '_secure-mqtt', 'testbed']) assert.ok(traffic.includes(label(name)), `no ${name} in the announcements`);
    assert.ok(traffic.includes(Buffer.from([0x14, 0xe9, 0x14, 0xe9])), 'nothing from port 5353 to port 5353');
  });

  await client.endAsync();
  await machine.cut();

  await t.test('image has written its report when the power is off', () => {
    const report = card.read('midge-report.txt') ?? '';
    assert.match(report, /testbed\.local\r\n/);
    assert.match(report, /10\.0\.2\.15/);
    assert.match(report, /accounts +jane\r\n/);
    assert.match(report, /the broker is running/);
    assert.match(report, /midge\.txt line 6: there is no setting "wifi_contry" - did you mean wifi_country\?/);
    assert.doesNotMatch(report, /correct horse/);
  });

  await t.test('image has taken the password out of midge.txt', () => {
    assert.match(card.read('midge.txt') ?? '', /# account jane: taken/);
    const { start: at, size } = card.partition(1);
    assert.ok(!card.bytes(at, size).includes('correct horse'), 'the password is still on the boot partition');
  });

  await t.test('image has grown its data partition to the end of the card', () => {
    const { start: at, size } = card.partition(3);
    assert.equal(at + size, 2 ** 31);
  });

  await t.test('image has left its root alone', () => assert.equal(card.rootDigest(), root));
});

function authorityOf(card: Card, line: string): string {
  const file = join(card.folder, 'ca.crt');
  const text = card.read('ca.crt');
  assert.ok(text, `no ca.crt on the boot partition: ${line}`);
  writeFileSync(file, text);
  return file;
}

/** A label of a domain name, RFC 1035 3.1. */
function label(text: string): Buffer {
  return Buffer.from([text.length, ...Buffer.from(text)]);
}
