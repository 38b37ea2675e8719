// Tells when files have changed that a reload would read, `reload_on_change`.
//
// It looks, twice a second, instead of asking the kernel: editors replace files, programs write them in pieces, folders lie on networks. A change
// counts once the same new content was seen twice, so that half a file is not read; what was only touched has not changed.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';

const INTERVAL_MS = 500;

/** FileWatch looks at files and folders, once it is told which. */
export class FileWatch {
  readonly #changed: () => void;
  readonly #intervalMs: number;
  readonly #seen = new Map<string, Look>();
  #timer: NodeJS.Timeout | null = null;
  #known = '';
  #latest = '';

  /** `changed` is called after each change. */
  constructor(changed: () => void, intervalMs = INTERVAL_MS) {
    this.#changed = changed;
    this.#intervalMs = intervalMs;
  }

  /** watch takes what the files hold now as known; with none it rests. */
  watch(paths: readonly string[]): void {
    this.stop();
    this.#seen.clear();
    if (paths.length === 0) return;
    this.#known = this.#contentsOf(paths);
    this.#latest = this.#known;
    this.#timer = setInterval(() => this.#look(paths), this.#intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(paths: readonly string[]): void {
    const contents = this.#contentsOf(paths);
    const isSettled = contents === this.#latest;
    this.#latest = contents;
    if (!isSettled || contents === this.#known) return;
    this.#known = contents;
    this.#changed();
  }

  #contentsOf(paths: readonly string[]): string {
    return paths.map((path) => this.#contentOf(path)).join(' ');
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
    } catch {
      return 'unreadable';
    }
  }
}

interface Look {
  readonly stamp: string;
  readonly content: string;
}

function digestOf(path: string): string {
  const content = statSync(path).isDirectory() ? readdirSync(path).sort().join('/') : readFileSync(path);
  return createHash('sha256').update(content).digest('base64');
}
