// A folder on a disk that forgets: after the death of the program that wrote to it, what was not synced is lost, kept in part, or torn.

import { existsSync, globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildRecorder } from './disk-recorder.ts';
import { Disk, type Fate, readRecording } from './disk-recording.ts';

/** ForgetfulDisk follows one program after the other, started with `env`. */
export class ForgetfulDisk {
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #log: string;
  #disk: Disk;

  /** `folder` is watched; the recorder is built in `workshop`. */
  constructor(folder: string, workshop: string) {
    const { env, log } = buildRecorder(workshop, folder);
    this.env = env;
    this.#folder = folder;
    this.#log = log;
    this.#disk = new Disk();
  }

  /** begin takes what is in the folder for durable. */
  begin(): void {
    rmSync(this.#log, { force: true });
    this.#disk = new Disk(new Map(this.#files().map((path) => [path, readFileSync(path)])));
  }

  /** isSynced tells whether a write of this text to the file `name` was synced by now. */
  isSynced(name: string, text: string): boolean {
    if (!existsSync(this.#log)) return false;
    const calls = readRecording(this.#log).filter(({ path }) => basename(path) === name);
    const written = calls.findIndex((call) => call.kind === 'write' && call.bytes.includes(text));
    return written >= 0 && calls.slice(written).some(({ kind }) => kind === 'sync');
  }

  /** cut makes the folder what is found after a power cut at the last call that was recorded. Gives how many calls to the file `name` were not synced. */
  cut(fate: Fate, name: string): number {
    for (const call of readRecording(this.#log)) this.#disk.follow(call);
    const unsynced = this.#disk.unsynced(name);
    for (const path of this.#files()) rmSync(path);
    for (const [file, bytes] of this.#disk.cut(fate, Math.random)) writeFileSync(join(this.#folder, file), bytes, { mode: 0o600 });
    return unsynced;
  }

  #files(): string[] {
    return globSync('*', { cwd: this.#folder })
      .map((name) => join(this.#folder, name))
      .filter((path) => statSync(path).isFile());
  }
}
