// `midge import mosquitto` with what Debian's mosquitto leaves behind, and our broker on it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithoutMosquitto } from '../access/mosquitto-beside.ts';
import { leaveMosquittoState } from '../import/mosquitto-state.ts';
import { dial } from '../support/clients/dial.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';

const FIXTURE = join(import.meta.dirname, '../import/mosquitto-2.0.11.db');

test('import takes over what Debian mosquitto has kept, and the sessions get their messages', { skip: skipWithoutMosquitto }, async (t) => {
  const folder = temporaryFolder(t);
  await leaveMosquittoState(t, folder);
  const { status, stdout, stderr } = await runMidge(folder, ['import', 'mosquitto', '--out', join(folder, 'out'), folder]);
  assert.equal(stderr, '');
  assert.match(stdout, /^taken +\S+mosquitto\.conf:\d+: listener \d+ 127\.0\.0\.1$/m);
  assert.match(stdout, /^taken +\S+mosquitto\.db: 3 sessions$/m);
  assert.match(stdout, /^taken +\S+mosquitto\.db: 2 retained messages$/m);
  assert.equal(status, 0, stdout);
  await receiveAll(t, folder, ['serve', '-p', '0', '-c', writePlain(folder)]);
});

test('import takes a database alone, writes nothing in a dry run, and refuses a state folder that holds something', async (t) => {
  const folder = temporaryFolder(t);
  const words = ['import', 'mosquitto', '--json'];
  const dry = await runMidge(folder, [...words, '--dry-run', FIXTURE]);
  assert.equal(dry.status, 0, dry.stderr);
  assert.equal(existsSync(join(folder, 'state')), false);
  const { dryRun, lines, written } = JSON.parse(dry.stdout);
  assert.equal(dryRun, true);
  assert.deepEqual(written, [join(folder, 'state/midge')]);
  assert.ok(lines.some((line: { what: string; outcome: string }) => /[23] sessions$/.test(line.what) && line.outcome === 'taken'));

  assert.equal((await runMidge(folder, [...words, FIXTURE])).status, 0);
  assert.equal(statSync(join(folder, 'state/midge/midge.db')).mode & 0o777, 0o600);
  const again = await runMidge(folder, [...words, FIXTURE]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /Cannot import into .*: sessions or retained messages are kept there already/);
});

test('import says what the broker would not load of a database, also in a dry run', async (t) => {
  const folder = temporaryFolder(t);
  const source = join(folder, 'odd.db');
  writeFileSync(source, readFileSync(FIXTURE, 'latin1').replaceAll('old', 'o\0d'), 'latin1');
  for (const flags of [['--dry-run'], []]) {
    const { status, stdout } = await runMidge(folder, ['import', 'mosquitto', ...flags, source]);
    assert.equal(status, 0, stdout);
    assert.match(
      stdout,
      /^left out +\S+odd\.db - \d+ of \d+ rows of the database are invalid \(session 1 \("o\\u0000d"\), .*midge leaves them out\.$/m,
    );
  }
});

test('import refuses a state folder that a broker uses', async (t) => {
  const folder = temporaryFolder(t);
  await openPort(startMidge(t, folder, ['serve', '-p', '0', '-c', writePlain(folder)]));
  const { status, stderr } = await runMidge(folder, ['import', 'mosquitto', FIXTURE]);
  assert.equal(status, 1);
  assert.match(stderr, /Cannot open database .* another broker uses it/);
});

test('import writes a configuration line by line, with passwords and rules beside it', async (t) => {
  const folder = temporaryFolder(t);
  const path = (name: string) => join(folder, name);
  writeFileSync(path('passwords'), 'anna:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n');
  writeFileSync(path('rules'), 'user anna\ntopic readwrite home/#\n');
  writeFileSync(
    path('mosquitto.conf'),
    `# old\nlistener 1883\nautosave_interval 60\npassword_file ${path('passwords')}\nacl_file ${path('rules')}\nwhatever 1\nconnection cloud\nremote_password secret\n`,
  );
  const { status, stdout } = await runMidge(folder, ['import', 'mosquitto', '--out', path('out'), path('mosquitto.conf')]);
  assert.equal(status, 1, stdout);
  assert.match(stdout, /^without effect +\S+:3: autosave_interval 60 - changes are written as they happen$/m);
  assert.match(stdout, /^refused +\S+:6: whatever 1 - the word is not known$/m);
  assert.match(stdout, /^taken +\S+:7: connection cloud$/m);
  assert.match(stdout, /^refused +\S+midge\.conf:7:1: error: Invalid bridge configuration: no remote addresses defined /m);
  assert.doesNotMatch(stdout, /secret/);
  const text = readFileSync(path('out/midge.conf'), 'utf8');
  assert.match(
    text,
    new RegExp(
      `^listener 1883\\n# autosave_interval 60 .*\\npassword_file ${path('out/passwd')}\\nacl_file ${path('out/acl')}\\n# whatever 1 `,
      'm',
    ),
  );
  assert.equal(readFileSync(path('out/acl'), 'utf8'), 'user anna\ntopic readwrite home/#\n');
  assert.equal(statSync(path('out/passwd')).mode & 0o777, 0o600);
});

test('import puts the file of dynamic security into the state folder, where the broker can change it', async (t) => {
  const folder = temporaryFolder(t);
  const path = (name: string) => join(folder, name);
  const text = JSON.stringify({ clients: [{ username: 'hall', roles: [{ rolename: 'r' }] }], roles: [{ rolename: 'r', acls: [] }] });
  writeFileSync(path('d.json'), text, { mode: 0o600 });
  const plugin = '/usr/lib/mosquitto_dynamic_security.so';
  writeFileSync(path('mosquitto.conf'), `listener 1883\nplugin ${plugin}\nplugin_opt_config_file ${path('d.json')}\n`);
  const words = ['import', 'mosquitto', '--out', path('out'), '--state', path('state'), path('mosquitto.conf')];
  const { status, stdout, stderr } = await runMidge(folder, words);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^taken +\S+d\.json: 1 clients, 0 groups, 1 roles$/m);
  const copy = path('state/dynamic-security.json');
  assert.ok(readFileSync(path('out/midge.conf'), 'utf8').endsWith(`plugin ${plugin}\nplugin_opt_config_file ${copy}\n`));
  assert.equal(readFileSync(copy, 'utf8'), text);
  assert.deepEqual(
    [statSync(copy).mode & 0o777, statSync(path('state')).mode & 0o777, statSync(path('out')).mode & 0o777],
    [0o600, 0o700, 0o755],
  );
  assert.equal(readFileSync(path('d.json'), 'utf8'), text);
  const again = await runMidge(folder, words);
  assert.match(again.stderr, /exists already/);
  writeFileSync(path('d.json'), '{');
  const broken = await runMidge(folder, [
    'import',
    'mosquitto',
    '--out',
    path('other'),
    '--state',
    path('other-state'),
    path('mosquitto.conf'),
  ]);
  assert.match(broken.stderr, /Cannot import ".*d\.json": /);
  assert.equal(existsSync(path('other')), false);
});

test('import takes a bridge over with its password, which it does not show', async (t) => {
  const folder = temporaryFolder(t);
  const path = (name: string) => join(folder, name);
  const bridge = 'connection cloud\naddress broker.example:8883\ntopic # out 1\nremote_username anna\nremote_password open-sesame\n';
  writeFileSync(path('mosquitto.conf'), bridge);
  const { status, stdout } = await runMidge(folder, ['import', 'mosquitto', '--out', path('out'), path('mosquitto.conf')]);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^taken +\S+:5: remote_password$/m);
  assert.doesNotMatch(stdout, /open-sesame/);
  assert.ok(readFileSync(path('out/midge.conf'), 'utf8').endsWith(bridge));
  assert.equal(statSync(path('out/midge.conf')).mode & 0o777, 0o600);
});

test('import copies the files of each listener when it has its own', async (t) => {
  const folder = temporaryFolder(t);
  const path = (name: string) => join(folder, name);
  for (const user of ['anna', 'bert']) writeFileSync(path(user), `${user}:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n`);
  const listeners = ['anna', 'bert'].map((user, index) => `listener ${1883 + index}\npassword_file ${path(user)}\n`).join('');
  writeFileSync(path('mosquitto.conf'), `per_listener_settings true\n${listeners}`);
  const { stdout } = await runMidge(folder, ['import', 'mosquitto', '--out', path('out'), path('mosquitto.conf')]);
  const expected = `per_listener_settings true\nlistener 1883\npassword_file ${path('out/passwd')}\nlistener 1884\npassword_file ${path('out/passwd-2')}\n`;
  assert.ok(readFileSync(path('out/midge.conf'), 'utf8').endsWith(expected), stdout);
  assert.match(readFileSync(path('out/passwd-2'), 'utf8'), /^bert:/);
});

test('import leaves out or changes what only mosquitto may do, and says so', async (t) => {
  const folder = temporaryFolder(t);
  const path = (name: string) => join(folder, name);
  const places = 'pid_file /run/mosquitto/mosquitto.pid\nuser mosquitto\nlog_dest file /var/log/mosquitto/mosquitto.log\n';
  writeFileSync(path('mosquitto.conf'), `${places}listener 1883\n`);
  writeFileSync(path('syslog.conf'), `log_dest syslog\n${places}`);
  const { status, stdout } = await runMidge(folder, ['import', 'mosquitto', '--out', path('out'), path('mosquitto.conf')]);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^left out +\S+:1: pid_file \S+ - the service manager knows the process/m);
  assert.match(stdout, /^left out +\S+:2: user mosquitto - the service has a user of its own$/m);
  assert.match(stdout, /^changed +\S+:3: log_dest file \S+ - the service may not write there.*; written: log_dest stderr$/m);
  const effective = (file: string) =>
    readFileSync(path(file), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  assert.deepEqual(effective('out/midge.conf'), ['log_dest stderr', 'listener 1883']);
  await runMidge(folder, ['import', 'mosquitto', '--out', path('again'), path('syslog.conf')]);
  assert.deepEqual(effective('again/midge.conf'), ['log_dest syslog'], 'no line comes to the journal twice');
});

function writePlain(folder: string): string {
  const file = join(folder, 'midge.conf');
  writeFileSync(file, 'allow_anonymous true\npersistence true\n');
  return file;
}

async function receiveAll(t: TestContext, folder: string, words: readonly string[]): Promise<void> {
  const port = await openPort(startMidge(t, folder, words));
  const open = (version: 4 | 5) => dial(port, { version });
  const old = open(4);
  old.send("10 [ PROTOCOL 00 0000 'old' ]");
  await old.expect('20 02 01 00');
  await old.expect("3A [ 'home/a/door' 0001 |first| ]");
  await old.expect("32 [ 'home/b/door' @c |third| ]");
  await old.expect('62 02 0002');
  await old.expect("34 [ 'home/c/door' @d |unreleased| ]");
  const phone = open(5);
  phone.send("10 [ PROTOCOL 00 0000 { 11 00000E10 } 'phone' ]");
  await phone.expect('20 [ 01 00 { ... } ]');
  await phone.expect("3B [ 'home/a/door' 0001 { 0B 07 } |first| ]");
  await phone.expect("3A [ 'home/a/door' 0002 { 0B 07 } |second| ]");
  await phone.expect("32 [ 'home/b/door' @third { 0B 07, 02 ????????, 26 'k' 'v' } |third| ]");
  await phone.expect("32 [ 'home/c/door' @fourth { 0B 07 } |unreleased| ]");
  const publisher = open(5);
  publisher.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'publisher' ]");
  await publisher.expect('20 [ 01 00 { ... } ]');
  publisher.send("3C [ 'home/c/door' 0005 {} |unreleased| ]");
  await publisher.expect('50 [ 0005 * ]');
  publisher.send('62 02 0005');
  await publisher.expect('70 02 0005');
  const newcomer = open(5);
  newcomer.send("10 [ PROTOCOL 02 0000 {} 'new' ]");
  await newcomer.expect('20 [ 00 00 { ... } ]');
  newcomer.send("82 [ 0001 {} 'other/#' 00 ]");
  await newcomer.expect('90 [ 0001 {} 00 ]');
  await newcomer.expect("31 [ 'other/lamp' { 03 'text/plain' } |on| ]");
  for (const peer of [old, phone, publisher, newcomer]) peer.abort();
}
