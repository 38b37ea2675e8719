// The configuration: checked, compared, changed for the time being, confirmed or taken back; whole after any power cut.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { operationNeeds } from '../../src/app/operation-needs.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { askControl } from '../../src/control/ask-control.ts';
import { ConfigurationTrial, takeBackUnconfirmed } from '../../src/operations/configuration-trial.ts';
import { diffLines } from '../../src/operations/diff-lines.ts';
import type { LastReload } from '../../src/operations/needs.ts';
import { Operations } from '../../src/operations/operations.ts';
import { openAppliance } from '../app/test-appliance.ts';
import { configurationOf } from '../app/test-configuration.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';

/** The writer is killed so often at random moments; MIDGE_KILLS has it done more often. */
const KILLS = Number(process.env['MIDGE_KILLS'] ?? 20);

const done: LastReload = { at: 0, by: 'command', error: null, mistakes: [], later: [] };

function fileWith(t: TestContext, text: string): string {
  const file = join(temporaryFolder(t), 'midge.conf');
  writeFileSync(file, text, { mode: 0o640 });
  return file;
}

test('a change is in the file at once, and stays when it is confirmed', async (t) => {
  const file = fileWith(t, 'old');
  const trial = new ConfigurationTrial(silentLogger);
  const { confirm } = await trial.apply(file, 'new', async () => done);
  assert.equal(readFileSync(file, 'utf8'), 'new');
  assert.equal(statSync(file).mode & 0o777, 0o640);
  await assert.rejects(
    trial.apply(file, 'other', async () => done),
    { reason: 'conflict' },
  );
  assert.throws(() => trial.confirm('x'), { reason: 'conflict' });
  trial.confirm(confirm);
  assert.equal(takeBackUnconfirmed(file), false);
  assert.equal(readFileSync(file, 'utf8'), 'new');
  assert.throws(() => trial.confirm(confirm), { reason: 'not found' });
});

test('a change that nobody confirms is taken back when its time is over, and at the next start', async (t) => {
  const file = fileWith(t, 'old');
  let reloads = 0;
  const isBack = Promise.withResolvers<void>();
  const reload = async () => {
    if (++reloads === 2) isBack.resolve();
    return done;
  };
  const trial = new ConfigurationTrial(silentLogger, 1);
  const waiting = setTimeout(() => {}, 60_000); // the timer of the trial keeps no process alive
  await trial.apply(file, 'new', reload);
  await isBack.promise;
  clearTimeout(waiting);
  assert.equal(readFileSync(file, 'utf8'), 'old');
  const other = new ConfigurationTrial(silentLogger);
  await other.apply(file, 'new', reload);
  assert.equal(takeBackUnconfirmed(file), true);
  assert.equal(readFileSync(file, 'utf8'), 'old');
  assert.deepEqual(readdirSync(join(file, '..')), ['midge.conf']);
});

test('a change that cannot be taken back in time is said, goes on waiting, and is taken back once it can be', async (t) => {
  const file = fileWith(t, 'old');
  const log = recordingLog();
  const trial = new ConfigurationTrial(log, 1, 20);
  const waiting = setTimeout(() => {}, 60_000); // the timer of the trial keeps no process alive
  t.after(() => clearTimeout(waiting));
  await trial.apply(file, 'new', async () => done);
  rmSync(file);
  mkdirSync(file); // nothing can take its place
  await log.line(/Cannot take the change of ".*midge\.conf" back: .* midge tries it again\./);
  await assert.rejects(trial.takeBack(), { reason: 'not possible' });
  assert.notEqual(trial.waiting, null);
  rmdirSync(file);
  await log.line(/Nobody has confirmed the change of .*: it was taken back\./);
  assert.equal(readFileSync(file, 'utf8'), 'old');
});

test('a change that nobody confirms stays when the file was changed again meanwhile by another hand', async (t) => {
  const file = fileWith(t, 'old');
  const log = recordingLog();
  const trial = new ConfigurationTrial(log, 30);
  const waiting = setTimeout(() => {}, 60_000);
  t.after(() => clearTimeout(waiting));
  await trial.apply(file, 'new', async () => done);
  writeFileSync(file, 'by hand');
  await log.line(/the file was changed again meanwhile: it stays\./);
  assert.equal(readFileSync(file, 'utf8'), 'by hand');
  assert.equal(takeBackUnconfirmed(file), false);
});

test('a change that cannot be put in force leaves all as it was, also behind a link', async (t) => {
  const file = fileWith(t, 'old');
  const link = join(temporaryFolder(t), 'linked.conf');
  symlinkSync(file, link);
  const answers = [{ ...done, error: 'It does not', mistakes: ['a:1:1: wrong'] }, done];
  await assert.rejects(
    new ConfigurationTrial(silentLogger).apply(link, 'new', async () => answers.shift() ?? assert.fail()),
    /It does not\na:1:1: wrong/,
  );
  assert.equal(readFileSync(link, 'utf8'), 'old');
  assert.equal(existsSync(`${file}.unconfirmed`), false);
  assert.deepEqual(answers, []);
});

test(`a power cut in the middle of changes leaves the old or the new text, ${KILLS} times`, {
  timeout: 60_000 + KILLS * 12_000,
}, async (t) => {
  const texts = ['a', 'b', 'c', 'd'].map((letter) => `${letter.repeat(50_000)}\n`);
  const file = fileWith(t, texts[0] ?? '');
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = spawn(process.execPath, [join(import.meta.dirname, 'trial-writer.ts'), file, ...texts], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(writer.stdout, 'data');
    for (let turns = randomInt(200); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve)); // any moment
    writer.kill('SIGKILL');
    await once(writer, 'close');
    assert.ok(texts.includes(readFileSync(file, 'utf8')));
    takeBackUnconfirmed(file);
    assert.ok(texts.includes(readFileSync(file, 'utf8')));
    assert.equal(existsSync(`${file}.unconfirmed`), false);
  }
});

test('the diff shows what goes, comes and stays', () => {
  assert.deepEqual(diffLines('a\nb\nc\n', 'a\nx\nc\n'), [' a', '-b', '+x', ' c']);
  assert.deepEqual(diffLines('a\nb', 'b\na'), ['-a', ' b', '+a']);
  assert.deepEqual(diffLines('', ''), []);
});

test('the diff has no empty line for the end of the last one', () => {
  assert.deepEqual(diffLines('a\n', 'a\nb'), [' a', '+b']);
  assert.deepEqual(diffLines('a', 'a\nb\n'), [' a', '+b']);
  assert.deepEqual(diffLines('a\n', 'a'), [' a']);
  assert.deepEqual(diffLines('a\n', 'a\n\n'), [' a', '+'], 'an empty line of its own is one');
  assert.deepEqual(diffLines('', 'a\n'), ['+a']);
});

test('a text is edited as a person would, and nothing is changed in the file', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'midge.conf');
  const text = '# mine\nallow_anonymous true\nlistener 1883\nmax_connections 5\npassword secret\n';
  writeFileSync(file, text);
  const { appliance } = await openAppliance(t, folder, { configuration: configurationOf(folder, `listener 0 ${join(folder, 'socket')}`) });
  const needs = operationNeeds(appliance, { reloads: {} } as never);
  const operations = new Operations(() => ({ ...needs, configuration: { ...needs.configuration, file } }));
  // biome-ignore lint/suspicious/noExplicitAny: the answers are the subject of the test
  const edit = (...changes: object[]): Promise<any> =>
    operations.run('edit configuration', { text, changes }, { name: 'jane', right: 'admin' });

  const told = await edit();
  assert.equal(told.text, text);
  const [first, , , last] = told.settings;
  assert.deepEqual(first, { name: 'allow_anonymous', value: 'true', block: null, file, line: 2 });
  assert.deepEqual([last.name, last.value, last.block], ['password', null, 'listener 1883']);
  const edited = await edit(
    { name: 'max_connections', values: ['9'], listener: '1883' },
    { name: 'allow_anonymous', values: [] },
    { name: 'max_keepalive', values: ['60'] },
  );
  assert.equal(edited.text, 'max_keepalive 60\n# mine\nlistener 1883\nmax_connections 9\npassword secret\n');
  assert.equal(readFileSync(file, 'utf8'), text);
  await assert.rejects(edit({ name: 'max_conections', values: ['9'] }), /did you mean "max_connections"/);
  await assert.rejects(edit({ name: 'max_connections', values: ['9'], listener: '8883' }), /has no listener 8883/);
});

test('every known setting says what it means, and can be set', async (t) => {
  const folder = temporaryFolder(t);
  const { appliance } = await openAppliance(t, folder, { configuration: configurationOf(folder, `listener 0 ${join(folder, 'socket')}`) });
  const needs = operationNeeds(appliance, { reloads: {} } as never);
  const known = await new Operations(() => needs).run('known settings', {}, { name: 'jane', right: 'viewer' });
  assert.ok(Array.isArray(known) && known.length > 80);
  for (const { name, meaning, syntax, scope } of known) {
    assert.match(meaning, /^[A-Z].*\.$/s, name);
    assert.notEqual(syntax, '', name);
    const text = 'listener 1883\nlistener 8443\n';
    const listener = scope === 'listener' ? '1883' : null;
    assert.match(
      needs.files.withChange(join(folder, 'midge.conf'), text, { name, values: ['1'], listener }),
      new RegExp(`^${name} 1$`, 'm'),
    );
  }
  assert.deepEqual(
    known.filter(({ isSecret }) => isSecret).map(({ name }) => name),
    ['password', 'dynamic_dns_password'],
  );
});

test('a running broker checks, applies, confirms and remembers its configuration, and refuses a stale revision', async (t) => {
  const folder = temporaryFolder(t);
  const [file, state] = [join(folder, 'midge.conf'), join(folder, 'state')];
  const text = '# mine\npersistence true\nallow_anonymous true\nmax_inflight_messages 7\nlog_dest stdout\n';
  writeFileSync(file, text);
  const broker = startMidge(t, folder, ['serve', '-c', file, '-p', '0', '--state', state]);
  await openPort(broker);
  await broker.line(/ running$/);
  // biome-ignore lint/suspicious/noExplicitAny: the answers are the subject of the test
  const ask = (request: string, input = {}): Promise<any> => askControl(join(state, 'control.sock'), { request, ...input }, 30_000);

  const shown = await ask('configuration');
  assert.deepEqual([shown.text, shown.unconfirmed], [text, null]);
  const settings = await ask('settings');
  assert.deepEqual(settings[2], { name: 'max_inflight_messages', value: '7', block: null, file, line: 4 });
  const checked = await ask('check configuration', { text: text.replace('7', 'seven') });
  assert.match(checked.mistakes[0], /midge\.conf:4/);
  assert.deepEqual(checked.diff.slice(3, 5), ['-max_inflight_messages 7', '+max_inflight_messages seven']);
  await assert.rejects(ask('apply configuration', { text: text.replace('7', 'seven'), revision: shown.revision }), /midge\.conf:4/);

  const next = text.replace('7', '9');
  const { confirm } = await ask('apply configuration', { text: next, revision: shown.revision });
  const { unconfirmed } = await ask('configuration');
  assert.equal(unconfirmed.confirm, confirm, 'who comes back by another way can confirm it');
  assert.ok(Date.parse(unconfirmed.until) > Date.now());
  await ask('confirm configuration', { confirm });
  assert.equal(readFileSync(file, 'utf8'), next);
  await assert.rejects(ask('apply configuration', { text, revision: shown.revision }), /has changed since/);
  const [past] = await ask('configuration history');
  assert.deepEqual([past.text, past.revision], [text, shown.revision]);

  const { revision } = await ask('configuration');
  await ask('apply configuration', { text, revision });
  await ask('take back configuration');
  assert.equal(readFileSync(file, 'utf8'), next);

  await ask('change service', { username: 'jane', password: 'secret', persistence_file: 'home.db' }).then((given) =>
    ask('confirm configuration', { confirm: given.confirm }),
  );
  const service = await ask('service');
  assert.deepEqual(
    [service.port, service.username, service.password, service.secure, service.persistence_file],
    [null, 'jane', 'set', null, 'home.db'],
  );
  assert.ok(!JSON.stringify(service).includes('secret'));
  assert.equal(readFileSync(file, 'utf8'), `${next}username jane\npassword secret\npersistence_file home.db\n`);
  assert.equal((await ask('change service', { username: 'jane' })).confirm, null);
  const { revision: seen } = service;
  const back = await ask('change service', { username: null, password: null, persistence_file: null, revision: seen });
  await ask('confirm configuration', { confirm: back.confirm });
  assert.equal(readFileSync(file, 'utf8'), next);
  await assert.rejects(ask('change service', { port: 1884, revision: seen }), /has changed since/);
});
