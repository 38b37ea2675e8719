// pub, sub and rr through our own listeners and broker: TCP, TLS, WebSocket, secure WebSocket, lost connections.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createListener } from '../../src/listeners/listeners.ts';
import type { ListenerOptions } from '../../src/listeners/options.ts';
import { PendingConnections } from '../../src/listeners/pending-connections.ts';
import { PLAIN, TLS } from '../listeners/test-listener.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { runMidge } from '../support/process/command-line.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

const TRANSPORTS: readonly { name: string; options: Partial<ListenerOptions>; words: (port: number, cafile: string) => string[] }[] = [
  { name: 'TCP', options: {}, words: (port) => ['-h', '127.0.0.1', '-p', String(port)] },
  { name: 'TLS', options: { tls: TLS }, words: (port, cafile) => ['-h', 'localhost', '-p', String(port), '--cafile', cafile] },
  {
    name: 'TLS of an address',
    options: { tls: TLS },
    words: (port, cafile) => ['-h', '127.0.0.1', '-p', String(port), '--cafile', cafile],
  },
  { name: 'WebSocket', options: { protocol: 'websockets' }, words: (port) => ['-h', `ws://127.0.0.1:${port}`] },
  {
    name: 'secure WebSocket',
    options: { protocol: 'websockets', tls: TLS },
    words: (port, cafile) => ['-h', `wss://localhost:${port}`, '--cafile', cafile],
  },
  { name: '--ws', options: { protocol: 'websockets' }, words: (port) => ['-h', '127.0.0.1', '-p', String(port), '--ws'] },
  {
    name: '--ws and TLS',
    options: { protocol: 'websockets', tls: TLS },
    words: (port, cafile) => ['-h', 'localhost', '-p', String(port), '--ws', '--cafile', cafile],
  },
];

for (const { name, options, words } of TRANSPORTS) {
  for (const version of ['31', '311', '5']) {
    test(`pub and sub carry a message when connected by ${name} with MQTT ${version}`, async (context) => {
      const { port, cafile } = await listen(context, options);
      const place = [...words(port, cafile), '-V', version];
      const published = await runMidge(['pub', ...place, '-t', 'home/Δ', '-m', 'on', '-r', '-q', '1']);
      assert.deepEqual([published.status, published.stderr], [0, '']);
      const received = await runMidge(['sub', ...place, '-t', 'home/#', '-C', '1', '-F', '%t %p %r']);
      assert.deepEqual([received.status, received.stderr, received.stdout.toString()], [0, '', 'home/Δ on 1\n']);
    });
  }
}

for (const [what, isTls, words, advice] of [
  ['does not trust the authority', true, ['-h', 'localhost', '--tls-use-os-certs'], /^-> .*--cafile FILE \(midge cert export-ca/m],
  ['meets TLS without it', true, [], /^-> .*if this port speaks TLS, name the authority to trust by --cafile FILE$/m],
  ['asks a plain port for TLS', false, ['--tls-use-os-certs'], /^-> perhaps this port does not speak TLS/m],
] as const) {
  test(`pub says what may help when it ${what}; mosquitto_pub does not`, async (context) => {
    const { port } = await listen(context, isTls ? { tls: TLS } : {});
    const all = ['-h', '127.0.0.1', '-p', String(port), ...words, '-t', 'a', '-m', 'b'];
    const [ours, theirs] = [await runMidge(['pub', ...all]), await runMidge(all, { program: 'mosquitto_pub' })];
    assert.match(ours.stderr, advice);
    assert.doesNotMatch(theirs.stderr, /->/);
    assert.equal(ours.status, theirs.status);
  });
}

test('pub takes scheme, port and topic from a URL when given -L', async (context) => {
  const { port } = await listen(context, { protocol: 'websockets' });
  const published = await runMidge(['pub', '-L', `ws://127.0.0.1:${port}/a/b`, '-m', 'x', '-r', '-q', '1']);
  assert.deepEqual([published.status, published.stderr], [0, '']);
  const received = await runMidge(['sub', '-L', `ws://127.0.0.1:${port}/a/b`, '-C', '1', '-v']);
  assert.equal(received.stdout.toString(), 'a/b x\n');
});

test('pub ends with status 8 when the authority is unknown', async (context) => {
  const { port } = await listen(context, { tls: TLS });
  const stranger = join(temporaryFolder(context), 'ca.crt');
  writeFileSync(stranger, (await testAuthority('CN=Stranger')).cert);
  for (const name of ['pub', 'sub']) {
    const words = [name, '-h', 'localhost', '-p', String(port), '--cafile', stranger, '-t', 'a', ...(name === 'pub' ? ['-n'] : [])];
    const { status, stderr } = await runMidge(words);
    assert.match(
      stderr,
      /^Error: A TLS error occurred \(unable to verify the first certificate\)\.\n-> the authority .* is not trusted here: .*--cafile FILE .*\n$/,
    );
    assert.equal(status, 8);
  }
});

test('pub accepts any name in the certificate, but no other authority, when --insecure', async (context) => {
  const { port, cafile } = await listen(context, { tls: TLS, address: '127.0.0.2' });
  const words = ['pub', '-h', '127.0.0.2', '-p', String(port), '-t', 'a', '-n', '--cafile'];
  assert.equal((await runMidge([...words, cafile])).status, 8);
  assert.equal((await runMidge([...words, cafile, '--insecure'])).status, 0);
  const stranger = join(temporaryFolder(context), 'ca.crt');
  writeFileSync(stranger, (await testAuthority('CN=Stranger')).cert);
  assert.equal((await runMidge([...words, stranger, '--insecure'])).status, 8);
});

test('pub ends with status 1 when nobody listens', async (context) => {
  const port = await closedPort();
  for (const words of [
    ['pub', '-p', String(port), '-h', '127.0.0.1', '-t', 'a', '-n'],
    ['pub', '-p', String(port), '-h', 'localhost', '-t', 'a', '-n'],
    ['sub', '-L', `ws://127.0.0.1:${port}/a`],
    ['sub', '-p', String(port), '-h', '127.0.0.1', '-t', 'a', '--cafile', (await listen(context, { tls: TLS })).cafile],
  ]) {
    const { status, stderr } = await runMidge(words);
    assert.equal(stderr, 'Error: Connection refused\n');
    assert.equal(status, 1);
  }
});

test('pub ends with status 7 when the broker closes the connection', async (context) => {
  const port = await serveRaw(context, (socket) => socket.once('data', () => socket.destroy()));
  const { status, stderr } = await runMidge(['pub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-m', 'x', '-q', '1']);
  assert.match(stderr, /^Error: The connection was lost\.\n-> the broker closed the connection without an answer: .*\n$/);
  assert.equal(status, 7);
});

test('pub ends with status 4 and sub with 0 when the broker sends DISCONNECT', async (context) => {
  const port = await serveRaw(context, (socket) => {
    socket.once('data', () => socket.end(Buffer.from([0x20, 3, 0, 0, 0, 0xe0, 2, 0x8b, 0])));
  });
  const place = ['-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-V', '5', '-q', '1'];
  const pub = await runMidge(['pub', ...place, '-m', 'x']);
  assert.deepEqual([pub.status, pub.stderr], [4, 'Error: The client is not currently connected.\n']);
  const sub = await runMidge(['sub', ...place]);
  assert.deepEqual([sub.status, sub.stderr], [0, '']);
});

test('sub comes back and subscribes again when the connection was lost', async (context) => {
  const { port: target } = await listen(context, {});
  await runMidge(['pub', '-h', '127.0.0.1', '-p', String(target), '-t', 'a', '-m', 'still here', '-r', '-q', '1']);
  let connections = 0;
  const port = await serveRaw(context, (socket) => {
    connections++;
    if (connections === 1) return socket.once('data', () => socket.destroy());
    return relay(socket, target);
  });
  const { status, stdout } = await runMidge(['sub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-C', '1']);
  assert.equal(stdout.toString(), 'still here\n');
  assert.equal(status, 0);
  assert.equal(connections, 2);
});

test('pub sends the last line of standard input when it has no end of line', async (context) => {
  const { port } = await listen(context, {});
  const place = ['-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-q', '1'];
  await runMidge(['pub', ...place, '-r', '-l'], { stdin: 'first\nlast' });
  const { stdout } = await runMidge(['sub', ...place, '-C', '1']);
  assert.equal(stdout.toString(), 'last\n');
});

test('sub ends quietly when nobody reads its output any more', async (context) => {
  const { port } = await listen(context, {});
  const place = ['-h', '127.0.0.1', '-p', String(port), '-t', 'a'];
  await runMidge(['pub', ...place, '-m', 'x', '-r', '-q', '1']);
  const child = spawn(process.execPath, [MAIN, 'sub', ...place]);
  const errors = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  await once(child.stdout, 'close');
  const closed = once(child, 'close');
  await runMidge(['pub', ...place, '-m', 'y']);
  assert.deepEqual(await closed, [141, null]);
  assert.equal(await errors, '');
});

test('pub takes the password from a file when given --password-file', async (context) => {
  const seen: (string | null)[] = [];
  const broker = await startTestBroker({
    authenticator: {
      authenticate({ password }) {
        seen.push(password?.toString() ?? null);
        return 'accepted';
      },
    },
  });
  const port = await attach(context, broker.broker.handle.bind(broker.broker), {});
  context.after(() => broker.stop());
  const file = join(temporaryFolder(context), 'password');
  writeFileSync(file, 'pässword with blanks \nsecond line\n', { mode: 0o600 });
  const words = ['pub', '-h', '127.0.0.1', '-p', String(port.port), '-t', 'a', '-n', '-u', 'jane', '--password-file'];
  assert.equal((await runMidge([...words, file])).status, 0);
  assert.deepEqual(seen, ['pässword with blanks ']);
  const { status, stderr } = await runMidge([...words, '/nonexistent']);
  assert.match(stderr, /^Error: Unable to read password file "\/nonexistent": .+\n$/);
  assert.equal(status, 1);
});

for (const version of ['31', '311', '5']) {
  test(`rr sends a request and prints the response when connected with MQTT ${version}`, async (context) => {
    const { port } = await listen(context, {});
    const place = ['-h', '127.0.0.1', '-p', String(port), '-q', '1'];
    const responder = ['sub', ...place, '-V', '5', '-i', 'responder', '-c', '-t', 'ask'];
    await runMidge([...responder, '-E']);
    const asking = runMidge(['rr', ...place, '-V', version, '-t', 'ask', '-e', 'answer', '-m', 'how?', '-F', '%t %p', '--latency']);
    const { stdout: request } = await runMidge([...responder, '-C', '1', '-F', '%p to %R']);
    assert.equal(request.toString(), version === '5' ? 'how? to answer\n' : 'how? to \n');
    await runMidge(['pub', ...place, '-t', 'answer', '-m', 'so']);
    const { status, stdout, stderr } = await asking;
    assert.match(stdout.toString(), /^answer so\nLatency: [\d.]+(ms|µs)?\n$/);
    assert.deepEqual([status, stderr], [0, '']);
  });
}

test('rr prints no retained response when told -R, and ends with status 27 when there is no other', async (context) => {
  const { port } = await listen(context, {});
  const place = ['-h', '127.0.0.1', '-p', String(port)];
  await runMidge(['pub', ...place, '-t', 'answer', '-m', 'stale', '-r', '-q', '1']);
  const asked = ['rr', ...place, '-t', 'ask', '-e', 'answer', '-n'];
  assert.equal((await runMidge(asked)).stdout.toString(), 'stale\n');
  const { status, stdout, stderr } = await runMidge([...asked, '-R', '-W', '1']);
  assert.deepEqual([status, stdout.toString(), stderr], [27, '', 'Timed out\n']);
});

test('pub reads flags from the file of -o instead of the standing ones', async (context) => {
  const { port } = await listen(context, {});
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'mosquitto_pub'), '-p 1\n');
  const options = join(folder, 'options');
  writeFileSync(options, `# a comment\n-h 127.0.0.1\n-p ${port}\n-q 1\n-t a\n-r\n`);
  const { status, stderr } = await runMidge(['pub', '-o', options, '-m', '-o'], { env: { XDG_CONFIG_HOME: folder } });
  assert.deepEqual([status, stderr], [0, '']);
  const { stdout } = await runMidge(['sub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-C', '1']);
  assert.equal(stdout.toString(), '-o\n');
});

test('pub leaves TLS out when --no-tls overrules a standing flag', async (context) => {
  const { port } = await listen(context, {});
  const words = ['-h', '127.0.0.1', '-p', String(port), '--cafile', '/nonexistent', '--no-tls', '-t', 'a', '-n'];
  assert.equal((await runMidge(['pub', ...words])).status, 0);
});

test('pub adds the keys of its connection to a file when told --tls-keylog', async (context) => {
  for (const options of [{ tls: TLS }, { tls: TLS, protocol: 'websockets' as const }]) {
    const { port, cafile } = await listen(context, options);
    const keys = join(temporaryFolder(context), 'keys');
    const words = ['pub', '-h', 'localhost', '-p', String(port), '--cafile', cafile, '-t', 'a', '-n', '--tls-keylog', keys];
    assert.equal((await runMidge([...words, ...(options.protocol ? ['--ws'] : [])])).status, 0);
    assert.match(readFileSync(keys, 'utf8'), /^CLIENT_HANDSHAKE_TRAFFIC_SECRET /m);
    assert.equal(statSync(keys).mode & 0o777, 0o600);
  }
});

for (const [what, options, words] of [
  ['TCP', {}, []],
  ['TLS', { tls: TLS }, ['--cafile']],
  ['WebSocket', { protocol: 'websockets' }, ['--ws']],
] as const) {
  test(`pub and sub go through a proxy that asks for an account when told --proxy, by ${what}`, async (context) => {
    const { port, cafile } = await listen(context, options);
    const { port: proxyPort, asked } = await serveProxy(context, port);
    const proxy = ['--proxy', `socks5h://us%40r:pass%3Aword@127.0.0.1:${proxyPort}`];
    const place = ['-h', 'localhost', '-p', '7', ...words, ...(what === 'TLS' ? [cafile] : []), ...proxy, '-t', 'a', '-q', '1'];
    const { status, stderr } = await runMidge(['pub', ...place, '-m', 'x', '-r']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal((await runMidge(['sub', ...place, '-C', '1'])).stdout.toString(), 'x\n');
    assert.deepEqual(asked, ['us@r pass:word localhost:7', 'us@r pass:word localhost:7']);
  });
}

test('pub says that the proxy refuses it when the account is wrong, and sends nothing past the proxy', async (context) => {
  const { port } = await listen(context, {});
  const { port: proxyPort } = await serveProxy(context, port);
  const { status, stderr } = await runMidge(['pub', '-p', '7', '--proxy', `socks5h://127.0.0.1:${proxyPort}`, '-t', 'a', '-n']);
  assert.match(stderr, /^Error: .*Socks5/);
  assert.equal(status, 1);
});

test('sub gives each topic its line of the screen when told --watch', async (context) => {
  const { port } = await listen(context, {});
  const place = ['-h', '127.0.0.1', '-p', String(port), '-q', '1'];
  for (const [topic, payload] of ['a1', 'b2'].map((word) => [...word]))
    await runMidge(['pub', ...place, '-t', topic!, '-m', payload!, '-r']);
  const { stdout } = await runMidge(['sub', ...place, '-t', 'a', '-t', 'b', '-t', '#', '-w', '-C', '3', '-v']);
  const [heading, ...messages] = stdout.toString().split('\x1b[K');
  assert.match(heading!, /^\x1b\[2J\x1b\[1;1HBroker: 127\.0\.0\.1\n\x1b\[2;1H$/);
  assert.deepEqual(messages[0], 'a 1\n\x1b[2;1H\n\x1b[3;1H');
  assert.deepEqual(messages[1], 'b 2\n\x1b[3;1H\n\x1b[2;1H');
});

test('sub prints how many messages come a second when told --message-rate', async (context) => {
  const { port } = await listen(context, {});
  const place = ['-h', '127.0.0.1', '-p', String(port)];
  await runMidge(['pub', ...place, '-t', 'a', '-m', 'x', '-r', '-q', '1']);
  const { status, stdout } = await runMidge(['sub', ...place, '-t', 'a', '--message-rate', '-W', '2']);
  assert.match(stdout.toString(), /^1 msgs\/s\n/);
  assert.equal(status, 27);
});

test('sub ends when it has unsubscribed, without -t, when told -E', async (context) => {
  const { port } = await listen(context, {});
  const place = ['-h', '127.0.0.1', '-p', String(port), '-i', 'kept', '-c'];
  await runMidge(['sub', ...place, '-t', 'a', '-t', 'b', '-q', '1', '-E']);
  assert.equal((await runMidge(['sub', ...place, '-U', 'a', '-E'])).status, 0);
  for (const topic of ['a', 'b']) await runMidge(['pub', '-h', '127.0.0.1', '-p', String(port), '-t', topic, '-m', topic, '-q', '1']);
  assert.equal((await runMidge(['sub', ...place, '-U', 'none', '-C', '1'])).stdout.toString(), 'b\n');
});

/** SAID: bytes that sub sends for a flag, with MQTT 5. */
const SAID: readonly (readonly [words: readonly string[], bytes: RegExp, what: string])[] = [
  [['-C', '3'], /^10..00044d5154540502003c03210003/, 'a receive maximum of 3'],
  [['-C', '20'], /^10..00044d5154540502003c00/, 'no receive maximum'],
  [['--retain-handling', 'new'], /82..*000161(10)$/, 'retain handling 1'],
  [['--retain-handling', 'never'], /82..*000161(20)$/, 'retain handling 2'],
  [['-R'], /82..*000161(20)$/, 'retain handling 2'],
  [['--retain-as-published'], /82..*000161(08)$/, 'retain as published'],
];

for (const [words, bytes, what] of SAID) {
  test(`sub asks for ${what} when started with "${words.join(' ')}"`, async (context) => {
    const { promise: heard, resolve: hear } = Promise.withResolvers<string>();
    const port = await serveRaw(context, (socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        if (chunks.length === 1) return socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
        hear(Buffer.concat(chunks).toString('hex'));
        return socket.end(Buffer.from([0xe0, 0]));
      });
    });
    await runMidge(['sub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-V', '5', ...words]);
    assert.match(await heard, bytes);
  });
}

test('sub has its will sent when the time of -W is over with MQTT 5', async (context) => {
  const { port } = await listen(context, {});
  const place = ['-h', '127.0.0.1', '-p', String(port)];
  await runMidge(['sub', ...place, '-t', 'a', '-V', '5', '-W', '1', '--will-topic', 'w', '--will-payload', 'gone', '--will-retain']);
  assert.equal((await runMidge(['sub', ...place, '-t', 'w', '-C', '1'])).stdout.toString(), 'gone\n');
});

test('pub is ended by a signal, with the status of one, when its message is not sent yet', async (context) => {
  const { promise: connected, resolve: connect } = Promise.withResolvers<void>();
  const port = await serveRaw(context, () => connect());
  const child = spawn(process.execPath, [MAIN, 'pub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-n']);
  await connected;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  assert.deepEqual(await closed, [null, 'SIGTERM']);
});

test('sub ends with status 255 when a signal comes before the broker has answered', async (context) => {
  const { promise: connected, resolve: connect } = Promise.withResolvers<void>();
  const port = await serveRaw(context, (socket) => socket.once('data', () => connect()));
  const child = spawn(process.execPath, [MAIN, 'sub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a']);
  await connected;
  const closed = once(child, 'close');
  child.kill('SIGINT');
  assert.deepEqual(await closed, [255, null]);
});

interface Place {
  readonly port: number;
  readonly cafile: string;
}

/** listen gives a listener with a broker behind it, both for the time of a test. */
async function listen(context: TestContext, options: Partial<ListenerOptions>): Promise<Place> {
  const broker = await startTestBroker();
  context.after(() => broker.stop());
  return attach(context, broker.broker.handle.bind(broker.broker), options);
}

async function attach(
  context: TestContext,
  handle: Awaited<ReturnType<typeof startTestBroker>>['broker']['handle'],
  options: Partial<ListenerOptions>,
): Promise<Place> {
  const authority = await testAuthority();
  const pair = await authority.issue('CN=localhost');
  const policy = { ...PLAIN.policy, allowAnonymous: true };
  const listener = createListener(
    { ...PLAIN, policy, ...options },
    {
      log: recordingLog(),
      pending: new PendingConnections({ clock: systemClock, log: recordingLog() }),
      keyLog: null,
      serveHttp: (stream: Duplex) => void stream.destroy(),
      refusals: null,
      applianceCertificate: () => pair,
      applianceAuthority: () => assert.fail('nobody asks for it'),
      readRevocations: () => assert.fail('nobody asks for it'),
      maxMessageBytes: () => 2_000_000,
      handle,
    },
  );
  await listener.start();
  context.after(() => listener.stop());
  const cafile = join(temporaryFolder(context), 'ca.crt');
  writeFileSync(cafile, authority.cert);
  return { port: listener.port, cafile };
}

async function serveRaw(context: TestContext, serve: (socket: Socket) => unknown): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return (server.address() as AddressInfo).port; // it listens on TCP
}

/** serveProxy is a SOCKS5 proxy that wants an account, and leads everybody to one port of this machine. */
async function serveProxy(context: TestContext, target: number): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const port = await serveRaw(context, async (socket) => {
    const methods = await chunkOf(socket); // 05 COUNT METHOD ...
    if (!methods.subarray(2).includes(2)) return socket.end(Buffer.from([5, 0xff]));
    socket.write(Buffer.from([5, 2]));
    const account = await chunkOf(socket); // 01 LENGTH USER LENGTH PASSWORD, RFC 1929
    const user = account.subarray(2, 2 + account[1]!).toString();
    const password = account.subarray(3 + user.length).toString();
    socket.write(Buffer.from([1, 0]));
    const request = await chunkOf(socket); // 05 01 00 03 LENGTH NAME PORT
    asked.push(`${user} ${password} ${request.subarray(5, -2)}:${request.readUInt16BE(request.length - 2)}`);
    socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    return relay(socket, target);
  });
  return { port, asked };
}

async function chunkOf(socket: Socket): Promise<Buffer> {
  const [chunk] = await once(socket, 'data');
  return chunk;
}

function relay(socket: Socket, port: number): void {
  const onward = connect(port, '127.0.0.1');
  onward.on('error', () => {});
  socket.pipe(onward).pipe(socket);
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  server.close();
  await once(server, 'close');
  return port;
}
