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
/** A little more than the image, and less than its tests fill quickly. QEMU takes a card of raspi3b only if its size is a power of two. */
export const CARD_BYTES = 5 * 2 ** 29;

/** PARTITIONS are their numbers on the card. */
export const PARTITIONS = { card: 1, bootA: 2, bootB: 3, rootA: 5, rootB: 6, data: 7 } as const;
type Partition = keyof typeof PARTITIONS;

/** SYSTEMS are the two of a card: the partition that the firmware starts, and that of the root. */
export const SYSTEMS = { A: { boot: 'bootA', root: 'rootA' }, B: { boot: 'bootB', root: 'rootB' } } as const;
export type System = keyof typeof SYSTEMS;

const SECTOR = 512;
const CHUNK = 2 ** 22;
/** As `slots` writes it, at the beginning of its sector. */
const AUTOBOOT = '[all]\nboot_partition=';

const PROGRAMS = [
  ['qemu-system-aarch64', 'qemu-system-arm'],
  ['mcopy', 'mtools'],
  ['debugfs', 'e2fsprogs'],
  ['sfdisk', 'fdisk'],
  ['mosquitto_pub', 'mosquitto-clients'],
  ['openssl', 'openssl'],
  ['ssh', 'openssh-client'],
  ['zstd', 'zstd'],
  ['rauc', 'rauc'],
  ['mksquashfs', 'squashfs-tools'],
  ['minisign', 'minisign'],
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
    return readFat(this.#fat('card'), name);
  }

  /** names are the files of the boot partition. */
  names(): string[] {
    return fatNames(this.#fat('card'));
  }

  /** write puts a file onto the boot partition, as a person does with a card reader. */
  write(name: string, text: string): void {
    const file = join(this.folder, 'written');
    writeFileSync(file, text);
    this.put(file, name);
  }

  /** put copies a file onto the boot partition. */
  put(file: string, name: string): void {
    execFileSync('mcopy', ['-o', '-i', this.#fat('card'), file, `::/${name}`]);
  }

  /** take copies a file of the boot partition and gives its path. */
  take(name: string): string {
    const file = join(this.folder, name);
    execFileSync('mcopy', ['-n', '-o', '-i', this.#fat('card'), `::/${name}`, file]);
    return file;
  }

  /** The system that a reboot has named for one start; null = none has. */
  once: System | null = null;

  /** starts gives the system that the firmware starts: the one that a reboot has named, or else autoboot.txt of the first partition. */
  starts(): System {
    const number = Number(/^boot_partition=(\d+)$/m.exec(this.read('autoboot.txt') ?? '')?.[1]);
    const committed = (['A', 'B'] as const).find((system) => PARTITIONS[SYSTEMS[system].boot] === number);
    assert.ok(committed, `autoboot.txt names partition ${number}`);
    return this.once ?? committed;
  }

  /** autobootSector is the place of what stands in autoboot.txt, in bytes. */
  autobootSector(): number {
    const { start, size } = this.partition('card');
    const bytes = this.bytes(start, size);
    const found: number[] = [];
    for (let at = bytes.indexOf(AUTOBOOT); at !== -1; at = bytes.indexOf(AUTOBOOT, at + 1)) if (at % SECTOR === 0) found.push(start + at);
    assert.equal(found.length, 1, `autoboot.txt is at ${found}`);
    return found[0] ?? 0;
  }

  /** bootText gives the text of a file that the firmware reads in the slot, or null. */
  bootText(name: string): string | null {
    return readFat(this.#fat(SYSTEMS[this.starts()].boot), name);
  }

  /** bootFile copies a file that the firmware loads from the slot, and gives its path. */
  bootFile(name: string): string {
    const file = join(this.folder, name);
    execFileSync('mcopy', ['-n', '-o', '-i', this.#fat(SYSTEMS[this.starts()].boot), `::/${name}`, file]);
    return file;
  }

  /** bootNames are the files of the slot. */
  bootNames(): string[] {
    return fatNames(this.#fat(SYSTEMS[this.starts()].boot));
  }

  /** partition gives place and size of a partition in bytes. */
  partition(name: Partition): { readonly start: number; readonly size: number } {
    const { partitiontable } = JSON.parse(execFileSync('sfdisk', ['-J', this.file], { encoding: 'utf8' })) as {
      partitiontable: { partitions: { node: string; start: number; size: number }[] };
    }; // sfdisk(8)
    const found = partitiontable.partitions.find(({ node }) => node === `${this.file}${PARTITIONS[name]}`);
    assert.ok(found, `the card has no partition ${PARTITIONS[name]}`);
    return { start: found.start * SECTOR, size: found.size * SECTOR };
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

  /** copyOut copies a partition into a file. */
  copyOut(name: Partition, file: string): void {
    const { start, size } = this.partition(name);
    const words = [`if=${this.file}`, `of=${file}`, `skip=${start}`, `count=${size}`, 'iflag=skip_bytes,count_bytes', 'conv=sparse'];
    execFileSync('dd', ['bs=1M', 'status=none', ...words]);
    truncateSync(file, size);
  }

  /** rootDigest is the SHA-256 of the root partition of A. */
  rootDigest(): string {
    return this.digest('rootA');
  }

  /** digest is the SHA-256 of a partition. */
  digest(name: Partition): string {
    const { start, size } = this.partition(name);
    const hash = createHash('sha256');
    for (let at = 0; at < size; at += CHUNK) hash.update(this.bytes(start + at, Math.min(CHUNK, size - at)));
    return hash.digest('hex');
  }

  /** systemDigests are those of the partitions of a system. */
  systemDigests(system: System): { readonly boot: string; readonly root: string } {
    const { boot, root } = SYSTEMS[system];
    return { boot: this.digest(boot), root: this.digest(root) };
  }

  /** checkData runs e2fsck(8) on the data partition: the journal is played back, as the kernel would. It knows no offset once it has done so. */
  checkData(): void {
    const file = join(this.folder, 'data');
    const { start } = this.partition('data');
    this.copyOut('data', file);
    const { status, stdout } = spawnSync('e2fsck', ['-fy', file], { encoding: 'utf8' });
    assert.ok(status !== null && status < 4, stdout);
    execFileSync('dd', ['bs=1M', 'status=none', `if=${file}`, `of=${this.file}`, `seek=${start}`, 'oflag=seek_bytes', 'conv=notrunc']);
  }

  /** remove takes a file off the boot partition. */
  remove(name: string): void {
    execFileSync('mdel', ['-i', this.#fat('card'), `::/${name}`]);
  }

  /** debugData runs debugfs(8) on the data partition. */
  debugData(...commands: readonly string[]): string {
    const script = join(this.folder, 'debugfs');
    writeFileSync(script, `${commands.join('\n')}\n`);
    return execFileSync('debugfs', ['-w', '-f', script, this.#data()], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** debugRoot gives what debugfs(8) says of the root partition, which it can't change. */
  debugRoot(command: string): string {
    const root = `${this.file}?offset=${this.partition('rootA').start}`;
    return execFileSync('debugfs', ['-R', command, root], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** brokerUser is the number of the user that the broker runs as. */
  brokerUser(): number {
    return Number(/^midge:[^:]*:(\d+):/m.exec(this.debugRoot('cat /etc/passwd'))?.[1]);
  }

  #data(): string {
    return `${this.file}?offset=${this.partition('data').start}`;
  }

  #fat(name: Partition): string {
    return `${this.file}@@${this.partition(name).start}`;
  }
}

function readFat(fat: string, name: string): string | null {
  try {
    return execFileSync('mtype', ['-i', fat, `::/${name}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}

function fatNames(fat: string): string[] {
  return execFileSync('mdir', ['-b', '-i', fat, '::/'], { encoding: 'utf8' })
    .split(/\r?\n/)
    .map((line) => line.replace('::/', ''));
}
