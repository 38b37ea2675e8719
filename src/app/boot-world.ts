// The machine under `midge boot`: files that survive a power cut, below one folder, and the few programs it starts.

import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '../base/durable-file.ts';

/** BootWorld is the machine in earnest, and a temporary folder with recorded commands in tests. */
export interface BootWorld {
  /** '/' in earnest. */
  readonly root: string;
  /** run gives the output of a program, or null when it fails. Never throws. */
  readonly run: (program: string, ...args: readonly string[]) => Promise<string | null>;
  readonly say: (line: string) => void;
}

/** realWorld is this machine. */
export function realWorld(say: (line: string) => void): BootWorld {
  const run = (program: string, ...args: readonly string[]) =>
    new Promise<string | null>((resolve) => {
      execFile(program, args, { timeout: 120_000 }, (error, stdout) => resolve(error === null ? stdout : null));
    });
  return { root: '/', run, say };
}

/** Disk reads and writes below the root of a world. */
export class Disk {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  path(path: string): string {
    return join(this.#root, path);
  }

  exists(path: string): boolean {
    return existsSync(this.path(path));
  }

  /** read gives the bytes of a file, or null when there is none or it can't be read. */
  read(path: string): Buffer | null {
    try {
      return readFileSync(this.path(path));
    } catch {
      return null;
    }
  }

  text(path: string): string | null {
    return this.read(path)?.toString('utf8') ?? null;
  }

  remove(path: string): void {
    rmSync(this.path(path), { recursive: true, force: true });
  }

  makeFolder(path: string, options: { mode: number; owner?: number }): void {
    mkdirSync(this.path(path), { recursive: true });
    chmodSync(this.path(path), options.mode);
    if (options.owner !== undefined) this.giveTo(path, options.owner);
  }

  /** write puts a whole file in place of what is there, and does nothing when that is the same: a card wears. */
  write(path: string, text: string, options: { mode: number; owner?: number }): void {
    const target = this.path(path);
    if (this.text(path) !== text) {
      mkdirSync(dirname(target), { recursive: true });
      writeWhole(target, text, options.mode);
    }
    if (options.owner !== undefined) this.giveTo(path, options.owner);
  }

  /** writeOver is `write` for a file that holds a secret: what was there before is not left in free blocks either. */
  writeOver(path: string, text: string): void {
    const target = this.path(path);
    const old = openSync(target, 'r+');
    try {
      writeWhole(target, text, 0o600);
      writeSync(old, Buffer.alloc(fstatSync(old).size)); // it has no name any more, but its blocks still
      fsyncSync(old);
    } finally {
      closeSync(old);
    }
  }

  giveTo(path: string, owner: number): void {
    if (process.geteuid?.() === 0) chownSync(this.path(path), owner, owner);
  }
}

function writeWhole(target: string, text: string, mode: number): void {
  replaceFile(target, (temporary) => writeFileSync(temporary, text, { flag: 'wx', mode }));
}
