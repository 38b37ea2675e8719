// A card with the image on it: a copy of the file that `make image` made, a little larger, as cards are.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, globSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { findProgram } from '../support/process/foreign-program.ts';

const ROOT = join(import.meta.dirname, '../..');
const CARD_BYTES = 2 ** 31;
const SECTOR = 512;
const MBR_TABLE = 446;
const MBR_ENTRY = 16;
const CHUNK = 2 ** 22;

const PROGRAMS = [
  ['qemu-system-aarch64', 'qemu-system-arm'],
  ['mcopy', 'mtools'],
  ['debugfs', 'e2fsprogs'],
  ['mosquitto_pub', 'mosquitto-clients'],
  ['openssl', 'openssl'],
  ['ssh', 'openssh-client'],
  ['zstd', 'zstd'],
  ['cpio', 'cpio'],
  ['unzip', 'unzip'],
] as const;

/** IMAGE is the newest image that was made, or null. */
export const IMAGE = globSync('dist/midge-*-arm64.img', { cwd: ROOT }).map((file) => join(ROOT, file))[0] ?? null;

/** obstacle says why the image can't be booted here, or false. */
export function obstacle(): string | false {
  if (IMAGE === null) return 'dist has no image, run make image first';
  const missing = PROGRAMS.find(([program]) => findProgram(program) === null);
  return missing === undefined ? false : `${missing[0]} is not installed (Debian package ${missing[1]})`;
}

/** Card is a file that QEMU takes for a card. */
export class Card {
  readonly file: string;
  readonly folder: string;

  constructor(test: TestContext, image: string, bytes = CARD_BYTES) {
    this.folder = temporaryFolder(test);
    this.file = join(this.folder, 'card.img');
    execFileSync('cp', ['--sparse=always', image, this.file]);
    truncateSync(this.file, bytes);
  }

  /** read gives the text of a file of the boot partition, or null. */
  read(name: string): string | null {
    try {
      return execFileSync('mtype', ['-i', this.#boot(), `::/${name}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return null;
    }
  }

  /** names are the files of the boot partition. */
  names(): string[] {
    return execFileSync('mdir', ['-b', '-i', this.#boot(), '::/'], { encoding: 'utf8' })
      .split(/\r?\n/)
      .map((line) => line.replace('::/', ''));
  }

  /** write puts a file onto the boot partition, as a person does with a card reader. */
  write(name: string, text: string): void {
    const file = join(this.folder, 'written');
    writeFileSync(file, text);
    this.put(file, name);
  }

  /** put copies a file onto the boot partition. */
  put(file: string, name: string): void {
    execFileSync('mcopy', ['-o', '-i', this.#boot(), file, `::/${name}`]);
  }

  /** take copies a file of the boot partition and gives its path. */
  take(name: string): string {
    const file = join(this.folder, name);
    execFileSync('mcopy', ['-n', '-o', '-i', this.#boot(), `::/${name}`, file]);
    return file;
  }

  /** partition gives place and size of a partition in bytes; numbers begin with 1. */
  partition(number: number): { readonly start: number; readonly size: number } {
    const table = this.bytes(0, SECTOR);
    const at = MBR_TABLE + (number - 1) * MBR_ENTRY;
    return { start: table.readUInt32LE(at + 8) * SECTOR, size: table.readUInt32LE(at + 12) * SECTOR };
  }

  bytes(start: number, size: number): Buffer {
    const file = openSync(this.file, 'r');
    const bytes = Buffer.alloc(size);
    readSync(file, bytes, 0, size, start);
    closeSync(file);
    return bytes;
  }

  overwrite(start: number, bytes: Buffer): void {
    const file = openSync(this.file, 'r+');
    writeSync(file, bytes, 0, bytes.length, start);
    closeSync(file);
  }

  /** rootDigest is the SHA-256 of the root partition. */
  rootDigest(): string {
    const { start, size } = this.partition(2);
    const hash = createHash('sha256');
    for (let at = 0; at < size; at += CHUNK) hash.update(this.bytes(start + at, Math.min(CHUNK, size - at)));
    return hash.digest('hex');
  }

  /** checkData runs e2fsck(8) on the data partition: the journal is played back, as the kernel would. It knows no offset once it has done so. */
  checkData(): void {
    const file = join(this.folder, 'data');
    const { start, size } = this.partition(3);
    const copy = (...words: string[]) => execFileSync('dd', ['bs=1M', 'status=none', ...words]);
    copy(`if=${this.file}`, `of=${file}`, `skip=${start}`, `count=${size}`, 'iflag=skip_bytes,count_bytes', 'conv=sparse');
    truncateSync(file, size);
    const { status, stdout } = spawnSync('e2fsck', ['-fy', file], { encoding: 'utf8' });
    assert.ok(status !== null && status < 4, stdout);
    copy(`if=${file}`, `of=${this.file}`, `seek=${start}`, 'oflag=seek_bytes', 'conv=notrunc');
  }

  /** debugData runs debugfs(8) on the data partition. */
  debugData(...commands: readonly string[]): string {
    const script = join(this.folder, 'debugfs');
    writeFileSync(script, `${commands.join('\n')}\n`);
    return execFileSync('debugfs', ['-w', '-f', script, this.#data()], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** debugRoot gives what debugfs(8) says of the root partition, which it can't change. */
  debugRoot(command: string): string {
    const root = `${this.file}?offset=${this.partition(2).start}`;
    return execFileSync('debugfs', ['-R', command, root], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** brokerUser is the number of the user that the broker runs as. */
  brokerUser(): number {
    return Number(/^midge:[^:]*:(\d+):/m.exec(this.debugRoot('cat /etc/passwd'))?.[1]);
  }

  #data(): string {
    return `${this.file}?offset=${this.partition(3).start}`;
  }

  #boot(): string {
    return `${this.file}@@${this.partition(1).start}`;
  }
}
