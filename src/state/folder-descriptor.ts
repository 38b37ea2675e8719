// Work in a folder where somebody else may write: by descriptor, so that nobody can change what a name means between two steps.
//
//   FolderDescriptor.open('/var/lib/midge')   a descriptor of this very folder; a link in its place is refused
//   folder.at('passwd')                       /proc/self/fd/N/passwd: the name in that folder, even when the folder was moved meanwhile
//   folder.open('passwd', O_RDONLY)           a regular file with one name, no link, no FIFO, no device

import {
  closeSync,
  constants,
  type Dirent,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
} from 'node:fs';
import { OperatorError } from '../base/errors.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** FolderDescriptor is an open folder. Close it. */
export class FolderDescriptor {
  /** The path by which it was opened, for messages. */
  readonly path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** open opens a folder that is no link; throws what the system says (ELOOP or ENOTDIR for anything else). */
  static open(path: string): FolderDescriptor {
    return new FolderDescriptor(path, openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** stats are those of the folder itself. */
  stats(): Stats {
    return fstatSync(this.#fd);
  }

  /** at is a path of a name in this folder, good while it is open. The name itself may still be a link: use it with calls that do not follow one. */
  at(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new OperatorError(`"${name}" is not the name of a file`);
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  entries(): Dirent[] {
    return readdirSync(`/proc/self/fd/${this.#fd}`, { withFileTypes: true });
  }

  /** folder opens a folder in this one. */
  folder(name: string): FolderDescriptor {
    return new FolderDescriptor(`${this.path}/${name}`, openSync(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** makeFolder makes a folder that is not there yet, and opens it. */
  makeFolder(name: string, mode = 0o700): FolderDescriptor {
    mkdirSync(this.at(name), { mode });
    return this.folder(name);
  }

  /**
   * open opens a regular file that has no other name, never through a link; a FIFO does not block it. Throws what the system says, and an
   * OperatorError for anything else than such a file. Gives the descriptor.
   */
  open(name: string, flags: number, mode = 0o600): number {
    const fd = openSync(this.at(name), flags | O_NOFOLLOW | O_NONBLOCK, mode);
    const stats = fstatSync(fd);
    if (stats.isFile() && stats.nlink === 1) return fd;
    closeSync(fd);
    const what = stats.isFile() ? 'has other names (hard links)' : 'is no regular file';
    throw new OperatorError(`Cannot use "${this.path}/${name}": it ${what} - remove it`);
  }

  /** give changes owner of the folder. */
  give(uid: number, gid: number): void {
    fchownSync(this.#fd, uid, gid);
  }

  /** setMode changes the mode of the folder. */
  setMode(mode: number): void {
    fchmodSync(this.#fd, mode);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** readStart gives the first bytes of a regular file as text; null for anything else, or where there is none. */
export function readStart(path: string, bytes: number): string | null {
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    if (!fstatSync(fd).isFile()) return null;
    const start = Buffer.alloc(bytes);
    return start.toString('utf8', 0, readSync(fd, start, 0, bytes, 0));
  } finally {
    closeSync(fd);
  }
}

/** withFolder opens a folder for the time of a call. */
export function withFolder<T>(open: () => FolderDescriptor, use: (folder: FolderDescriptor) => T): T {
  const folder = open();
  try {
    return use(folder);
  } finally {
    folder.close();
  }
}

/** giveIfRoots gives away what root owns under a name: a regular file with no other name, or a folder with all in it. Links, devices and what others own stay as they are. */
export function giveIfRoots(folder: FolderDescriptor, entry: Dirent, uid: number, gid: number): void {
  if (entry.isDirectory())
    withFolder(
      () => folder.folder(entry.name),
      (inside) => giveFolder(inside, uid, gid),
    );
  else if (entry.isFile()) giveFile(folder, entry.name, uid, gid);
}

function giveFolder(folder: FolderDescriptor, uid: number, gid: number): void {
  for (const entry of folder.entries()) giveIfRoots(folder, entry, uid, gid);
  if (folder.stats().uid === 0) folder.give(uid, gid); // last: until then nobody else can put something in
}

function giveFile(folder: FolderDescriptor, name: string, uid: number, gid: number): void {
  const fd = openSync(folder.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = fstatSync(fd);
    if (found.uid === 0 && found.isFile() && found.nlink === 1) fchownSync(fd, uid, gid);
  } finally {
    closeSync(fd);
  }
}
