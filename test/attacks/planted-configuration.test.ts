// Commands of root that read a configuration which the broker's user may write: a broker that was taken over has planted lines in it. Root
// writes, changes and shows nothing of its own for any of them.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { midgeWords } from './attacked-broker.ts';
import { answerInPlace, Machine, skip, USER } from './planted-machine.ts';

/** Names of users are those of a file of the test. */
const PRIVATE = spawnSync('unshare', ['-m', 'true']).status === 0 ? false : 'no mount namespace can be made here';

/** A machine whose user has a configuration, in the state folder. In `etc` lie things of root's that only root reads. */
class PlantedConfiguration {
  readonly machine: Machine;
  readonly main: string;

  constructor(t: TestContext, lines: (at: (name: string) => string) => readonly string[]) {
    this.machine = new Machine(t);
    this.main = join(this.machine.state, 'midge.conf');
    const at = (name: string) => this.machine.path(name);
    this.machine.write('midge.conf', ['listener 1883 127.0.0.1', ...lines(at), ''].join('\n'));
  }

  /** run runs a command that reads it, and sees that nothing of root's has come out of it. */
  async run(...words: string[]): Promise<{ status: number | null; text: string }> {
    const outcome = await this.machine.run(...words, '-c', this.main);
    assert.doesNotMatch(outcome.text, /19000|99999|node:internal/, words.join(' '));
    this.machine.assertUntouched();
    return outcome;
  }
}

/** Each command of root that reads a configuration. */
const COMMANDS: readonly (readonly string[])[] = [
  ['config', 'show'],
  ['config', 'set', 'max_keepalive', '100'],
  ['acl', 'who', 'a/b'],
  ['cert', 'list'],
  ['cert', 'client', 'phone'],
  ['status'],
  ['phone', 'add', 'jane'],
  ['bridge', 'test'],
  ['bridge', 'invite', 'anna', '--topics', 'a/# both'],
  ['backup', 'backup.tar.gz'],
  ['serve', '--test-config'],
];

/** Each line that root's commands might follow to a file. */
const PLANTED: Readonly<Record<string, (at: (name: string) => string) => readonly string[]>> = {
  'include of a file of the system': (at) => [`include ${at('etc/shadow')}`],
  'include_dir of a folder of the system': (at) => [`include_dir ${at('etc')}`],
  'password_file of the system': (at) => ['allow_anonymous false', `password_file ${at('etc/shadow')}`],
  'acl_file of the system': (at) => [`acl_file ${at('etc/shadow')}`],
  'psk_file of the system': (at) => [`psk_file ${at('etc/shadow')}`, 'psk_hint a'],
  'certificates of the system': (at) => [`certfile ${at('etc/shadow')}`, `keyfile ${at('etc/shadow')}`],
  'certificates of the system in a bridge': (at) => [
    'connection b',
    'address 127.0.0.1:1',
    'topic # both',
    `bridge_cafile ${at('etc/shadow')}`,
    `bridge_keyfile ${at('etc/shadow')}`,
  ],
  'persistence_location of the system': (at) => ['persistence true', `persistence_location ${at('etc')}/`],
  'persistence_file of the system': (at) => ['persistence true', `persistence_file ${at('etc/shadow')}`],
  'log, PID file and user': (at) => [`log_dest file ${at('etc/log')}`, `pid_file ${at('etc/pid')}`, 'user root'],
  'dynamic security of the system': (at) => [`plugin mosquitto_dynamic_security.so`, `plugin_opt_config_file ${at('etc/shadow')}`],
};

for (const [name, lines] of Object.entries(PLANTED)) {
  test(`root's commands touch and show nothing of root's when the configuration has a planted ${name}`, {
    skip,
    timeout: 300_000,
  }, async (t) => {
    const planted = new PlantedConfiguration(t, lines);
    for (const words of COMMANDS) {
      const state = ['status', 'phone', 'cert', 'backup'].includes(words[0] ?? '') ? planted.machine.state : null;
      if (state !== null && name.startsWith('persistence')) await planted.run(...words);
      await planted.run(...words, ...(state === null ? [] : ['--state', state]));
    }
    const { text } = await planted.machine.run('check', planted.main);
    assert.doesNotMatch(text, /19000|99999/);
    planted.machine.assertUntouched();
  });
}

test('config by root writes as the user whose configuration it is, whatever include_dir leads to', { skip }, async (t) => {
  const planted = new PlantedConfiguration(t, (at) => [`include_dir ${at('etc')}`]);
  chmodSync(planted.machine.path('etc/shadow'), 0o600);
  const { status, text } = await planted.run('config', 'set', 'max_keepalive', '100');
  assert.equal(status, 1);
  assert.match(text, /root does this as user (nobody|65534)/);
  const honest = new PlantedConfiguration(t, (at) => [`include_dir ${at('state/conf.d')}`]);
  mkdirSync(join(honest.machine.state, 'conf.d'));
  chownSync(join(honest.machine.state, 'conf.d'), USER, USER);
  const set = await honest.run('config', 'set', 'max_keepalive', '100');
  assert.equal(set.status, 0, set.text);
  assert.equal(lstatSync(join(honest.machine.state, 'conf.d/settings.conf')).uid, USER);
  assert.match(readFileSync(join(honest.machine.state, 'conf.d/settings.conf'), 'utf8'), /^max_keepalive 100$/m);
});

test("restore by root follows another user's configuration to no place that is not that user's", { skip }, async (t) => {
  const source = new Machine(t);
  writeFileSync(source.path('home/passwd'), 'eve:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n', { mode: 0o600 });
  source.write('passwd', 'eve:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n');
  const backup = source.path('home/backup.tar.gz');
  assert.equal((await source.run('backup', '--state', source.state, backup)).status, 0);
  for (const lines of [PLANTED['persistence_location of the system'], PLANTED['persistence_file of the system']]) {
    const planted = new PlantedConfiguration(t, lines ?? assert.fail());
    for (const words of [
      ['restore', '--yes', backup],
      ['restore', '--finish'],
      ['restore', '--before-upgrade'],
    ]) {
      const { status, text } = await planted.run(...words);
      assert.equal(status, 1, text);
      assert.match(text, /Cannot use ".*etc.*": ".*midge\.conf", which belongs to user (nobody|65534), names it/);
    }
  }
});

test('backup by root has nothing in it that the user whose configuration is named may not read', { skip }, async (t) => {
  const planted = new PlantedConfiguration(t, (at) => [`password_file ${at('etc/shadow')}`]);
  planted.machine.write('passwd', '');
  const { status, text } = await planted.run('backup', 'backup.tar.gz', '--state', planted.machine.state);
  assert.equal(status, 1, text);
  assert.deepEqual(readdirSync(planted.machine.path('home')), []);
});

test('the set-up code and answers of a broker are asked for where the state is, as its user', { skip }, async (t) => {
  const planted = new PlantedConfiguration(t, () => []);
  await answerInPlace(t, planted.machine, { ok: true, result: {} });
  const { text } = await planted.run('status', '--state', planted.machine.state);
  assert.match(text, /another version/);
});

test("serve by root refuses the configuration of the service's user, and says how it is started", { skip: skip || PRIVATE }, async (t) => {
  const planted = new PlantedConfiguration(t, (at) => ['user root', `log_dest file ${at('etc/log')}`]);
  const passwd = planted.machine.path('home/passwd');
  writeFileSync(passwd, `${readFileSync('/etc/passwd', 'utf8')}midge:x:64999:64999::/:/bin/false\n`);
  execFileSync('chown', ['-R', '64999:64999', planted.machine.state]);
  const [command, words] = midgeWords('serve', '-c', planted.main);
  const script = `mount --bind ${passwd} /etc/passwd && exec "$@"`;
  const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', command, ...words], { encoding: 'utf8' });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^Cannot serve ".*midge\.conf" as root: it belongs to user midge/);
  planted.machine.assertUntouched();
});
