// Files of a machine, below one folder: written so that they survive a power cut, and never through a link that the broker's user has planted.

import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile, syncPath } from '../base/durable-file.ts';

/** Rights of a file or folder; owner null = whoever writes it. Only root gives files away. */
export interface Rights {
  readonly mode: number;
  readonly owner?: number;
}

/** Nothing is waited for: a pipe in the place of a file would hold us up. */
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** open(2): no file, no folder above it, a link, a socket. */
const NONE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'];

/** MachineFiles reads and writes below the root of a world. */
export class MachineFiles {
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

  /** names lists a folder: empty when there is none, or it can't be read. */
  names(path: string): string[] {
    try {
      return readdirSync(this.path(path));
    } catch {
      return [];
    }
  }

  /** read gives the bytes of a file, or null when there is none or it can't be read. */
  read(path: string): Buffer | null {
    try {
      return readFile(this.#target(path));
    } catch {
      return null;
    }
  }

  text(path: string): string | null {
    return this.read(path)?.toString('utf8') ?? null;
  }

  /** textToChange is `text` for a file that is going to be replaced: throws when it is there and can't be read. */
  textToChange(path: string): string | null {
    return readFile(this.#target(path))?.toString('utf8') ?? null;
  }

  remove(path: string): void {
    rmSync(this.path(path), { recursive: true, force: true });
  }

  rename(from: string, to: string): void {
    renameSync(this.path(from), this.path(to));
    syncPath(dirname(this.path(to)));
  }

  /** makeFolder makes a folder with these rights, also in place of what is none. */
  makeFolder(path: string, rights: Rights): void {
    const target = this.#target(path);
    if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(target);
    mkdirSync(target, { recursive: true, mode: rights.mode });
    setRights(target, rights);
  }

  /** write puts a whole file in place of what is there, and does nothing when that is the same: a card wears. Tells whether it has. */
  write(path: string, text: string, rights: Rights): boolean {
    const target = this.#target(path);
    const isSame = this.text(path) === text && lstatSync(target).nlink === 1;
    if (!isSame) {
      mkdirSync(dirname(target), { recursive: true });
      writeWhole(target, text, rights.mode);
    }
    if (rights.owner !== undefined) setRights(target, rights);
    return !isSame;
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

  /** A link that root has made is somebody's wish; one of another user may lead to a file of the system. */
  #target(path: string): string {
    const target = this.path(path);
    const found = lstatSync(target, { throwIfNoEntry: false });
    return found?.isSymbolicLink() && found.uid === 0 && existsSync(target) ? realpathSync(target) : target;
  }
}

function readFile(target: string): Buffer | null {
  let file: number;
  try {
    file = openSync(target, OPEN);
  } catch (error) {
    if (NONE.includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  try {
    return fstatSync(file).isFile() ? readFileSync(file) : null;
  } finally {
    closeSync(file);
  }
}

function writeWhole(target: string, text: string, mode: number): void {
  replaceFile(target, (temporary) => writeFileSync(temporary, text, { flag: 'wx', mode }));
}

function setRights(target: string, { mode, owner }: Rights): void {
  const file = openSync(target, OPEN);
  try {
    fchmodSync(file, mode);
    if (owner !== undefined && process.geteuid?.() === 0) fchownSync(file, owner, owner);
  } finally {
    closeSync(file);
  }
}
