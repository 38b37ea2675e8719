// Puts other things in the place of what a state folder holds: by renames inside it, for it may be a mount point. A power cut in between
// is mended by the next start, or the next restore.
//
//   restore-<time>.unpacking/state/   what comes is written here; a cut: it goes, nothing has changed
//   restore-<time>.leaving/           it is whole, and what is there goes, name by name, to before-<time>/; a cut: done to the end
//   restore-<time>.entering/          that has gone, and what comes goes, name by name, to its place; a cut: done to the end

import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { syncPath } from '../base/durable-file.ts';
import { OperatorError } from '../base/errors.ts';
import { STATE_NAMES } from '../base/state-names.ts';

/** They stay where they are: what says whose the folder is, the backup that comes, and what this machine has seen, which no backup has. */
const STAYING: readonly string[] = [
  STATE_NAMES.marker,
  STATE_NAMES.restoreUpload,
  STATE_NAMES.configurationHistory,
  STATE_NAMES.changes,
  STATE_NAMES.metricsHistory,
];

const STAGE = /^restore-([\dTZ-]+)\.(unpacking|leaving|entering)$/;

/** Rename is renameSync, or that of a test. */
export type Rename = (from: string, to: string) => void;

/** SwappedFolder is the state folder. */
export interface SwappedFolder {
  readonly path: string;
  /** isOurs tells whether a name in it is the broker's. */
  isOurs(name: string): boolean;
}

/** StateSwap is one exchange. Nothing changes before `commit`. */
export class StateSwap {
  readonly #folder: string;
  readonly #stamp: string;
  readonly #rename: Rename;

  /** `folder` is the state folder, `stamp` names this exchange. */
  constructor(folder: string, stamp: string, rename: Rename = renameSync) {
    this.#folder = folder;
    this.#stamp = stamp;
    this.#rename = rename;
  }

  /** unpacking is a folder for all that comes; what is to be put in place is written to `incoming` in it. */
  get unpacking(): string {
    return this.#stage('unpacking');
  }

  get incoming(): string {
    return join(this.unpacking, 'state');
  }

  /** list names the files outside the state folder that come too (placed-files.ts). */
  get list(): string {
    return join(this.unpacking, 'files.json');
  }

  /** isBegun tells whether what comes has begun to go to its place. */
  get isBegun(): boolean {
    return !this.isUndone && !existsSync(this.incoming);
  }

  /** isUndone tells whether `undo` has begun. */
  get isUndone(): boolean {
    return existsSync(this.#undoing);
  }

  get #undoing(): string {
    return join(this.unpacking, 'undoing');
  }

  get stamp(): string {
    return this.#stamp;
  }

  /** before is where what was there is kept. */
  get before(): string {
    return join(this.#folder, `before-${this.#stamp}`);
  }

  /** begin makes the folders, also the state folder where there is none. */
  begin(): void {
    mkdirSync(this.incoming, { recursive: true, mode: 0o700 });
  }

  /** commit puts all that is in `incoming` in place: the content of files must be on the disk by then. */
  commit(state: SwappedFolder): void {
    for (const folder of globSync('**/', { cwd: this.incoming })) syncPath(join(this.incoming, folder));
    this.#turn(this.incoming, 'leaving');
    this.leave(state);
    this.enter();
  }

  /** leave takes away what is ours or gets replaced: all of it, or nothing where something cannot be moved, such as a file that is a mount point. */
  leave(state: SwappedFolder): void {
    const path = this.#folder;
    const coming = readdirSync(this.#stage('leaving'));
    const isReplaced = (name: string) => coming.includes(name.replace(/-(wal|shm|journal)$/, '')); // SQLite would play an old log into a new file
    const going = readdirSync(path).filter(
      (name) => isReplaced(name) || (state.isOurs(name) && !isOfSwap(name) && !STAYING.includes(name)),
    );
    const to = this.isUndone ? this.incoming : this.before;
    const gone: string[] = [];
    try {
      if (this.isUndone) mkdirSync(to, { recursive: true, mode: 0o700 });
      else if (going.length > 0) this.#makeBefore();
      for (const name of going) {
        this.#rename(join(path, name), join(to, name));
        gone.push(name);
      }
    } catch (error) {
      if (!this.isUndone) this.#putBack(gone);
      throw error;
    }
    if (going.length > 0) syncPath(to);
    this.#turn(this.#stage('leaving'), 'entering');
  }

  /** enter puts what comes in place. */
  enter(): void {
    const from = this.#stage('entering');
    for (const name of readdirSync(from)) this.#rename(join(from, name), join(this.#folder, name));
    rmdirSync(from);
    syncPath(this.#folder);
  }

  /** undo takes a commit back, by an exchange the other way that a cut does not stop: what came goes to `incoming`, and what was there comes back. */
  undo(state: SwappedFolder): void {
    mkdirSync(this.before, { recursive: true, mode: 0o700 });
    syncPath(this.#folder);
    writeFileSync(this.#undoing, '', { flush: true });
    syncPath(this.unpacking);
    this.turnBack(state);
  }

  /** turnBack does what `undo` has written down. */
  turnBack(state: SwappedFolder): void {
    this.#turn(this.before, 'leaving');
    this.leave(state);
    this.enter();
  }

  /** end removes what is left of `unpacking`. */
  end(): void {
    rmSync(this.unpacking, { recursive: true, force: true });
  }

  #stage(name: 'unpacking' | 'leaving' | 'entering'): string {
    return join(this.#folder, `restore-${this.#stamp}.${name}`);
  }

  /** As before the commit. Where that fails too, the next start begins again. */
  #putBack(gone: readonly string[]): void {
    try {
      for (const name of gone) this.#rename(join(this.before, name), join(this.#folder, name));
      this.#rename(this.#stage('leaving'), this.incoming);
      syncPath(this.#folder);
      if (readdirSync(this.before).length === 0) rmdirSync(this.before);
    } catch {
      // whoever called leave gets the first error
    }
  }

  #turn(from: string, to: 'leaving' | 'entering'): void {
    syncPath(from);
    syncPath(this.#folder);
    this.#rename(from, this.#stage(to));
    syncPath(this.#folder);
  }

  /** Of whom the state folder is. What its user has put there may be a link, and root may run this. */
  #makeBefore(): void {
    const found = lstatSync(this.before, { throwIfNoEntry: false });
    if (found === undefined) mkdirSync(this.before, { mode: 0o700 });
    else if (!found.isDirectory()) throw new OperatorError(`"${this.before}" is not a folder - remove it`);
    chmodSync(this.before, 0o700);
    const { uid, gid } = statSync(this.#folder);
    if (process.getuid?.() === 0) chownSync(this.before, uid, gid);
  }
}

/** isOfSwap tells whether a name in the state folder is one that swaps make. */
export function isOfSwap(name: string): boolean {
  return STAGE.test(name) || /^before-[\dTZ-]+$/.test(name);
}

/** mendSwap brings to an end what a power cut has interrupted, and says what it did; null = there was nothing. Folders with a list stay. No broker may use the folder. */
export function mendSwap(state: SwappedFolder, rename: Rename = renameSync): string | null {
  const stages = stagesIn(state, rename);
  if (stages.length === 0) return null;
  let kept: string | null = null;
  for (const { swap, stage } of stages) {
    if (stage === 'unpacking' && swap.isUndone && existsSync(swap.before)) swap.turnBack(state);
    if (stage === 'leaving') swap.leave(state);
    if (stage === 'unpacking') continue;
    swap.enter();
    if (!swap.isUndone) kept = swap.before;
  }
  for (const { swap } of stages) if (!existsSync(swap.list)) swap.end();
  const isBegun = stages.some(({ swap }) => existsSync(swap.list) && swap.isBegun);
  if (kept === null && isBegun) return 'A restore was interrupted. midge has now completed it.';
  if (kept === null) return 'A restore was interrupted before it changed anything: run it again.';
  return `A restore was interrupted. midge has now completed it; the old files are in "${kept}".`;
}

/** unfinishedSwaps gives those whose files outside the state folder are to be seen to, after mendSwap. */
export function unfinishedSwaps(state: SwappedFolder): readonly StateSwap[] {
  return stagesIn(state, renameSync).flatMap(({ swap }) => (existsSync(swap.list) ? [swap] : []));
}

function stagesIn({ path }: SwappedFolder, rename: Rename): readonly { readonly swap: StateSwap; readonly stage: string | undefined }[] {
  return foldersIn(path).flatMap((name) => {
    const [, stamp, stage] = STAGE.exec(name) ?? [];
    return stamp === undefined ? [] : [{ swap: new StateSwap(path, stamp, rename), stage }];
  });
}

/** Folders, no links. None where there is no folder, or this user may not look: then whoever needs it says so. */
function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
