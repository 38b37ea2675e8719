// Tells when files have changed that a reload would read, `reload_on_change`.
//
// It looks, twice a second, instead of asking the kernel: editors replace files, programs write them in pieces, folders lie on networks. A change
// counts once the same new content was seen twice, so that half a file is not read; what was only touched has not changed.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';

const INTERVAL_MS = 500;

/** Contents says what files held when they were looked at, by path; of a folder, which names. Of others it says `absent` or `unreadable`. */
export type Contents = ReadonlyMap<string, string>;

/** FileWatch looks at files and folders again and again, once it is told which. */
export class FileWatch {
  readonly #seen = new Map<string, Look>();
  #timer: NodeJS.Timeout | null = null;
  #known: Contents = new Map();
  #latest: Contents = this.#known;

  /** look tells what files hold now; of those in `before`, what they held then. */
  look(paths: readonly string[], before?: Contents): Contents {
    return new Map(paths.map((path) => [path, before?.get(path) ?? this.#contentOf(path)]));
  }

  /** watch calls back after each change from what is known of these files: take it before they are read. With none it rests. */
  watch(known: Contents, changed: () => void): void {
    this.stop();
    for (const path of this.#seen.keys()) if (!known.has(path)) this.#seen.delete(path);
    if (known.size === 0) return;
    this.#known = known;
    this.#latest = known;
    this.#timer = setInterval(() => this.#lookAgain(changed), INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #lookAgain(changed: () => void): void {
    const contents = this.look([...this.#known.keys()]);
    const isSettled = isSame(contents, this.#latest);
    this.#latest = contents;
    if (!isSettled || isSame(contents, this.#known)) return;
    this.#known = contents;
    changed();
  }

  /** A file is read again only when its time, size or place has changed. */
  #contentOf(path: string): string {
    try {
      const { mtimeMs, ctimeMs, size, ino } = statSync(path);
      const stamp = `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
      const seen = this.#seen.get(path);
      if (seen?.stamp === stamp) return seen.content;
      const content = digestOf(path);
      this.#seen.set(path, { stamp, content });
      return content;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unreadable'; // of stat(2) or open(2)
    }
  }
}

interface Look {
  readonly stamp: string;
  readonly content: string;
}

/** They are of the same files. */
function isSame(a: Contents, b: Contents): boolean {
  for (const [path, content] of a) if (b.get(path) !== content) return false;
  return true;
}

function digestOf(path: string): string {
  const content = statSync(path).isDirectory() ? readdirSync(path).sort().join('/') : readFileSync(path);
  return createHash('sha256').update(content).digest('base64');
}
