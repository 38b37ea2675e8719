// Rules that root begins for a broker that may not write its configuration: only when all else is well, and not for what is refused then.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hashPassword } from '../../src/access/password-hash.ts';
import { createControl } from '../../src/control/control.ts';
import { OperationFailure } from '../../src/operations/operation.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { runMidge } from '../support/process/midge-process.ts';

/** What the broker answers: a failure is thrown. */
type Answers = readonly (object | OperationFailure | 'nothing')[];

const MISSING = new OperationFailure('rules missing', 'There are no rules, and I may not begin them');
const MADE = { name: 'anna', invitation: 'connection anna\n', host: 'pi.example', passwordFile: '/passwd', rulesBegun: null };

/** A broker that answers "invite bridge" one after the other, on the socket of a state folder. */
async function boxThatAnswers(context: TestContext, answers: Answers) {
  const folder = temporaryFolder(context);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('passwd'), `jane:${await hashPassword('secret', 'sha512-pbkdf2')}\n`, { mode: 0o600 });
  writeFileSync(at('midge.conf'), `# mine\nlistener 1883\npassword_file ${at('passwd')}\n`);
  mkdirSync(at('state'), { mode: 0o700 });
  const asked: string[] = [];
  const left = [...answers];
  const operations = {
    run: async (name: string) => {
      asked.push(name);
      if (name === 'phone setup') return { configuration: at('midge.conf') };
      if (name === 'reload') return { reads: true, error: null, mistakes: [], later: [] };
      const next = left.shift() ?? assert.fail('asked once too often');
      if (next instanceof OperationFailure) throw next;
      if (next === 'nothing') {
        void control.stop();
        return new Promise<never>(() => {});
      }
      return next;
    },
  };
  const control = createControl({ path: at('state/control.sock'), operations, log: recordingLog() });
  await control.start();
  context.after(() => control.stop());
  const before = readFileSync(at('midge.conf'), 'utf8');
  const isUntouched = () => readFileSync(at('midge.conf'), 'utf8') === before && !existsSync(at('acl'));
  const invite = () =>
    runMidge(folder, ['bridge', 'invite', 'anna', '--topics', 'a/# both', '--out', at('anna.conf'), '--state', at('state')]);
  return { at, asked, folder, invite, isUntouched };
}

test('rules are begun by who may write the configuration when nothing else is missing, and then the broker is asked again', async (context) => {
  const box = await boxThatAnswers(context, [MISSING, MADE]);
  const { status, stderr } = await box.invite();
  assert.equal(status, 0, stderr);
  assert.match(stderr, /There were no rules yet: midge has begun them/);
  assert.match(readFileSync(box.at('acl'), 'utf8'), /\nuser jane\ntopic readwrite #\ntopic read \$SYS\/#\n$/);
  assert.match(readFileSync(box.at('midge.conf'), 'utf8'), new RegExp(`^acl_file ${box.at('acl')}$`, 'm'));
  assert.deepEqual(box.asked, ['invite bridge', 'phone setup', 'reload', 'invite bridge']);
  assert.equal(readFileSync(box.at('anna.conf'), 'utf8'), MADE.invitation);
});

test('rules are taken back when the broker refuses afterwards, and the files are as they were', async (context) => {
  const box = await boxThatAnswers(context, [MISSING, new OperationFailure('conflict', 'Not this one')]);
  const { status, stderr } = await box.invite();
  assert.equal(status, 1);
  assert.match(stderr, /Not this one/);
  assert.doesNotMatch(stderr, /There were no rules yet/);
  assert.ok(box.isUntouched());
  assert.deepEqual(box.asked.slice(-1), ['reload'], 'the broker has read that, too');
  assert.deepEqual(readdirSync(box.folder).sort(), ['midge.conf', 'passwd', 'state']);
});

test('rules stay when it is not known what the broker has done: a new account without rules could do everything', async (context) => {
  const box = await boxThatAnswers(context, [MISSING, 'nothing']);
  const { status, stderr } = await box.invite();
  assert.equal(status, 1);
  assert.match(stderr, /There were no rules yet: midge has begun them/);
  assert.ok(existsSync(box.at('acl')));
  assert.match(readFileSync(box.at('midge.conf'), 'utf8'), /^acl_file /m);
});

test('nothing is written for what the broker refuses for another reason', async (context) => {
  const box = await boxThatAnswers(context, [new OperationFailure('bad input', 'The certificate does not name it')]);
  const { status, stderr } = await box.invite();
  assert.deepEqual([status, /does not name it/.test(stderr)], [1, true]);
  assert.ok(box.isUntouched());
  assert.deepEqual(box.asked, ['invite bridge']);
  assert.equal(existsSync(box.at('anna.conf')), false);
});

test('invitation of an account that was made is kept, whatever comes after', async (context) => {
  const box = await boxThatAnswers(context, [{ ...MADE, passwordFile: ['\u0007'] }]); // as no version has it
  const { status, stderr } = await box.invite();
  assert.deepEqual([status, /has another version/.test(stderr)], [1, true]);
  assert.equal(readFileSync(box.at('anna.conf'), 'utf8'), MADE.invitation);
});

test('invitation that could not be kept is not asked for', async (context) => {
  const box = await boxThatAnswers(context, []);
  const words = ['bridge', 'invite', 'anna', '--topics', 'a/# both', '--out', box.at('no/anna.conf'), '--state', box.at('state')];
  const { status, stderr } = await runMidge(box.folder, words);
  assert.equal(status, 1);
  assert.match(stderr, /Cannot write ".*\/no\/anna\.conf"/);
  assert.deepEqual(box.asked, []);
});
