// Why a client was turned away, in the running program: what came to the socket, and what `midge why` says of it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Status } from '../../src/operations/status.ts';
import type { Reasons } from '../../src/operations/why.ts';
import { dialAs } from '../support/clients/dial.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { closed } from '../support/network/closed.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';

const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

/** house starts a broker with a listener of the given words, user jane, and an ACL file. */
async function house(context: TestContext, listener = '', env = {}) {
  const folder = temporaryFolder(context);
  const [conf, acl, passwords, state] = ['midge.conf', 'acl', 'passwd', 'state/midge'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ]; // four names
  writeFileSync(acl, 'user jane\ntopic write home/#\ntopic deny home/door\n');
  writeFileSync(passwords, '', { mode: 0o600 });
  await runMidge(folder, ['passwd', '-b', passwords, 'jane', 'secret']);
  writeFileSync(conf, `persistence true\npassword_file ${passwords}\nacl_file ${acl}\nbind_address 127.0.0.1\n${listener}`);
  const broker = startMidge(context, folder, ['serve', '-c', conf, '-p', '0', '--state', state], { env });
  const port = await openPort(broker);
  const json = async <T>(...words: string[]) => JSON.parse((await runMidge(folder, [...words, '--json', '--state', state])).stdout) as T; // the program's own
  const why = (...about: string[]) => json<Reasons>('why', ...about);
  return { folder, acl, state, broker, port, why, status: () => json<Status & { troubles: string[] }>('status') };
}

/** until asks again and again until the answer is what is waited for. */
async function until<T>(ask: () => Promise<T>, isMet: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isMet(answer)) return answer;
  }
}

async function say(port: number, bytes: string | Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.resume().write(bytes);
  await closed(socket);
}

test('midge why tells what came to a plain port, who gave a wrong password, and which line denied a topic', async (context) => {
  const { folder, acl, state, broker, port, why } = await house(context);
  const probe = connect(port, '127.0.0.1').on('error', () => {});
  await once(probe, 'connect');
  const probePort = probe.localPort;
  probe.destroy();
  await say(port, 'GET / HTTP/1.1\r\n\r\n');
  await say(port, Buffer.from('16030100c8010000c40303', 'hex'));
  for (const [user, password] of [
    ['jane', 'wrong'],
    ['joe', 'secret'],
  ] as const) {
    const peer = dialAs(port, { clientId: 'phone', username: user, password });
    await peer.expect('20 [ 00 87 { ... } ]');
    peer.abort();
  }
  const anonymous = dialAs(port, { clientId: 'lamp' });
  await anonymous.expect('20 [ 00 87 { ... } ]');
  const jane = dialAs(port, { clientId: 'phone', username: 'jane', password: 'secret' });
  await jane.expect('20 [ 00 00 { ... } ]');
  for (const topic of ['home/door', 'garden', '$SYS/x']) {
    jane.send(`32 [ '${topic}' 0007 {} |on| ]`);
    await jane.expect('40 [ 0007 87 ]');
  }
  for (const filter of ['home/#', '$share/all/garden/#']) {
    jane.send(`82 [ 0001 {} '${filter}' 00 ]`);
    await jane.expect('90 [ 0001 {} 00 ]');
  }

  const { refusals, deaf, letIn } = await why();
  assert.equal(letIn, null, 'nobody was asked about');
  assert.deepEqual(
    refusals.toReversed().map(({ clientId, reason }) => `${clientId} ${reason}`),
    [
      ' speaks HTTP to an MQTT port',
      ' speaks TLS to a port without TLS',
      'phone gives a wrong password for user "jane"',
      'phone gives user "joe", who has no account here',
      'lamp gives no user name, and this listener lets nobody in without',
      `phone may not publish to "home/door": ${acl}:3: topic deny home/door`,
      `phone may not publish to "garden": no rule of ${acl} allows it`,
      'phone may not publish to "$SYS/x": nobody but the broker itself writes there',
    ],
  );
  assert.deepEqual(
    deaf.map(({ clientId, topicFilter }) => [clientId, topicFilter]),
    [
      ['phone', 'home/#'],
      ['phone', '$share/all/garden/#'],
    ],
  );
  assert.deepEqual(
    (await why('lamp')).refusals.map(({ cause }) => cause),
    ['not allowed'],
  );
  assert.deepEqual(
    refusals.toReversed().map(({ advice }) => advice),
    [
      'use MQTT over TCP in the client: this broker has no port for WebSocket',
      'turn TLS off in the client: this broker has no port with TLS',
      `a new password: midge passwd ${join(folder, 'passwd')} jane`,
      `to let this user in: midge passwd ${join(folder, 'passwd')} joe`,
      null,
      'a deny line is stronger than all others: take it away, or name less by it',
      'to allow it, write below "user jane": topic write garden',
      null,
    ],
  );
  assert.deepEqual(
    deaf.map(({ advice }) => advice),
    ['home/#', 'garden/#'].map((filter) => `to allow it, write below "user jane": topic read ${filter}`),
  );
  assert.deepEqual(
    deaf.map(({ missing }) => missing),
    ['home/#', 'garden/#'],
  );
  const { stdout } = await runMidge(folder, ['why', 'joe', '--state', state]);
  assert.match(
    stdout,
    /^\S+ {2}client phone, user joe, from 127\.0\.0\.1 on port \d+ gives user "joe", who has no account here\n +-> to let this user in: midge passwd \/\S+\/passwd joe\n$/,
  );
  const ofJane = await runMidge(folder, ['why', 'jane', '--state', state]);
  assert.match(
    ofJane.stdout,
    /^\S+ {2}user jane was let in from 127\.0\.0\.1 as client phone, the last time since the broker started\.\n\S+ {2}/,
  );
  await broker.line(/New connection from 127\.0\.0\.1:\d+ on port/);
  assert.ok(!broker.lines.some((line) => line.includes(`127.0.0.1:${probePort}`)), 'the probe is not in the log');
});

test('device that comes and goes is told of with advice, and counts as nobody who was turned away', async (context) => {
  const { port, why, status } = await house(context);
  for (let times = 0; times < 10; times++) {
    const jane = dialAs(port, { clientId: 'sensor', username: 'jane', password: 'secret' });
    await jane.expect('20 [ 00 00 { ... } ]');
    jane.send('e0 [ ]');
    await jane.expectClosed();
  }
  const { refusals } = await why();
  assert.deepEqual(
    refusals.map(({ cause, adviceCode }) => [cause, adviceCode]),
    [['flapping', 'comes and goes']],
  );
  assert.equal((await status()).refusals, 0);
});

test('midge why tells of strange protocols and of too large packets in whole sentences', async (context) => {
  const { port, why, status } = await house(context, 'max_packet_size 100\n');
  await say(port, Buffer.from('100c00044d5154580402003c0000', 'hex')); // MQTX
  await say(port, Buffer.from('100c00044d5154540902003c0000', 'hex')); // version 9
  await say(port, Buffer.from('100c00044d5154540902003c0000', 'hex'));
  assert.equal((await status()).refusals, 3);
  await say(port, Buffer.from('10c801', 'hex'));
  const jane = dialAs(port, { clientId: 'phone', username: 'jane', password: 'secret' });
  await jane.expect('20 [ 00 00 { ... } ]');
  jane.send(Buffer.from('30c801', 'hex'));
  await jane.expect('E0 [ 95 ]');
  const { refusals } = await why();
  assert.equal(refusals[0]?.clientId, 'phone');
  assert.deepEqual(
    refusals.toReversed().map(({ reason, advice }) => [reason, advice]),
    [
      ['asks for a protocol that this broker does not speak: protocol name "MQTX" is not MQTT', null],
      ['asks for a protocol that this broker does not speak: protocol version 9 is not supported', null],
      [
        'sends more than max_packet_size allows: packet of 203 bytes exceeds the maximum of 100',
        'let it send less, or set max_packet_size higher',
      ],
      [
        'sends more than max_packet_size allows: packet of 203 bytes exceeds the maximum of 100',
        'let it send less, or set max_packet_size higher',
      ],
    ],
  );
});

test('midge why tells what came to a TLS port', {
  skip: HAS_OPENSSL ? false : 'openssl is not installed (Debian package openssl)',
}, async (context) => {
  const { port, why } = await house(context, 'secure true\n');
  spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-verify_return_error'], { input: '' });
  await say(port, Buffer.from('100c00044d5154540402003c0000', 'hex'));
  await say(port, 'GET / HTTP/1.1\r\n\r\n');
  const trusting = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {});
  await once(trusting, 'secureConnect');
  trusting.end();
  await closed(trusting.resume());
  const { refusals } = await why();
  assert.deepEqual(
    refusals.toReversed().map(({ reason, advice }) => [reason, advice !== null]),
    [
      ['failed the TLS handshake: it does not trust the certificate of this broker', true],
      ['failed the TLS handshake: it does not appear to be using TLS', true],
      ['failed the TLS handshake: it speaks plain HTTP to a TLS listener', true],
      ['closes the connection right after the TLS handshake: it may not trust the certificate of this broker', true],
    ],
  );
});

test('midge status tells who may connect, what is kept, certificate, clock and machine', async (context) => {
  const { folder, port, state, status } = await house(context, 'secure true\n');
  const told = await status();
  assert.deepEqual(told.access, [`port ${port} (MQTT with TLS): the users in ${join(folder, 'passwd')} from this machine`]);
  assert.deepEqual(told.clients, { connected: 0, away: 0, connections: 0 });
  assert.equal(told.store?.state, 'ok');
  assert.match(told.certificates?.authorityFingerprint ?? '', /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  for (const name of ['127.0.0.1', '::1']) assert.ok(told.certificates?.serverNames.includes(name), name);
  assert.equal(told.clock.trusted, true);
  assert.ok(told.machine.memory.available > 0);
  const { stdout, status: exit } = await runMidge(folder, ['status', '--state', state]);
  assert.match(stdout, /^Listening on +port \d+ \(MQTT with TLS\): the users in /m);
  assert.equal(exit, told.troubles.length === 0 ? 0 : 1);
});

test('midge status counts neither the test of itself nor $SYS, and says what was reloaded, when and by what, and what is not in force', async (context) => {
  const { folder, broker, port, state, status } = await house(context, '', { WATCHDOG_USEC: '3000000' });
  const quiet = await status();
  assert.deepEqual(quiet.clients, { connected: 0, away: 0, connections: 0 });
  const { received, sent, retained, subscriptions } = quiet.messages;
  assert.deepEqual({ received, sent, retained, subscriptions }, { received: 0, sent: 0, retained: 0, subscriptions: 0 });
  assert.deepEqual([quiet.state, quiet.reload, quiet.changedFiles], [state, null, []]);
  const jane = dialAs(port, { clientId: 'phone', username: 'jane', password: 'secret' });
  await jane.expect('20 [ 00 00 { ... } ]');
  jane.send(`32 [ 'home/lamp' 0007 {} |on| ]`);
  await jane.expect('40 [ 0007 10 ]');
  const busy = await status();
  assert.deepEqual([busy.clients.connected, busy.clients.connections, busy.listeners[0]?.connections], [1, 1, 1]);
  assert.deepEqual([busy.messages.received, busy.messages.sent, busy.messages.subscriptions], [1, 0, 0]);

  appendFileSync(join(folder, 'midge.conf'), '# a remark\n');
  assert.deepEqual((await status()).changedFiles, [join(folder, 'midge.conf')]);
  process.kill(broker.pid, 'SIGHUP');
  await broker.line(/Reloading config\.$/);
  const reloaded = await until(status, ({ reload }) => reload !== null);
  assert.deepEqual([reloaded.reload?.by, reloaded.reload?.error, reloaded.changedFiles], ['signal', null, []]);
  assert.match(reloaded.reload?.at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  appendFileSync(join(folder, 'midge.conf'), 'nonsense\n');
  process.kill(broker.pid, 'SIGHUP');
  const failed = await until(status, ({ reload }) => reload?.error != null);
  assert.deepEqual(failed.troubles.slice(0, 1), ['The last reload failed: The configuration has mistakes: nothing was changed.']);
  const { stdout, status: exit } = await runMidge(folder, ['status', '--state', state]);
  assert.match(stdout, /^Reloaded +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d, after a signal: failed$/m);
  assert.match(stdout, /^Changed +\/\S+\/midge\.conf: not in force yet \(kill -HUP \d+\)$/m);
  assert.equal(exit, 1);
});

test('midge status says that a command has asked for a reload when midge passwd has changed the accounts', async (context) => {
  const { folder, status } = await house(context);
  const { status: exit, stderr } = await runMidge(folder, ['passwd', '-b', join(folder, 'passwd'), 'joe', 'secret']);
  assert.equal(exit, 0, stderr);
  const { reload, changedFiles } = await status();
  assert.deepEqual([reload?.by, reload?.error, changedFiles], ['command', null, []]);
});

test('midge status says that a file has changed when reload_on_change has taken it over', async (context) => {
  const { folder, status } = await house(context, 'reload_on_change true\n');
  appendFileSync(join(folder, 'acl'), 'topic read home/#\n');
  const { reload, changedFiles } = await until(status, (told) => told.reload !== null);
  assert.deepEqual([reload?.by, reload?.error, changedFiles], ['change', null, []]);
});

for (const [words, pattern] of [
  [['status'], /^State +\/\S+\/\.midge$/m],
  [['why'], /^The broker has refused no client since/],
  [['backup', 'out.tar.gz'], /files of \/\S+\/\.midge, /],
] as const) {
  test(`midge ${words[0]} finds the broker whose state is in the folder where it is called, as that of make run`, async (context) => {
    const folder = temporaryFolder(context);
    await openPort(startMidge(context, folder, ['serve', '-p', '0', '--state', join(folder, '.midge')]));
    const { stdout, stderr } = await runMidge(folder, [...words]);
    assert.match(stdout, pattern, stderr);
  });
}

test('midge status says where it looked when no broker runs', async (context) => {
  const folder = temporaryFolder(context);
  const { status, stderr } = await runMidge(folder, ['status', '--state', folder]);
  assert.equal(status, 1);
  assert.equal(stderr, `Cannot ask the broker: none runs with its state in ${folder} - start it, or name its folder with --state\n`);
});

test('midge why does not call a bridge deaf, whose topics say what it carries, whatever the rules', async (context) => {
  const { port, why } = await house(context, 'connection cellar\naddress 127.0.0.1:1\ntopic home/# both 1\n');
  const jane = dialAs(port, { clientId: 'phone', username: 'jane', password: 'secret' });
  await jane.expect('20 [ 00 00 { ... } ]');
  jane.send(`82 [ 0001 {} 'home/#' 00 ]`);
  await jane.expect('90 [ 0001 {} 00 ]');
  const { deaf } = await until(why, (answer) => answer.deaf.length > 0);
  assert.deepEqual(
    deaf.map(({ clientId }) => clientId),
    ['phone'],
  );
});
