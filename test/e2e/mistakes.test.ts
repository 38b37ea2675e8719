// Plays the table of mistakes: what `midge check` says of each, and that `midge serve` says the same and ends, or runs in spite of it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { runMidge } from '../support/process/command-line.ts';
import { missing } from '../support/process/foreign-program.ts';
import { watchProcess } from '../support/process/watched-process.ts';
import { MISTAKES, type Mistake, prepareMistakes } from './mistakes.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** Root keeps its name and loses what makes it root, in a network where the ports below 1024 need rights. */
const WITHOUT_RIGHTS = process.getuid?.() === 0 ? ['unshare', '-n', 'setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];

let folder = '';
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'midge-test-'));
  await prepareMistakes(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const mistake of MISTAKES) {
  const skip = mistake.isWithoutRights && WITHOUT_RIGHTS.length > 0 ? missing(['unshare', 'setpriv'], 'util-linux') : false;
  test(`check and serve say what is wrong with ${mistake.what}`, { skip, timeout: 60_000 }, async (context) => {
    const { file, ...start } = write(mistake);
    if (mistake.check !== null) assert.match(await check(mistake, file, start.env), mistake.check);
    const { status, said } = await serve(context, mistake, start);
    assert.match(said, mistake.serve ?? mistake.check ?? /./);
    assert.equal(status, mistake.ends, said);
  });
}

function write({ text, words = [], program }: Mistake) {
  const file = join(folder, 'midge.conf');
  writeFileSync(file, `${text.replaceAll('{folder}', folder)}\n`, { mode: 0o600 });
  const home = join(folder, 'home');
  const asked = [...(program === undefined ? ['serve'] : []), '-c', file, ...words.map((word) => word.replaceAll('{folder}', folder))];
  return { file, words: asked, env: { HOME: home, XDG_STATE_HOME: join(home, 'state'), STATE_DIRECTORY: join(home, 'midge') } };
}

async function check({ isWithoutRights }: Mistake, file: string, env: Record<string, string>): Promise<string> {
  if (isWithoutRights) return (await runAlone(WITHOUT_RIGHTS, ['check', file], env)).said;
  const { stdout, stderr } = await runMidge(['check', file], { env });
  return `${stderr}${stdout}`;
}

interface Start {
  readonly words: readonly string[];
  readonly env: Record<string, string>;
}

async function serve(context: TestContext, { program, isWithoutRights, isLate, ends }: Mistake, { words, env }: Start) {
  if (ends === 'runs') {
    const broker = watchProcess(context, [process.execPath, [MAIN, ...words]], env);
    await broker.line(/ running$/);
    return { status: 'runs', said: broker.lines.join('\n') };
  }
  if (isWithoutRights || isLate) return runAlone(isWithoutRights ? WITHOUT_RIGHTS : [], words, env);
  const { status, stdout, stderr } = await runMidge(words, { env, ...(program === undefined ? {} : { program }) });
  return { status, said: `${stderr}${stdout}` };
}

async function runAlone(within: readonly string[], words: readonly string[], env: Record<string, string>) {
  const [command = '', ...more] = [...within, process.execPath, MAIN, ...words];
  const child = spawn(command, more, { env: { ...process.env, ...env }, timeout: 30_000, killSignal: 'SIGKILL' });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, status] = await Promise.all([textOf(child.stdout), textOf(child.stderr), closed]);
  return { status, said: `${stderr}${stdout}` };
}
