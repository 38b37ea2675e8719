// `protocol http_api` as mosquitto 2.1 has it: its own tests (test/broker/22-http-api-*), and what may not be read.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hashPassword } from '../../src/access/password-hash.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { runMidge, startMidge } from '../support/process/midge-process.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** ask sends a path as it is: fetch would tidy it up. */
function ask(port: number, path: string, { method = 'GET', auth }: { method?: string; auth?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, ...(auth === undefined ? {} : { auth }) }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString() }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

interface House {
  readonly folder: string;
  readonly mqtt: number;
  readonly http: number;
  readonly lines: readonly string[];
}

/** house starts a broker with a listener for MQTT and one for HTTP; `more` are lines for the second. */
async function house(context: TestContext, head: string, more = ''): Promise<House> {
  const folder = temporaryFolder(context);
  const [mqtt = 0, http = 0] = await freePorts(2);
  const file = join(folder, 'midge.conf');
  const said = `${head}advertise false\nlistener ${mqtt} 127.0.0.1\nlistener ${http} 127.0.0.1\nprotocol http_api\n${more}`;
  writeFileSync(file, said.replaceAll('$DIR', folder));
  writeFileSync(join(folder, 'acl'), 'topic read /api/v1/version\nuser jane\ntopic read /api/#\ntopic read /\ntopic read /open/#\n');
  writeFileSync(join(folder, 'passwd'), `jane:${await hashPassword('janes', 'sha512-pbkdf2')}\n`, { mode: 0o600 });
  mkdirSync(join(folder, 'www/open'), { recursive: true });
  writeFileSync(join(folder, 'www/index.html'), '<h1>The house</h1>');
  writeFileSync(join(folder, 'www/app.js'), 'a'.repeat(200_000));
  writeFileSync(join(folder, 'www/empty'), '');
  writeFileSync(join(folder, 'www/open/ä b.txt'), 'umlaut');
  writeFileSync(join(folder, 'secret'), 'nobody may read this');
  mkdirSync(join(folder, 'www-beside'));
  writeFileSync(join(folder, 'www-beside/x'), 'nobody may read this');
  symlinkSync('../secret', join(folder, 'www/out'));
  symlinkSync('app.js', join(folder, 'www/in'));
  symlinkSync('loop', join(folder, 'www/loop'));
  execFileSync('mkfifo', [join(folder, 'www/fifo')]);
  const broker = startMidge(context, folder, ['serve', '-c', file]);
  await broker.line(/ running$/);
  return { folder, mqtt, http, lines: broker.lines };
}

/** What mosquitto's test expects, with -1 for what may be anything. */
const SYSTREE = {
  '$SYS/broker/clients/total': 0,
  '$SYS/broker/clients/maximum': -1,
  '$SYS/broker/clients/disconnected': -1,
  '$SYS/broker/clients/connected': -1,
  '$SYS/broker/clients/expired': 0,
  '$SYS/broker/messages/stored': -1,
  '$SYS/broker/store/messages/bytes': -1,
  '$SYS/broker/subscriptions/count': 0,
  '$SYS/broker/shared_subscriptions/count': 0,
  '$SYS/broker/retained messages/count': -1,
  '$SYS/broker/messages/received': 0,
  '$SYS/broker/messages/sent': 0,
  '$SYS/broker/bytes/received': 0,
  '$SYS/broker/bytes/sent': 0,
  '$SYS/broker/publish/bytes/received': 0,
  '$SYS/broker/publish/bytes/sent': 0,
  '$SYS/broker/packet/out/count': 0,
  '$SYS/broker/packet/out/bytes': 0,
  '$SYS/broker/connections/socket/count': -1,
  '$SYS/broker/publish/messages/dropped': 0,
  '$SYS/broker/publish/messages/received': 0,
  '$SYS/broker/publish/messages/sent': 0,
  '$SYS/broker/uptime': -1,
};

test('http_api answers about the broker as mosquitto does', async (context) => {
  const { folder, mqtt, http, lines } = await house(context, 'allow_anonymous true\n');
  assert.ok(
    lines.some((line) => line.endsWith(`Opening http api listen socket on port ${http}.`)),
    lines.join('\n'),
  );

  const wrong = await ask(http, '/api/badrequest', { method: 'POST' });
  assert.deepEqual([wrong.status, wrong.text], [405, 'Invalid HTTP Method\n']);
  assert.equal((await ask(http, '/api/v1/version', { method: 'HEAD' })).status, 405);
  for (const path of ['/api/missing', '/API/v1/version', '/', '/index.html', '/%ff', '//', '/api/v1/../v1/version']) {
    const { status, text } = await ask(http, path);
    assert.deepEqual([status, text], [404, 'Not found.\n'], path);
  }

  const listeners = await ask(http, '/api/v1/listeners?x=1');
  const plain = { tls: false, mtls: false, allow_anonymous: true };
  assert.deepEqual(JSON.parse(listeners.text), {
    listeners: [
      { port: mqtt, protocol: 'mqtt', ...plain },
      { port: http, protocol: 'httpapi', ...plain },
    ],
  });
  const version = await ask(http, '/api/v1/version');
  assert.match(version.text, /^\d+\.\d+\.\d+$/);
  const systree = await ask(http, '/api/v1/systree');
  for (const { status, headers } of [listeners, version, systree]) {
    assert.deepEqual([status, headers['access-control-allow-origin'], headers['content-type']], [200, '*', undefined]);
  }
  const numbers = JSON.parse(systree.text);
  for (const [topic, value] of Object.entries(SYSTREE)) if (value === -1 && numbers[topic] >= 0) numbers[topic] = -1;
  assert.deepEqual(numbers, SYSTREE);
  assert.equal((await runMidge(folder, ['check', join(folder, 'midge.conf')])).status, 0);
});

test('http_api asks for an account and for the right to read the path as a topic', async (context) => {
  const { http } = await house(context, 'allow_anonymous true\npassword_file $DIR/passwd\nacl_file $DIR/acl\n', 'http_dir $DIR/www\n');
  assert.equal((await ask(http, '/api/v1/version')).status, 200);
  const refused = await ask(http, '/api/v1/systree');
  assert.deepEqual([refused.status, refused.text], [401, 'Not authorised\n']);
  assert.equal(refused.headers['www-authenticate'], 'Basic realm="Mosquitto API"');
  for (const [path, auth, status] of [
    ['/api/v1/systree', 'jane:janes', 200],
    ['/api/v1/systree', 'jane:wrong', 401],
    ['/api/v1/version', 'jane:wrong', 401],
    ['/api/v1/version', 'nobody:x', 401],
    ['/api/missing', 'jane:janes', 404],
    ['/', 'jane:janes', 200],
    ['/app.js', 'jane:janes', 401],
    ['/open/../app.js', 'jane:janes', 404],
    ['/open/%2e%2e/app.js', 'jane:janes', 404],
    ['/open/%C3%A4%20b.txt', 'jane:janes', 200],
  ] as const) {
    assert.equal((await ask(http, path, { auth })).status, status, `${auth} ${path}`);
  }
});

test('http_api lets nobody in without a name when the listener does not', async (context) => {
  const { http } = await house(context, 'allow_anonymous false\npassword_file $DIR/passwd\n');
  assert.equal((await ask(http, '/api/v1/version')).status, 401);
  assert.equal((await ask(http, '/api/v1/version', { auth: 'jane:janes' })).status, 200);
});

test('http_api serves files of http_dir, and nothing outside it', async (context) => {
  const { http, lines, folder } = await house(context, 'allow_anonymous true\n', 'http_dir $DIR/www\n');
  assert.ok(lines.some((line) => line.endsWith(`Using http_dir ${folder}/www`)));
  for (const [path, text] of [
    ['/', '<h1>The house</h1>'],
    ['/index.html', '<h1>The house</h1>'],
    ['/app.js', 'a'.repeat(200_000)],
    ['/in', 'a'.repeat(200_000)],
    ['/empty', ''],
    ['/open/%C3%A4%20b.txt', 'umlaut'],
  ] as const) {
    const answer = await ask(http, path);
    assert.deepEqual([answer.status, answer.text, answer.headers['content-type']], [200, text, undefined], path);
    assert.equal(answer.headers['content-length'], `${text.length}`);
  }
  for (const path of [
    '/open',
    '/open/',
    '/missing',
    '/out',
    '/loop',
    '/fifo',
    '/../secret',
    '/%2e%2e/secret',
    '/..%2fsecret',
    '/open/../../secret',
    '/../www-beside/x',
    '/app.js/',
    '/app.js%00',
    `/${'x'.repeat(5000)}`,
    '/..\\secret',
    '//app.js',
    '*',
  ]) {
    const { status, text } = await ask(http, path);
    assert.deepEqual([status, text], [404, 'Not found.\n'], path.slice(0, 80));
  }
});

test('http_api goes on when a request is cut off, or is no HTTP', async (context) => {
  const { http } = await house(context, 'allow_anonymous true\n', 'http_dir $DIR/www\n');
  for (const words of ['GET /app.js HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /ap', '\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0', '\0\0\0\0']) {
    await new Promise<void>((resolve) => {
      const socket = connect(http, '127.0.0.1', () => socket.write(words, 'latin1', () => setImmediate(() => socket.destroy())));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  }
  assert.equal((await ask(http, '/api/v1/version')).status, 200);
});

test('http_dir is a mistake on another listener, and words of MQTT on http_api', async (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'midge.conf');
  writeFileSync(
    file,
    'listener 1883\nhttp_dir /srv\nlistener 9883 127.0.0.1\nprotocol http_api\nmax_qos 1\nlistener_allow_anonymous true\n',
  );
  const { stdout, stderr } = await runMidge(folder, ['check', file]);
  const said = stdout + stderr;
  assert.match(said, /midge\.conf:2:\d+: error: Cannot use http_dir here: the listener does not speak http_api - add protocol http_api/);
  assert.match(said, /midge\.conf:5:\d+: error: Cannot use max_qos here: the listener speaks HTTP - remove it/);
  assert.doesNotMatch(said, /listener_allow_anonymous/);
});
