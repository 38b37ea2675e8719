// A machine in small, with a folder of root's and one of the user whom the broker runs as: for what root's commands do there.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { openAuthority } from '../../src/certificates/authority.ts';
import { issueAuthority, keyToPem, makeKey } from '../../src/certificates/issue.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { attackObstacle, midgeWords } from './attacked-broker.ts';

/** A user without rights, as the broker's; no name is needed. */
export const USER = 65_534;

export const skip = attackObstacle({ limited: false }) || (process.getuid?.() === 0 ? false : 'only root has what can be given away');

/** A machine with an `etc` of root's and a `state` of the user's. */
export class Machine {
  readonly folder: string;
  readonly state: string;
  readonly #before: unknown;

  constructor(t: TestContext) {
    this.folder = temporaryFolder(t);
    this.state = this.path('state');
    chmodSync(this.folder, 0o755);
    for (const name of ['etc', 'state', 'home']) mkdirSync(this.path(name), { mode: name === 'home' ? 0o700 : 0o755 });
    writeFileSync(this.path('etc/shadow'), 'root:*:19000:0:99999:7:::\n', { mode: 0o600 });
    chownSync(this.state, USER, USER);
    this.#before = this.etc();
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** plant puts a link into the user's folder. */
  plant(name: string, target: string): void {
    symlinkSync(this.path(target), join(this.state, name));
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.state, name), text, { mode: 0o600 });
    chownSync(join(this.state, name), USER, USER);
  }

  async run(...words: string[]): Promise<{ status: number | null; text: string }> {
    const [command, all] = midgeWords(...words);
    const child = spawn(command, all, { cwd: this.path('home'), stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = Promise.all([buffer(child.stdout), buffer(child.stderr)]);
    const [status] = (await once(child, 'close')) as [number | null]; // the event's first argument
    return { status, text: Buffer.concat(await texts).toString() };
  }

  /** etc is all that is to be seen of root's folder. */
  etc(): unknown {
    const folder = this.path('etc');
    return ['', ...readdirSync(folder)].map((name) => {
      const { uid, gid, mode } = lstatSync(join(folder, name));
      return [name, uid, gid, mode, name === '' ? '' : readFileSync(join(folder, name), 'utf8')];
    });
  }

  assertUntouched(): void {
    assert.deepEqual(this.etc(), this.#before);
  }
}

/** withAuthority makes a machine whose broker has an authority. */
export async function withAuthority(t: TestContext): Promise<Machine> {
  const machine = new Machine(t);
  const key = makeKey();
  const validity = { notBefore: Date.now(), notAfter: Date.now() + 86_400_000 };
  const cert = await issueAuthority({ key, commonName: 'test', validity });
  mkdirSync(join(machine.state, 'certificates'), { mode: 0o700 });
  await openAuthority(join(machine.state, 'certificates'), async () => ({ cert, key: keyToPem(key) }));
  execFileSync('chown', ['-R', `${USER}:${USER}`, machine.state]);
  return machine;
}

/** answerInPlace has a program of the user's answer in the place of the broker. */
export async function answerInPlace(t: TestContext, machine: Machine, words: object, owner = USER): Promise<void> {
  const path = join(machine.state, 'control.sock');
  const server = createServer((socket) => socket.on('error', () => {}).end(`${JSON.stringify(words)}\n`));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chownSync(path, owner, owner);
}
