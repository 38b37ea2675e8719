// One mistake in a file, or a folder that somebody has filled: nothing that is not the broker's is moved, changed or given away.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePort } from '../support/network/free-ports.ts';
import { watchProcess } from '../support/process/watched-process.ts';
import { attackObstacle, midgeWords } from './attacked-broker.ts';

/** mosquitto's exit status for a configuration that can't be used. */
const BAD_CONFIGURATION = 3;

interface Slip {
  readonly what: string;
  /** {etc} stands for a folder like /etc, {folder} for one of the test's own. */
  readonly configuration: string;
  /** What stands in for --state. */
  readonly state?: string;
  readonly says: RegExp;
  prepare?(folder: string): void;
}

const REFUSED: readonly Slip[] = [
  { what: 'persistence_file is a folder', configuration: 'persistence_file {etc}', says: /database ".*etc": it is a folder/ },
  {
    what: 'persistence_file is a file of the system',
    configuration: 'persistence_file {etc}/shadow',
    says: /etc\/shadow": it is not a database of midge/,
  },
  {
    what: 'the state folder is /etc',
    configuration: 'persistence true',
    state: '{etc}',
    says: /Cannot use ".*etc" as state folder: .*passwd/,
  },
  {
    what: 'the state folder is /etc and the database shadow',
    configuration: 'persistence_file shadow',
    state: '{etc}',
    says: /Cannot use ".*etc" as state folder/,
  },
  {
    what: 'persistence_file is a link into /etc',
    configuration: 'persistence_file {folder}/link.db',
    says: /link\.db": it is a link to ".*etc\/shadow"/,
    prepare: (folder) => symlinkSync(join(folder, 'etc/shadow'), join(folder, 'link.db')),
  },
  {
    what: 'persistence_file is a FIFO',
    configuration: 'persistence_file {folder}/fifo.db',
    says: /fifo\.db": it is a FIFO/,
    prepare: (folder) => void execFileSync('mkfifo', [join(folder, 'fifo.db')]),
  },
  {
    what: 'persistence_location can not be made',
    configuration: 'persistence true\npersistence_location /proc/midge',
    says: /"\/proc\/midge/,
  },
];

for (const { what, configuration, state = '{folder}/state', says, prepare } of REFUSED) {
  test(`start is refused in one sentence, and nothing is changed, when ${what}`, {
    skip: attackObstacle({ limited: false }),
  }, async (t) => {
    const folder = likeAMachine(t);
    prepare?.(folder);
    const before = shape(folder);
    const place = (text: string) => text.replaceAll('{etc}', join(folder, 'etc')).replaceAll('{folder}', folder);
    const { status, text } = await serve(t, place(configuration), place(state));
    assert.equal(status, BAD_CONFIGURATION, text);
    assert.match(text, says);
    assert.equal(text.split('\n').filter((line) => says.test(line)).length, 1, text);
    assert.deepEqual(shape(folder), before);
  });
}

test('a database in /etc is all that is touched there', { skip: attackObstacle({ limited: false }) }, async (t) => {
  const folder = likeAMachine(t);
  const before = shape(join(folder, 'etc'));
  const broker = watchProcess(t, serveWords(t, `persistence_file ${folder}/etc/midge.db\n`, join(folder, 'state'), await freePort()));
  await broker.line(/Sessions and retained messages are kept in .*etc\/midge\.db\./);
  await broker.line(/version .* running$/);
  assert.equal(await broker.end(), 0);
  const after = shape(join(folder, 'etc'));
  assert.deepEqual(
    after.filter(([name]) => !String(name).startsWith('midge.db')),
    before.map((each) => (each[0] === '' ? after[0] : each)), // its time of change
  );
  assert.deepEqual([after[0]?.[1], after[0]?.[2]], [before[0]?.[1], before[0]?.[2]]);
});

/** A folder with one like /etc in it, open to the user that the broker becomes. */
function likeAMachine(t: TestContext): string {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'etc/certificates'), { recursive: true });
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\n');
  writeFileSync(join(folder, 'etc/shadow'), 'root:*:19000:0:99999:7:::\n', { mode: 0o600 });
  writeFileSync(join(folder, 'etc/certificates/other.key'), 'not ours\n', { mode: 0o600 });
  return folder;
}

function serveWords(t: TestContext, configuration: string, state: string, port: number): [string, string[]] {
  const file = join(temporaryFolder(t), 'midge.conf');
  const user = process.getuid?.() === 0 ? 'user nobody\n' : '';
  writeFileSync(file, `${user}listener ${port} 127.0.0.1\nallow_anonymous true\n${configuration}\n`);
  return midgeWords('serve', '-c', file, '--state', state);
}

async function serve(t: TestContext, configuration: string, state: string) {
  const [command, words] = serveWords(t, configuration, state, await freePort());
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const texts = Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  const [status] = (await once(child, 'close')) as [number | null]; // the event's first argument
  return { status, text: Buffer.concat(await texts).toString() };
}

/** Names, modes, owners and content, of the folder itself first. */
function shape(folder: string) {
  return ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()].map((name) => {
    const path = join(folder, name);
    const { mode, uid, gid } = lstatSync(path);
    return [name, mode, `${uid}:${gid}`, lstatSync(path).isFile() ? readFileSync(path, 'utf8') : ''];
  });
}
