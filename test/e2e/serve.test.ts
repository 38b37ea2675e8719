// `midge serve` as a process: what it prints, its exit status, signals, files, and foreign clients.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SIGRTMIN } from '../../src/service/real-time-signal.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { closed } from '../support/network/closed.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { findProgram } from '../support/process/foreign-program.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';
import { watchProcess } from '../support/process/watched-process.ts';

const MOSQUITTO_CLIENTS = findProgram('mosquitto_sub') ? false : 'mosquitto_sub is not installed (Debian package mosquitto-clients)';
const runFile = promisify(execFile);

function writeConfiguration(folder: string, text: string): string {
  const path = join(folder, 'midge.conf');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

test('serve says where it listens and who may connect when it starts without a configuration', async (context) => {
  const broker = startMidge(context, temporaryFolder(context), ['serve', '-p', '0']);
  const port = await openPort(broker);
  const text = broker.lines.join('\n');
  assert.match(text, /^\d+: midge version \S+ starting\n\d+: Using default config\.\n\d+: Starting in local only mode\. /);
  assert.match(text, new RegExp(`Listening on port ${port} \\(MQTT\\): anyone from this machine, without a user name\\.`));
  await mqttClient(context, { port });
  await broker.line(/New client connected from 127\.0\.0\.1:\d+ as \S+ \(p5, c1, k60\)\.$/);
});

test('serve says where it keeps what it must not forget when persistence is on', async (context) => {
  const folder = temporaryFolder(context);
  const file = writeConfiguration(folder, `persistence true\npersistence_location ${folder}/state\npersistence_file home.db\n`);
  const broker = startMidge(context, folder, ['serve', '-c', file, '-p', '0']);
  await openPort(broker);
  const line = broker.lines.find((each) => each.includes('are kept in'));
  assert.match(line ?? '', /: Sessions and retained messages are kept in \/.*\/state\/home\.db\.$/);
});

test('serve shows a command that works when it is pasted, at every start and under no log of a configuration', async (context) => {
  const folder = temporaryFolder(context);
  const [port] = await freePorts(1);
  const words = ['serve', '-c', 'midge.conf', '--state', join(folder, 'state')];
  for (let start = 0; start < 2; start++) {
    words[2] = writeConfiguration(folder, `allow_anonymous true\nlistener ${port} 127.0.0.1\nsecure true\n`);
    const broker = startMidge(context, folder, words);
    const line = await broker.line(/^ {2}Test {3}/);
    await broker.line(/^ {2}Stop {3}kill \d+$/);
    const listening = runFile('sh', ['-c', `${line.slice(9)} -C 1 -W 20`]);
    await broker.line(/New client connected/);
    const connected = await mqttClient(context, { port: port!, protocol: 'mqtts', host: 'localhost', rejectUnauthorized: false });
    await connected.publishAsync('a/b', 'hello', { qos: 1, retain: true });
    assert.equal((await listening).stdout, 'a/b hello\n');
    assert.deepEqual(
      broker.lines.filter((each, at) => each !== '' && broker.lines.indexOf(each) !== at),
      [],
    );
    await connected.endAsync(true);
    await broker.end();
  }
  words[2] = writeConfiguration(folder, `log_dest stdout\nallow_anonymous true\nlistener ${port} 127.0.0.1\nsecure true\n`);
  const logged = startMidge(context, folder, words);
  await logged.line(/^\d+: State folder: \//);
  await logged.line(/^\d+: Devices that use TLS must trust \/.*\/ca\.crt\.$/);
  await logged.end();
  assert.deepEqual(
    logged.lines.filter((each) => !/^\d+: /.test(each)),
    [],
  );
});

test("serve carries a message when the clients are Debian's", { skip: MOSQUITTO_CLIENTS }, async (context) => {
  const port = String(await openPort(startMidge(context, temporaryFolder(context), ['-p', '0'])));
  const where = ['-h', '127.0.0.1', '-p', port, '-t', 'owntracks/jane/phone'];
  await runFile('mosquitto_pub', [...where, '-r', '-q', '1', '-m', '{"_type":"location"}']);
  const { stdout } = await runFile('mosquitto_sub', [...where, '-C', '1', '-v']);
  assert.equal(stdout, 'owntracks/jane/phone {"_type":"location"}\n');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`serve tells its clients and exits with 0 when it gets ${signal}`, async (context) => {
    const broker = startMidge(context, temporaryFolder(context), ['serve', '-p', '0']);
    const connected = await mqttClient(context, { port: await openPort(broker) });
    const said = new Promise((resolve) => connected.once('disconnect', (packet) => resolve(packet.reasonCode)));
    process.kill(broker.pid, signal);
    assert.equal(await said, 0x8b);
    await broker.line(/midge version \S+ terminating$/);
    assert.equal(await broker.end(), 0);
  });
}

test('serve exits with 3 and names every mistake when the configuration is bad', async (context) => {
  const folder = temporaryFolder(context);
  writeConfiguration(folder, 'listner 1883\nmax_qos 7\n');
  const { status, stdout, stderr } = await runMidge(folder, ['serve', '-c', 'midge.conf']);
  assert.equal(status, 3);
  assert.equal(stdout, '');
  assert.match(stderr, /^midge\.conf:1:1: error: .*listner.*listener[\s\S]*^midge\.conf:2:\d+: error: /m);
});

test('serve exits with 3 when the configuration file is not there', async (context) => {
  const { status, stderr } = await runMidge(temporaryFolder(context), ['-c', 'missing.conf']);
  assert.equal(status, 3);
  assert.match(stderr, /Unable to open config file missing\.conf/);
});

test('check and --test-config exit with 1 when there are mistakes, otherwise 0 and say who may connect', async (context) => {
  const folder = temporaryFolder(context);
  for (const words of [
    ['check', 'midge.conf'],
    ['serve', '-c', 'midge.conf', '--test-config'],
  ]) {
    writeConfiguration(folder, 'listener 1883\nnonsense\n');
    const bad = await runMidge(folder, words);
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /^midge\.conf:2:1: error: .*nonsense/);
    writeConfiguration(folder, 'listener 1883 127.0.0.1\nallow_anonymous true\n');
    const good = await runMidge(folder, words);
    assert.deepEqual(good, {
      status: 0,
      stdout: 'Configuration file is OK.\nport 1883 (MQTT): anyone from this machine, without a user name\n',
      stderr: '',
    });
  }
});

test('check gives its diagnostics as JSON when it is asked', async (context) => {
  const folder = temporaryFolder(context);
  writeConfiguration(folder, 'nonsense\n');
  const { status, stdout } = await runMidge(folder, ['check', '--json', 'midge.conf']);
  const { ok, diagnostics } = JSON.parse(stdout);
  assert.deepEqual([status, ok, diagnostics[0].file, diagnostics[0].line, diagnostics[0].severity], [1, false, 'midge.conf', 1, 'error']);
});

test('serve exits with 1 and names port and reason, once, when the port is in use', async (context) => {
  const folder = temporaryFolder(context);
  const taken = createServer().listen(0, '127.0.0.1');
  context.after(() => taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  assert(address !== null && typeof address === 'object');
  writeConfiguration(folder, `listener ${address.port} 127.0.0.1\nallow_anonymous true\n`);
  const { status, stderr } = await runMidge(folder, ['serve', '-c', 'midge.conf']);
  assert.equal(status, 1);
  const said = stderr.match(new RegExp(`Error: Cannot open port "${address.port}" on 127\\.0\\.0\\.1: address already in use - .*`, 'g'));
  assert.equal(said?.length, 1, stderr);
});

test('serve exits with 1 when the log file can not be opened', async (context) => {
  const folder = temporaryFolder(context);
  writeConfiguration(folder, 'log_dest file /nonexistent/midge.log\nallow_anonymous true\nlistener 1 127.0.0.1\n');
  const { status, stderr } = await runMidge(folder, ['serve', '-c', 'midge.conf']);
  assert.equal(status, 1);
  assert.match(stderr, /midge\.conf:1:1: error: Cannot write log_dest "\/nonexistent\/midge\.log": its folder is not there/);
});

test('serve opens one listener when -p names the one of the file', async (context) => {
  const folder = temporaryFolder(context);
  const [port] = await freePorts(1);
  const file = writeConfiguration(folder, `listener ${port} 127.0.0.1\nallow_anonymous true\nadvertise false\n`);
  const broker = startMidge(context, folder, ['-c', file, '-p', String(port)]);
  assert.equal(await openPort(broker), port);
  assert.equal(broker.lines.filter((line) => line.includes('Opening')).length, 1);
});

test('serve writes the pid file and removes it when it ends', async (context) => {
  const folder = temporaryFolder(context);
  const pidFile = join(folder, 'midge.pid');
  const broker = startMidge(context, folder, ['-p', '0', '-c', writeConfiguration(folder, `pid_file ${pidFile}\n`)]);
  await openPort(broker);
  assert.equal(readFileSync(pidFile, 'utf8').trim(), String(broker.pid));
  await broker.end();
  assert.equal(existsSync(pidFile), false);
});

test('serve gives the prompt back when its port is open and it goes to the background', async (context) => {
  const folder = temporaryFolder(context);
  const [port] = await freePorts(1);
  const [pidFile, logFile] = [join(folder, 'midge.pid'), join(folder, 'midge.log')];
  writeConfiguration(
    folder,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nadvertise false\npid_file ${pidFile}\nlog_dest file ${logFile}\n`,
  );
  const { status, stdout, stderr } = await runMidge(folder, ['serve', '-d', '-c', 'midge.conf']);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  context.after(() => existsSync(pidFile) && process.kill(pid, 'SIGKILL'));
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  const connected = await mqttClient(context, { port: port! });
  const gone = new Promise((resolve) => connected.once('close', () => resolve(null)));
  process.kill(pid, 'SIGTERM');
  await gone;
  while (existsSync(pidFile)) await new Promise(setImmediate);
  assert.match(readFileSync(logFile, 'utf8'), /running\n[\s\S]*terminating\n/);
});

test('serve hands its failure to the caller when it can not go to the background', async (context) => {
  const folder = temporaryFolder(context);
  writeConfiguration(folder, `listener 0 ${join(folder, 'missing/m.sock')}\nallow_anonymous true\n`);
  const { status, stderr } = await runMidge(folder, ['serve', '-d', '-c', 'midge.conf']);
  assert.equal(status, 1);
  assert.match(stderr, /Cannot write socket ".*m\.sock": its folder is not there/);
});

test('serve opens its log again and takes new log types when it gets SIGHUP', async (context) => {
  const folder = temporaryFolder(context);
  const logFile = join(folder, 'midge.log');
  const settings = `log_dest stderr\nlog_dest file ${logFile}\n`;
  const file = writeConfiguration(folder, settings);
  const broker = startMidge(context, folder, ['-p', '0', '-c', file]);
  const port = await openPort(broker);
  renameSync(logFile, `${logFile}.1`);
  writeFileSync(file, `${settings}log_type all\n`);
  process.kill(broker.pid, 'SIGHUP');
  await broker.line(/Reloading config\.$/);
  await (await mqttClient(context, { port })).publishAsync('a', 'b', { qos: 1 });
  await broker.line(/Received PUBLISH from/);
  assert.match(readFileSync(logFile, 'utf8'), /Received PUBLISH from/);
  assert.match(readFileSync(`${logFile}.1`, 'utf8'), /Reloading config/);
});

test('serve changes nothing when SIGHUP finds a bad configuration', async (context) => {
  const folder = temporaryFolder(context);
  const file = writeConfiguration(folder, 'username jane\npassword first\nbind_address 127.0.0.1\nadvertise false\n');
  const broker = startMidge(context, folder, ['-p', '0', '-c', file]);
  const port = await openPort(broker);
  writeFileSync(file, 'username jane\npassword second\nnonsense true\ninclude midge.conf/*.conf\n');
  process.kill(broker.pid, 'SIGHUP');
  await broker.line(/midge\.conf:3:1: error: .*nonsense/);
  await broker.line(/midge\.conf:4:9: error: Unable to open include/);
  await broker.line(/nothing was changed\.$/);
  await mqttClient(context, { port, username: 'jane', password: 'first' });
});

test('serve opens its log file again and reads nothing else when it gets SIGRTMIN', async (context) => {
  const folder = temporaryFolder(context);
  const logFile = join(folder, 'midge.log');
  const file = writeConfiguration(folder, `log_dest file ${logFile}\nlog_dest stderr\nbind_address 127.0.0.1\nallow_anonymous true\n`);
  const broker = startMidge(context, folder, ['-p', '0', '-c', file]);
  const port = await openPort(broker);
  renameSync(logFile, `${logFile}.1`);
  writeFileSync(file, 'nonsense true\n');
  process.kill(broker.pid, SIGRTMIN);
  await broker.line(/SIGRTMIN: log files were opened again/);
  await mqttClient(context, { port, clientId: 'after-rotation' });
  await broker.line(/as after-rotation/);
  assert.match(readFileSync(logFile, 'utf8'), /as after-rotation/);
  assert.doesNotMatch(readFileSync(`${logFile}.1`, 'utf8'), /after-rotation|nonsense/);
});

test('serve goes on when it gets the other signals of mosquitto', async (context) => {
  const broker = startMidge(context, temporaryFolder(context), ['-p', '0']);
  const port = await openPort(broker);
  process.kill(broker.pid, 'SIGUSR1');
  await broker.line(/SIGUSR1 has no effect/);
  process.kill(broker.pid, 'SIGUSR2');
  await broker.line(/SIGUSR2: 0 connections are open/);
  await mqttClient(context, { port });
  assert.equal(
    broker.lines.some((line) => /debugger/i.test(line)),
    false,
  );
});

test('serve --lan makes an account, shows its password once, and lets nobody else in', async (context) => {
  const folder = temporaryFolder(context);
  const file = writeConfiguration(folder, 'advertise false\n');
  const words = ['--lan', '-p', '0', '-c', file, '--state', join(folder, 'own')];
  const first = startMidge(context, folder, words);
  const port = await openPort(first);
  const password = /password\s+(\S+)/.exec(await first.line(/^ {2}password /))?.[1] ?? '';
  const username = /user\s+(\S+)/.exec(await first.line(/^ {2}user /))?.[1] ?? '';
  assert.equal(first.lines.filter((line) => line.includes(password)).length, 1);
  await assert.rejects(mqttClient(context, { port }), /not authorized/i);
  await assert.rejects(mqttClient(context, { port, username, password: 'guess' }));
  await mqttClient(context, { port, username, password });
  await first.end();
  assert.equal(readFileSync(join(folder, 'own/passwd'), 'utf8').includes(password), false);
  const second = startMidge(context, folder, words);
  await mqttClient(context, { port: await openPort(second), username, password });
  assert.equal(
    second.lines.some((line) => line.includes('password  ')),
    false,
  );
});

test('serve publishes its log when log_dest is topic', async (context) => {
  const folder = temporaryFolder(context);
  const broker = startMidge(context, folder, [
    '-p',
    '0',
    '-c',
    writeConfiguration(folder, 'log_dest topic\nlog_dest stderr\nlog_type all\n'),
  ]);
  const port = await openPort(broker);
  const reader = await mqttClient(context, { port });
  await reader.subscribeAsync('$SYS/broker/log/#', { qos: 2 });
  const line = new Promise((resolve) => {
    reader.on('message', (topicName, payload, packet) => {
      if (String(payload).includes('as visitor')) resolve({ topicName, qos: packet.qos, retain: packet.retain });
    });
  });
  await mqttClient(context, { port, clientId: 'visitor' });
  assert.deepEqual(await line, { topicName: '$SYS/broker/log/N', qos: 2, retain: false });
});

test('serve names itself as scripts expect when it is started as mosquitto', async (context) => {
  const folder = temporaryFolder(context);
  const link = join(folder, 'mosquitto');
  symlinkSync(join(import.meta.dirname, '../../src/main.ts'), link);
  const [port] = await freePorts(1);
  const broker = startMidge(context, folder, ['-p', String(port)], { program: link });
  assert.match(await broker.line(/running$/), /^\d+: mosquitto version 2\.1\.2 \(midge \S+\) running$/);
});

test('serve goes on when clients send noise', async (context) => {
  const folder = temporaryFolder(context);
  const [tcp, tls, ws] = await freePorts(3);
  const listeners = [
    `listener ${tcp} 127.0.0.1`,
    `listener ${tls} 127.0.0.1\nsecure true`,
    `listener ${ws} 127.0.0.1\nprotocol websockets`,
  ];
  const file = writeConfiguration(folder, `allow_anonymous true\nadvertise false\n${listeners.join('\n')}\n`);
  const broker = startMidge(context, folder, ['-v', '-c', file]);
  await openPort(broker);
  const openings = ['', '10', '101000044d515454050200000000', 'f0', '160301', '474554202f20485454502f312e310d0a0d0a'];
  for (const port of [tcp!, tls!, ws!]) {
    for (const opening of openings) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(Buffer.concat([Buffer.from(opening, 'hex'), randomBytes(64)]));
      await closed(socket.resume());
    }
  }
  await mqttClient(context, { port: tcp! });
  assert.equal(await broker.end(), 0);
});

test('serve stops and overwrites nothing when the certificate authority is damaged', async (context) => {
  const folder = temporaryFolder(context);
  const certificates = join(folder, 'own/certificates');
  mkdirSync(certificates, { recursive: true });
  writeFileSync(join(certificates, 'ca.key'), 'precious');
  writeConfiguration(folder, 'listener 1 127.0.0.1\nsecure true\nallow_anonymous true\n');
  const { status, stderr } = await runMidge(folder, ['serve', '-c', 'midge.conf', '--state', 'own']);
  assert.equal(status, 1);
  assert.match(stderr, /ca\.crt/);
  assert.equal(readFileSync(join(certificates, 'ca.key'), 'utf8'), 'precious');
});

const ROOT_ONLY = process.getuid?.() === 0 ? false : 'only root can give up root';

test('serve becomes the user of the configuration when its ports are open', { skip: ROOT_ONLY }, async (context) => {
  const folder = temporaryFolder(context);
  const logFile = join(folder, 'midge.log');
  const file = writeConfiguration(folder, `user nobody\nlog_dest stderr\nlog_dest file ${logFile}\n`);
  const broker = startMidge(context, folder, ['-p', '0', '-c', file]);
  await openPort(broker);
  await broker.line(/Running as user nobody\.$/);
  const { uid } = statSync(logFile);
  assert.notEqual(uid, 0);
  assert.match(readFileSync(`/proc/${broker.pid}/status`, 'utf8'), new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s`, 'm'));
});

test('serve exits with 1 when the user of the configuration does not exist', { skip: ROOT_ONLY }, async (context) => {
  const folder = temporaryFolder(context);
  writeConfiguration(folder, 'user no-such-user\n');
  const { status, stderr } = await runMidge(folder, ['-p', '0', '-c', 'midge.conf']);
  assert.equal(status, 1);
  assert.match(stderr, /Cannot become user "no-such-user": there is no such user/);
});

for (const [what, users, uid] of [
  ['mosquitto when there is that user', 'mosquitto:x:4242:4242::/:/bin/false', 4242],
  ['nobody when there is no user mosquitto', 'nobody:x:4343:4343::/:/bin/false', 4343],
  ['what user says', 'mosquitto:x:4242:4242::/:/bin/false\nlamp:x:4444:4444::/:/bin/false', 4444],
] as const) {
  test(`serve under the name mosquitto, started by root, becomes ${what}`, { skip: ROOT_ONLY }, async (context) => {
    const folder = temporaryFolder(context);
    const link = join(folder, 'mosquitto');
    symlinkSync(join(import.meta.dirname, '../../src/main.ts'), link);
    writeFileSync(join(folder, 'passwd'), `root:x:0:0::/:/bin/sh\n${users}\n`);
    const [port] = await freePorts(1);
    const wish = uid === 4444 ? 'user lamp\n' : '';
    const file = writeConfiguration(folder, `${wish}allow_anonymous true\nlistener ${port} 127.0.0.1\n`);
    const inside = `mount --bind ${folder}/passwd /etc/passwd && exec ${process.execPath} ${link} -c ${file}`;
    const broker = watchProcess(context, ['unshare', ['-m', 'sh', '-c', inside]], { STATE_DIRECTORY: join(folder, 'state') });
    await broker.line(/mosquitto version .* running$/);
    assert.match(readFileSync(`/proc/${broker.pid}/status`, 'utf8'), new RegExp(`^Uid:(\\s+${uid}){4}$`, 'm'));
    const warning = /Warning: Unable to drop privileges to 'mosquitto' because this user does not exist\. Trying 'nobody' user instead\.$/;
    assert.equal(broker.lines.filter((line) => warning.test(line)).length, uid === 4343 ? 1 : 0);
    assert.deepEqual(
      broker.lines.filter((line) => !/^\d+: /.test(line)),
      [],
      'nothing that mosquitto would not say',
    );
    assert.equal(await broker.end(), 0);
  });
}

test('serve adds the keys of TLS connections to the file of --tls-keylog, which is for its user only', async (context) => {
  const folder = temporaryFolder(context);
  const file = writeConfiguration(folder, 'bind_address 127.0.0.1\nsecure true\nallow_anonymous true\nadvertise false\n');
  const keys = join(folder, 'keys');
  const broker = startMidge(context, folder, ['serve', '-c', file, '-p', '0', '--state', join(folder, 'state'), '--tls-keylog', keys]);
  const port = await openPort(broker);
  await broker.line(
    /Warning: --tls-keylog writes the keys of all TLS connections to ".*keys": everyone who can read the file can read every password\.$/,
  );
  await mqttClient(context, {
    port,
    protocol: 'mqtts',
    host: 'localhost',
    ca: readFileSync(join(folder, 'state/certificates/ca.crt')),
  });
  assert.match(readFileSync(keys, 'utf8'), /^SERVER_HANDSHAKE_TRAFFIC_SECRET /m);
  assert.equal(statSync(keys).mode & 0o777, 0o600);
  assert(!broker.lines.join('\n').includes('TRAFFIC_SECRET'));
});

test('serve does not start when the file of --tls-keylog may be read by others or is a link', async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'open'), '', { mode: 0o644 });
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'));
  for (const [name, reason] of [
    ['open', /Cannot use --tls-keylog ".*open": other users may read it/],
    ['link', /Cannot open --tls-keylog ".*link"/],
  ] as const) {
    const { status, stderr } = await runMidge(folder, ['serve', '-p', '0', '--tls-keylog', join(folder, name)]);
    assert.equal(status, 1);
    assert.match(stderr, reason);
  }
  assert.equal(existsSync(join(folder, 'elsewhere')), false);
});
