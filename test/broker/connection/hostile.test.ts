// Hostile and broken clients: what they send costs a bounded amount of memory, harms no other client and leaves one line in the log.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scene } from '../../support/broker/scene.ts';
import { quiet, until } from '../../support/broker/turns.ts';
import { WirePeer } from '../../support/clients/wire-peer.ts';
import { openTcpFront } from '../../support/network/tcp-front.ts';
import { heldBytes } from '../../support/process/memory.ts';
import { hex } from '../../support/protocol/hex-template.ts';

const KIB = 1024;
const MIB = 1_048_576;

/** A conversation that touches every kind of packet; it says what must come back. */
const CONVERSATION = hex(
  `10 [ PROTOCOL 02 003C 'split' ] 82 [ 0001 'split/#' 02 ] 30 [ 'split/a' |0| ] 32 [ 'split/b' 0002 |1| ] 34 [ 'split/c' 0003 |2| ]
   62 02 0003 40 02 0001 50 02 0002 70 02 0002 A2 [ 0004 'split/#' ] C0 00 E0 00`,
  4,
);
const ANSWERS = hex(
  `20 02 00 00 90 03 0001 02 30 [ 'split/a' |0| ] 40 02 0002 32 [ 'split/b' 0001 |1| ] 50 02 0003 34 [ 'split/c' 0002 |2| ]
   70 02 0003 62 02 0002 B0 02 0004 D0 00`,
  4,
);

async function answersTo(scene: Scene, chunks: readonly Buffer[]): Promise<Buffer> {
  const peer = scene.house.open({ version: 4 });
  for (const chunk of chunks) peer.send(chunk);
  await until(() => peer.closed);
  return Buffer.concat([...peer.waiting]);
}

test('broker answers the same when every byte comes by a write of its own', async () => {
  await using scene = await Scene.open();
  const bytes = Array.from(CONVERSATION, (byte) => Buffer.of(byte));
  assert.deepEqual(await answersTo(scene, bytes), ANSWERS);
  await scene.unharmed();
  assert.equal(scene.lines.length, 1);
  await scene.alone();
});

test('broker answers the same when a conversation is split at any byte', async () => {
  await using scene = await Scene.open();
  for (let at = 1; at < CONVERSATION.length; at++) {
    const answers = await answersTo(scene, [CONVERSATION.subarray(0, at), CONVERSATION.subarray(at)]);
    assert.deepEqual(answers, ANSWERS, `split at ${at}`);
  }
  assert.equal(scene.lines.length, CONVERSATION.length - 1);
  await scene.alone();
});

test('broker refuses a packet by its length alone when 256 MB are claimed', async () => {
  await using scene = await Scene.open();
  const stranger = scene.house.open();
  stranger.send('10 FF FF FF 7F');
  await stranger.expectClosed();
  const client = await scene.house.connect({ clientId: 'liar' });
  client.send('30 FF FF FF 7F');
  await client.expect('E0 01 95'); // [MQTT-3.2.2-15]
  await client.expectClosed();
  await scene.unharmed();
  assert.deepEqual(scene.lines, [
    'Client <unknown> [127.0.0.1:50000] disconnected: oversize packet.',
    'Client liar [127.0.0.1:50000] disconnected: oversize packet.',
  ]);
  await scene.alone();
});

test('broker keeps only what has arrived when 256 MB are allowed, claimed and never sent', async () => {
  await using scene = await Scene.open({ options: { maxPacketSize: 268_435_460 } });
  const liars = await Promise.all(Array.from({ length: 100 }, (_, at) => scene.house.connect({ clientId: `liar${at}` })));
  const before = heldBytes();
  for (const liar of liars) liar.send(Buffer.concat([Buffer.from('30FFFFFF7F', 'hex'), Buffer.alloc(1000)]));
  await quiet(() => scene.broker.counters.bytesReceived);
  const each = (heldBytes() - before) / liars.length;
  assert.ok(each < 8 * KIB, `${Math.round(each)} bytes each`);
  await scene.unharmed();
  for (const liar of liars) liar.abort();
  await scene.alone();
  assert.equal(scene.lines.length, liars.length);
});

test('broker says so in the log when a client speaks TLS to it', async () => {
  await using scene = await Scene.open();
  const peer = scene.house.open();
  peer.send('16 03 01 02 00 01 00 00 02');
  await peer.expectClosed();
  assert.ok(
    scene.lines.includes('Client from 127.0.0.1:50000 appears to be using TLS to connect to a non-TLS listener.'),
    scene.lines.join('\n'),
  );
});

test('broker gathers no more than a CONNECT can be when a stranger sends one without end', async () => {
  await using scene = await Scene.open({ options: { maxPacketSize: 268_435_460 } });
  const stranger = scene.house.open();
  stranger.send(`10 81 80 20`); // 524,289 bytes follow
  await stranger.expectClosed();
  assert.equal(scene.lines.length, 1);
  const largest = `'${'u'.repeat(65_535)}'`;
  const client = scene.house.open({ version: 4 });
  client.send(`10 [ PROTOCOL C6 0000 'large' 'w' ${largest} ${largest} ${largest} ]`);
  await client.expect('20 02 00 00');
  client.send(`30 [ 'a' 00*600000 ]`); // and afterwards larger packets are allowed
  await client.expectSilence();
});

test('broker serves others in between when a million tiny packets come in one write', async () => {
  await using scene = await Scene.open();
  await using front = await openTcpFront(scene.house);
  const socket = await front.dial();
  const flooder = new WirePeer(socket, { version: 4 });
  flooder.send(`10 [ PROTOCOL 02 0000 'flooder' ]`);
  await flooder.expect('20 02 00 00');
  const { counters } = scene.broker;
  const before = counters.packetsReceived;
  socket.write(Buffer.alloc(5_000_000, Buffer.from('3003000161', 'hex')));
  let rounds = 0;
  while (counters.packetsReceived - before - 2 * rounds < 1_000_000) {
    await scene.unharmed();
    rounds++;
    assert.ok(rounds < 1_000_000, 'the flood never arrived');
  }
  assert.ok(rounds >= 3, `the witness was served ${rounds} times meanwhile`);
  assert.equal(counters.publishReceived, 1_000_000 + rounds);
  flooder.abort();
  await scene.alone();
  assert.equal(scene.lines.length, 1);
});

const DEEP = 'a/'.repeat(201); // 202 levels, the last one empty
const DEEPEST = '/'.repeat(65_535);

for (const [what, topic] of [
  ['202 levels', DEEP],
  ['65,536 levels', DEEPEST],
] as const) {
  test(`broker refuses topics when they have ${what}`, async () => {
    await using scene = await Scene.open();
    const publisher = await scene.house.connect({ clientId: 'deep' });
    publisher.send(`30 [ '${topic}' 00 ]`);
    await publisher.expect('E0 01 81');
    await publisher.expectClosed();
    for (const packet of [
      `82 [ 0001 00 '${topic}' 00 ]`,
      `82 [ 0001 00 '$share/g/${topic.slice(0, 60_000)}' 00 ]`,
      `A2 [ 0001 00 '${topic}' ]`,
    ]) {
      const subscriber = await scene.house.connect({ clientId: 'deep' });
      subscriber.send(packet);
      await subscriber.expect('E0 01 81');
      await subscriber.expectClosed();
    }
    const testator = scene.house.open();
    testator.send(`10 [ PROTOCOL 06 0000 {} 'deep' {} '${topic}' '' ]`);
    await testator.expect('20 [ 00 90 {...} ]');
    await testator.expectClosed();
    await scene.unharmed();
    await scene.alone();
    assert.equal(scene.lines.length, 5);
  });
}

test('broker refuses a will or a message when only the mount point makes its topic too deep or too long', async () => {
  await using scene = await Scene.open({ policy: { mountPoint: 'mount/point/' } });
  for (const [topic, code] of [
    ['a/'.repeat(200), '81'],
    ['x'.repeat(65_530), '90'],
  ]) {
    const testator = scene.house.open();
    testator.send(`10 [ PROTOCOL 06 0000 {} 'deep' {} '${topic}' 'bye' ]`);
    await testator.expect('20 [ 00 90 {...} ]');
    await testator.expectClosed();
    const publisher = await scene.house.connect({ clientId: 'deep' });
    publisher.send(`30 [ '${topic}' 00 ]`);
    await publisher.expect(`E0 01 ${code}`);
    await publisher.expectClosed();
  }
  await scene.unharmed();
  assert.equal(scene.lines.length, 4);
});

test('broker holds at most Receive Maximum QoS 2 exchanges of a v5 client when it never releases any', async () => {
  await using scene = await Scene.open();
  const flooder = await scene.house.connect({ clientId: 'half-open' });
  for (let id = 1; id <= 21; id++) flooder.send(`34 [ 'a' ${id.toString(16).padStart(4, '0')} 00 ]`);
  for (let id = 1; id <= 20; id++) await flooder.expect(`50 [ ${id.toString(16).padStart(4, '0')} ]`);
  await flooder.expect('E0 01 93'); // [MQTT-3.3.4-7]
  await flooder.expectClosed();
  await scene.unharmed();
  assert.deepEqual(scene.lines, ['Client half-open [127.0.0.1:50000] disconnected: receive maximum exceeded.']);
  await scene.alone();
});

test('broker holds at most the identifiers that there are when a 3.1.1 client opens QoS 2 exchanges without end', async () => {
  await using scene = await Scene.open();
  const near = scene.deaf('half-open');
  near.resume();
  const all = Buffer.alloc(65_535 * 7);
  for (let id = 1; id <= 65_535; id++) {
    all.write('340500016100', (id - 1) * 7, 'hex');
    all.writeUInt16BE(id, (id - 1) * 7 + 5);
  }
  for (let round = 0; round < 3; round++) near.write(all);
  await until(() => scene.broker.counters.publishReceived === 3 * 65_535);
  assert.equal(scene.broker.sessions.get('half-open')?.incoming?.size, 65_535);
  await scene.unharmed();
  scene.connection('half-open').destroy();
  await scene.alone();
  assert.equal(scene.lines.length, 1);
});

const BAD_WILLS = ['#', 'a/+', '', 'a/#/b'];

test('broker refuses a will when its topic has a wildcard, and never says one under $SYS', async () => {
  await using scene = await Scene.open();
  const watcher = await scene.house.connect({ clientId: 'watcher', version: 4 });
  watcher.send(`82 [ 0001 '$SYS/#' 00 '#' 00 ]`);
  await watcher.expect('90 [ 0001 00 00 ]');
  for (const topic of BAD_WILLS) {
    const testator = scene.house.open();
    testator.send(`10 [ PROTOCOL 06 0000 {} 'testator' {} '${topic}' 'bye' ]`);
    await testator.expect('20 [ 00 90 {...} ]');
    await testator.expectClosed();
  }
  const forger = scene.house.open();
  forger.send(`10 [ PROTOCOL 06 0000 {} 'forger' {} '$SYS/broker/uptime' 'for ever' ]`);
  await forger.expect('20 [ 00 00 {...} ]');
  forger.abort();
  await until(() => scene.broker.connections.size === 2);
  await watcher.expectSilence();
  await scene.unharmed();
  assert.equal(scene.lines.length, BAD_WILLS.length + 1);
});

for (const [what, packet, reason] of [
  ['0', `30 [ 'a' { 23 0000 } ]`, '94'],
  ['above the maximum', `30 [ 'a' { 23 000B } ]`, '94'],
  ['that was never set', `30 [ '' { 23 0001 } ]`, '82'],
] as const) {
  test(`broker closes the connection when a client uses a topic alias ${what}`, async () => {
    await using scene = await Scene.open();
    const abuser = await scene.house.connect({ clientId: 'abuser' });
    abuser.send(packet);
    await abuser.expect(`E0 01 ${reason} or E0 01 82`);
    await abuser.expectClosed();
    await scene.unharmed();
    await scene.alone();
    assert.equal(scene.lines.length, 1);
  });
}

test('broker holds one topic per alias when a client sets an alias again and again', async () => {
  await using scene = await Scene.open();
  const abuser = await scene.house.connect({ clientId: 'abuser' });
  const name = 'n'.repeat(60_000);
  await abuser.settle();
  const before = heldBytes();
  for (let count = 0; count < 200; count++) {
    abuser.send(`30 [ '${name}${count}' { 23 0001 } ]`);
    await abuser.settle();
  }
  const held = heldBytes() - before;
  assert.ok(held < MIB, `${held} bytes are held`); // nor may the topic cache keep such names
  await scene.unharmed();
});

const MALFORMED_SHARES = [
  '$share',
  '$share/',
  '$share//a',
  '$share/g',
  '$share/g/',
  '$share/+/a',
  '$share/#/a',
  '$share/g+/a',
  '$share/g/a#',
];

test('broker refuses shared subscriptions when they are malformed', async () => {
  await using scene = await Scene.open();
  for (const filter of MALFORMED_SHARES) {
    const code = /#|g\+/.test(filter) ? '81' : '82'; // no filter at all, or no share name
    for (const packet of [`82 [ 0001 00 'a' 00 '${filter}' 00 ]`, `A2 [ 0001 00 'a' '${filter}' ]`]) {
      const five = await scene.house.connect({ clientId: 'five' });
      five.send(packet);
      await five.expect(`E0 01 ${code}`);
      await five.expectClosed();
    }
  }
  const five = await scene.house.connect({ clientId: 'five' });
  five.send(`82 [ 0001 00 '$share/g/a' 04 ]`); // No Local [MQTT-3.8.3-4]
  await five.expect('E0 01 82');
  await five.expectClosed();
  for (const filter of MALFORMED_SHARES) {
    const four = await scene.house.connect({ clientId: 'four', version: 4 });
    four.send(`82 [ 0001 '${filter}' 00 ]`);
    await four.expectClosed();
  }
  await scene.unharmed();
  await scene.alone();
  assert.equal(scene.lines.length, 1 + 3 * MALFORMED_SHARES.length);
});

const STRANGE_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'then',
  '#',
  '+',
  'a/#',
  '$SYS',
  '$share',
  ' ',
  '../../etc/passwd',
  '%c',
  '\u202eevil',
];

for (const [how, authenticate] of [
  ['at once', () => 'accepted' as const],
  ['later', async () => 'accepted' as const],
] as const) {
  test(`broker treats client ids like any other when they are names with a meaning elsewhere and are let in ${how}`, async () => {
    await using scene = await Scene.open({ authenticator: { authenticate } });
    const peers = await Promise.all(STRANGE_NAMES.map((clientId) => scene.house.connect({ clientId })));
    assert.equal(scene.broker.connectedClients, STRANGE_NAMES.length + 1);
    for (const [at, clientId] of STRANGE_NAMES.entries()) {
      assert.equal(scene.broker.sessions.get(clientId)?.clientId, clientId);
      await peers[at]!.expectSilence();
    }
    const heirs = await Promise.all(STRANGE_NAMES.map((clientId) => scene.house.connect({ clientId })));
    for (const peer of peers) {
      await peer.expect('E0 01 8E');
      await peer.expectClosed();
    }
    await scene.unharmed();
    for (const heir of heirs) {
      heir.send('E0 00');
      await heir.expectClosed();
    }
    await scene.alone();
    assert.equal(scene.lines.length, 2 * STRANGE_NAMES.length);
  });
}

test('broker treats topics, filters, groups and user properties like any other when they are names with a meaning elsewhere', async () => {
  await using scene = await Scene.open();
  const levels = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__'];
  const peer = await scene.house.connect({ clientId: 'odd' });
  for (const [at, level] of levels.entries()) {
    const topic = `${level}/${levels[(at + 1) % levels.length]}`;
    peer.send(`82 [ 0001 00 '${topic}' 00 '$share/${level}/${topic}' 00 ]`);
    await peer.expect('90 [ 0001 00 00 00 ]');
    peer.send(`31 [ '${topic}' { 26 '__proto__' '${level}' } |odd| ]`);
    await peer.expect(`30 [ '${topic}' { 26 '__proto__' '${level}' } |odd| ]`);
    await peer.expect(`30 [ '${topic}' { 26 '__proto__' '${level}' } |odd| ]`);
    peer.send(`A2 [ 0001 00 '${topic}' '$share/${level}/${topic}' ]`);
    await peer.expect('B0 [ 0001 00 00 00 ]');
    assert.equal(scene.broker.retained.get(topic)?.payload.toString(), 'odd');
  }
  assert.equal(scene.broker.retained.count, levels.length);
  assert.equal(({} as Record<string, unknown>)['odd'], undefined);
  await scene.unharmed();
  peer.abort();
  await scene.alone();
});
