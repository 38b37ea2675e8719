// The log: what a line looks like, where it goes, and what a reload changes.

import assert from 'node:assert/strict';
import { existsSync, fstatSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { DEFAULT_LOG_TYPES, LOG_TYPES } from '../../src/base/logger.ts';
import { safeText } from '../../src/logging/line.ts';
import { LineLimit } from '../../src/logging/line-limit.ts';
import { createLog, type LogWorld } from '../../src/logging/logging.ts';
import type { LogOptions } from '../../src/logging/options.ts';
import { syslogOutput } from '../../src/logging/outputs.ts';
import { RepeatedLines } from '../../src/logging/repeats.ts';
import { strftime } from '../../src/logging/strftime.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const TIME = 1_700_000_000_123;

const OPTIONS: LogOptions = {
  destinations: [{ kind: 'stderr' }],
  types: DEFAULT_LOG_TYPES,
  timestamp: true,
  timestampFormat: null,
  facility: null,
};

function world(): { world: LogWorld; stdout: () => string; stderr: () => string } {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const text = (stream: PassThrough) => () => String(stream.read() ?? '');
  return {
    world: {
      clock: { now: () => TIME, monotonic: () => 0 },
      stdout: { stream: stdout, fd: -1 },
      stderr: { stream: stderr, fd: -1 },
      journalStream: undefined,
      tag: 'midge',
    },
    stdout: text(stdout),
    stderr: text(stderr),
  };
}

test('log writes mosquitto lines when nothing is configured', () => {
  const { world: place, stderr, stdout } = world();
  const log = createLog(OPTIONS, place);
  log.log('notice', 'New connection from 127.0.0.1:1 on port 1883.');
  log.log('debug', 'not asked for');
  assert.equal(stderr(), '1700000000: New connection from 127.0.0.1:1 on port 1883.\n');
  assert.equal(stdout(), '');
  assert.deepEqual([log.enabled.notice, log.enabled.debug], [true, false]);
});

test('log writes the time by log_timestamp_format, or none', () => {
  const { world: place, stdout } = world();
  const log = createLog({ ...OPTIONS, destinations: [{ kind: 'stdout' }], timestampFormat: '%Y' }, place);
  log.log('error', 'a');
  log.configure({ ...OPTIONS, destinations: [{ kind: 'stdout' }], timestamp: false });
  log.log('error', 'b');
  assert.equal(stdout(), '2023: a\nb\n');
});

test('log writes readable local time to a terminal, and seconds since 1970 to all else, unless log_timestamp_format says otherwise', (context) => {
  const path = join(temporaryFolder(context), 'midge.log');
  const { world: place, stderr, stdout } = world();
  const terminal = { ...place, stderr: { ...place.stderr, stream: Object.assign(place.stderr.stream, { isTTY: true }) } };
  const destinations = [{ kind: 'stderr' }, { kind: 'stdout' }, { kind: 'file', path }] as const;
  const log = createLog({ ...OPTIONS, destinations }, terminal);
  log.log('notice', 'a');
  log.configure({ ...OPTIONS, timestampFormat: '%Y' });
  log.log('notice', 'b');
  log.configure({ ...OPTIONS, timestamp: false });
  log.log('notice', 'c');
  log.close();
  const local = strftime('%Y-%m-%dT%H:%M:%S', new Date(TIME));
  assert.deepEqual([stderr(), stdout(), readFileSync(path, 'utf8')], [`${local}: a\n2023: b\nc\n`, '1700000000: a\n', '1700000000: a\n']);
});

test('log writes priorities instead of times when the journal of systemd reads', (context) => {
  const fd = openSync(join(temporaryFolder(context), 'journal'), 'w');
  const { dev, ino } = fstatSync(fd);
  const { world: place, stderr, stdout } = world();
  const log = createLog(
    { ...OPTIONS, types: LOG_TYPES, destinations: [{ kind: 'stderr' }, { kind: 'stdout' }] },
    { ...place, stderr: { ...place.stderr, fd }, journalStream: `${dev}:${ino}` },
  );
  log.log('error', 'e');
  log.log('warning', 'w');
  log.log('notice', 'n');
  log.log('information', 'i');
  log.log('debug', 'd');
  assert.equal(stderr(), '<3>e\n<4>w\n<5>n\n<6>i\n<7>d\n');
  assert.match(stdout(), /^1700000000: e\n/, 'the other stream is no journal');
});

test('log keeps a file for its owner and opens it again when it is configured again', (context) => {
  const path = join(temporaryFolder(context), 'midge.log');
  const options: LogOptions = { ...OPTIONS, destinations: [{ kind: 'file', path }] };
  const log = createLog(options, world().world);
  log.log('notice', 'before');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  renameSync(path, `${path}.1`);
  log.configure(options);
  log.log('notice', 'after');
  log.close();
  assert.equal(readFileSync(`${path}.1`, 'utf8'), '1700000000: before\n');
  assert.equal(readFileSync(path, 'utf8'), '1700000000: after\n');
});

test('log changes nothing when the new file can not be opened', () => {
  const { world: place, stderr } = world();
  const log = createLog(OPTIONS, place);
  const destinations = [{ kind: 'file', path: '/nonexistent/midge.log' }] as const;
  assert.throws(() => log.configure({ ...OPTIONS, destinations }), {
    name: 'OperatorError',
    message: /^Cannot open log file "\/nonexistent/,
  });
  log.log('notice', 'still here');
  assert.match(stderr(), /still here/);
});

test('log publishes to topics without publishing what that causes', () => {
  const published: [string, string][] = [];
  const log = createLog({ ...OPTIONS, types: LOG_TYPES, destinations: [{ kind: 'topic' }] }, world().world);
  log.log('notice', 'nobody there yet');
  log.publishTo((topicName, payload) => {
    published.push([topicName, payload]);
    log.log('warning', 'a queue is full');
  });
  for (const type of LOG_TYPES) log.log(type, type);
  assert.deepEqual(published, [
    ['$SYS/broker/log/E', '1700000000: error'],
    ['$SYS/broker/log/W', '1700000000: warning'],
    ['$SYS/broker/log/N', '1700000000: notice'],
    ['$SYS/broker/log/I', '1700000000: information'],
    ['$SYS/broker/log/M/subscribe', '1700000000: subscribe'],
    ['$SYS/broker/log/M/unsubscribe', '1700000000: unsubscribe'],
    ['$SYS/broker/log/WS', '1700000000: websockets'],
  ]);
});

test('log asks for no lines when there is nowhere to write them', () => {
  const log = createLog({ ...OPTIONS, types: LOG_TYPES, destinations: [{ kind: 'none' }] }, world().world);
  assert.equal(Object.values(log.enabled).includes(true), false);
});

test('log line stays one harmless line when a client calls itself strange names', () => {
  assert.equal(safeText('Client a\nb\r\x1b[31m\x00 ü 🙂 \u202e'), 'Client a\\x0ab\\x0d\\x1b[31m\\x00 ü 🙂 \\u202e');
  assert.equal(safeText('x\ny'), 'x\\x0ay', 'twice the same');
  assert.equal(safeText('\thome/# (QoS 1)'), '\thome/# (QoS 1)');
  assert.equal(safeText('x'.repeat(2000)).length, 1000);
});

test('strftime writes what strftime(3) does', () => {
  const time = new Date(2026, 1, 3, 4, 5, 6);
  assert.equal(strftime('%Y-%m-%dT%H:%M:%S', time), '2026-02-03T04:05:06');
  assert.equal(
    strftime('%F %T %D %R %y %C %j %e %k %l %I %p %u %w %%', time),
    '2026-02-03 04:05:06 02/03/26 04:05 26 20 034  3  4  4 04 AM 2 2 %',
  );
  assert.equal(strftime('%a %A %b %B %h', time), 'Tue Tuesday Feb February Feb');
  assert.equal(strftime('%c', time), 'Tue Feb  3 04:05:06 2026');
  assert.equal(strftime('%s', time), String(time.getTime() / 1000));
  assert.match(strftime('%z', time), /^[+-]\d{4}$/);
  assert.equal(strftime('%Q %', time), '%Q %', 'what it does not know stands as it is');
});

test('log hands lines to logger with facility and severity when log_dest is syslog', async (context) => {
  const script = join(temporaryFolder(context), 'logger');
  writeFileSync(script, '#!/bin/sh\n{ echo "$@"; cat; } > "$0.tmp"\nmv "$0.tmp" "$0.out"\n', { mode: 0o755 });
  const output = syslogOutput('midge', 5, script);
  output.write({ type: 'error', time: TIME, text: 'disk full' });
  output.write({ type: 'debug', time: TIME, text: 'details' });
  output.close();
  while (!existsSync(`${script}.out`)) await new Promise(setImmediate);
  assert.equal(readFileSync(`${script}.out`, 'utf8'), `--tag midge --id=${process.pid} --prio-prefix\n<171>disk full\n<175>details\n`);
});

test('log folds lines that differ only in remote port or made client id, and tells how many there were', () => {
  const { world: place, stderr } = world();
  let now = 0;
  const log = createLog({ ...OPTIONS, timestamp: false }, { ...place, clock: { now: () => TIME, monotonic: () => now } });
  for (let port = 5000; port < 5125; port++) log.log('notice', `Client x [10.0.0.1:${port}] disconnected.`);
  log.log('notice', 'Client x [10.0.0.2:5000] disconnected.');
  const written = stderr().split('\n');
  assert.equal(written.length, 7, 'five, another one, and the end');
  assert.equal(written[5], 'Client x [10.0.0.2:5000] disconnected.');
  now = 60_000;
  log.log('notice', 'Client x [10.0.0.1:6000] disconnected.');
  assert.equal(stderr(), 'Client x [10.0.0.1:5124] disconnected. (repeated 120 times in 60 s)\nClient x [10.0.0.1:6000] disconnected.\n');
  for (let index = 0; index < 6; index++)
    log.log('notice', `New client connected from 10.0.0.3:1 as auto-a0000000-0000-4000-8000-00000000000${index} (p5, c1, k60).`);
  assert.equal(stderr().split('\n').length, 6);
  log.close();
  assert.equal(stderr(), 'New client connected from 10.0.0.3:1 as auto-a0000000-0000-4000-8000-000000000005 (p5, c1, k60).\n');
});

test('log folds nothing where debug lines are wanted', () => {
  const { world: place, stderr } = world();
  const log = createLog({ ...OPTIONS, types: LOG_TYPES, timestamp: false }, place);
  for (let index = 0; index < 100; index++) log.log('notice', 'again');
  assert.equal(stderr(), 'again\n'.repeat(100));
});

test('log folder writes everything once its memory is full', () => {
  const written: string[] = [];
  const folder = new RepeatedLines(
    ({ text }) => written.push(text),
    () => 0,
  );
  let taken = 0;
  for (let round = 0; round < 7; round++) {
    for (let index = 0; index < 3000; index++)
      taken += Number(folder.take({ type: 'notice', time: 0, text: `Client c${index} disconnected.` }));
  }
  assert.equal(taken, 1000 * 5 + 2000 * 7);
  folder.flush();
  assert.equal(written.length, 1000);
  assert.equal(written[0], 'Client c0 disconnected. (repeated 2 times in 1 s)');
});

test('log sums up strangers who come under ever new names, network by network, and hides none without a word', () => {
  const { world: place, stderr } = world();
  const log = createLog({ ...OPTIONS, timestamp: false }, { ...place, clock: { now: () => TIME, monotonic: () => 0 } });
  const refuse = (address: string, name: string) =>
    log.log('notice', `Client ${name} [${address}:5000] disconnected: not authorised.`, { address, name, isSignedIn: false });
  for (let index = 0; index < 5000; index++) refuse('192.0.2.1', `guess${index}`);
  for (let index = 0; index < 102; index++) refuse(`2001:db8::${index}`, `lamp${index}`);
  refuse('192.0.2.3', 'heater');
  const written = stderr().split('\n');
  assert.equal(written.length, 100 + 100 + 1 + 1);
  assert.equal(written.at(-2), 'Client heater [192.0.2.3:5000] disconnected: not authorised.');
  log.close();
  assert.deepEqual(stderr().trimEnd().split('\n'), [
    'From 192.0.2.1: 4900 more lines in 1 s about clients that have not signed in, of 100 or more names. The last: Client guess4999 [192.0.2.1:5000] disconnected: not authorised.',
    'From 2001:db8:0:0::/64: 2 more lines in 1 s about clients that have not signed in, of 2 names. The last: Client lamp101 [2001:db8::101:5000] disconnected: not authorised.',
  ]);
});

test('log writes a line of each of a hundred names, however many lines others behind the same address make', () => {
  const { world: place, stderr } = world();
  const log = createLog({ ...OPTIONS, timestamp: false }, place);
  const source = { address: '172.17.0.1', isSignedIn: false };
  for (let index = 0; index < 100; index++) {
    log.log('notice', `New connection from 172.17.0.${index}:5000 on port 1883.`, { ...source, name: '' });
    log.log('notice', `Client loud [172.17.0.1:5000] disconnected: reason ${index}.`, { ...source, name: 'loud' });
  }
  stderr();
  for (const name of ['heater', 'door', 'heater', 'loud']) log.log('notice', `Client ${name} is refused.`, { ...source, name });
  assert.equal(stderr(), 'Client heater is refused.\nClient door is refused.\n');
  log.close();
});

const ALIKE: readonly (readonly [string, string, string])[] = [
  ['connections of an address', 'New connection from 192.0.2.1:5000 on port 1883.', 'New connection from 192.0.2.1:5001 on port 1883.'],
  [
    'connections of an IPv6 address',
    'New connection from 2001:db8::1:5000 on port 1883.',
    'New connection from 2001:db8::1:5001 on port 1883.',
  ],
  [
    'a client that comes',
    "New client connected from 192.0.2.1:5000 as a:1 (p2, c1, k60, u'jane').",
    "New client connected from 192.0.2.1:5001 as a:1 (p2, c1, k60, u'jane').",
  ],
  ['a client that goes', 'Client a [192.0.2.1:5000] disconnected.', 'Client a [192.0.2.1:5001] disconnected.'],
  [
    'failed handshakes',
    'Client from 192.0.2.1:5000 failed the TLS handshake: it is late.',
    'Client from 192.0.2.1:5001 failed the TLS handshake: it is late.',
  ],
  [
    'clients without an id that come',
    'New client connected from 192.0.2.1:5000 as auto-a0000000-0000-4000-8000-000000000001 (p5, c1, k60).',
    'New client connected from 192.0.2.1:5000 as auto-a0000000-0000-4000-8000-000000000002 (p5, c1, k60).',
  ],
  [
    'clients without an id that go',
    'Client auto-a0000000-0000-4000-8000-000000000001 [192.0.2.1:1] disconnected.',
    'Client auto-a0000000-0000-4000-8000-000000000002 [192.0.2.1:2] disconnected.',
  ],
];

const DIFFERENT: readonly (readonly [string, string, string])[] = [
  [
    'clients whose ids end with a number behind a colon',
    'Client sensor:1 [192.0.2.1:5000] disconnected.',
    'Client sensor:2 [192.0.2.1:5000] disconnected.',
  ],
  [
    'such clients that come',
    'New client connected from 192.0.2.1:5000 as sensor:1 (p2, c1, k60).',
    'New client connected from 192.0.2.1:5000 as sensor:2 (p2, c1, k60).',
  ],
  [
    'such clients that are too slow',
    'Outgoing messages are being dropped for client sensor:1.',
    'Outgoing messages are being dropped for client sensor:2.',
  ],
  [
    'clients that call themselves by a UUID',
    'Client a0000000-0000-4000-8000-000000000001 [192.0.2.1:5000] disconnected.',
    'Client a0000000-0000-4000-8000-000000000002 [192.0.2.1:5000] disconnected.',
  ],
  [
    'IPv6 addresses without a port',
    'Client connection from 2001:db8::1 denied: max_connections exceeded.',
    'Client connection from 2001:db8::2 denied: max_connections exceeded.',
  ],
  ['IPv6 addresses', 'New connection from 2001:db8::1:5000 on port 1883.', 'New connection from 2001:db8::2:5000 on port 1883.'],
  ['listeners', 'New connection from 192.0.2.1:5000 on port 1883.', 'New connection from 192.0.2.1:5000 on port 1884.'],
  [
    'users',
    "New client connected from 192.0.2.1:5000 as a (p2, c1, k60, u'x:1').",
    "New client connected from 192.0.2.1:5000 as a (p2, c1, k60, u'x:2').",
  ],
  [
    'clients that call themselves like an address',
    'Client x [192.0.2.9:1] [192.0.2.1:5000] disconnected.',
    'Client x [192.0.2.9:2] [192.0.2.1:5000] disconnected.',
  ],
  [
    'clients that call themselves like a line',
    'Client from 192.0.2.9:1 [192.0.2.1:5000] disconnected.',
    'Client from 192.0.2.9:2 [192.0.2.1:5000] disconnected.',
  ],
];

for (const [table, isFolded] of [
  [ALIKE, true],
  [DIFFERENT, false],
] as const) {
  for (const [what, one, other] of table) {
    test(`log ${isFolded ? 'folds lines about' : 'never hides one for another of'} ${what}`, () => {
      const folder = new RepeatedLines(
        () => {},
        () => 0,
      );
      const take = (text: string) => folder.take({ type: 'notice', time: 0, text });
      for (let index = 0; index < 5; index++) assert.equal(take(one), true);
      assert.equal(take(other), !isFolded);
    });
  }
}

test('LineLimit writes a bounded number of lines when strangers come from thousands of networks', () => {
  const summaries: string[] = [];
  const limits = { ofNetwork: 60, inAll: 600, lineLength: 300, whom: 'strangers' };
  const limit = new LineLimit(
    limits,
    ({ text }) => summaries.push(text),
    () => 0,
  );
  let written = 0;
  for (let index = 0; index < 30_000; index++) {
    const source = { address: `10.0.${(index >> 8) & 15}.${index & 255}`, name: `c${index}`, isSignedIn: false };
    if (limit.take({ type: 'notice', time: 0, text: 'disconnected' }, source) !== null) written++;
  }
  assert.equal(written, 1000 * 5 + 600 + 5, 'the free ones of a thousand networks, the shared ones, and those of all beyond');
  limit.flush();
  assert.equal(summaries.length, 21);
  const told = summaries.reduce((sum, line) => sum + Number(/: (\d+) more lines? in/.exec(line)?.[1]), 0);
  assert.equal(told, 30_000 - written);
});

test('log writes a line of each of a thousand clients that sign in from one address', () => {
  const { world: place, stderr } = world();
  const log = createLog({ ...OPTIONS, timestamp: false }, place);
  for (let index = 0; index < 1000; index++) {
    log.log('notice', `New client connected as c${index}.`, { address: '172.17.0.1', name: `c${index}`, isSignedIn: true });
  }
  assert.equal(stderr().split('\n').length, 1001);
  log.close();
});
