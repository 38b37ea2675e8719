// The machine under `midge boot`: one folder as its disk, the few programs it starts, and what it says.

import { execFile } from 'node:child_process';
import { uptime } from 'node:os';
import { isOrder, type Order } from '../../boot/orders.ts';
import { MachineFiles } from '../../host/machine-files.ts';
import { BOOT } from './paths.ts';

/** BootWorld is the machine in earnest, and a temporary folder with recorded commands in tests. */
export interface BootWorld {
  /** '/' in earnest. */
  readonly root: string;
  /** run gives the output of a program, or null when it fails. Never throws. */
  readonly run: (program: string, ...args: readonly string[]) => Promise<string | null>;
  readonly say: (line: string) => void;
  /** Seconds since the machine was switched on. */
  readonly uptime: () => number;
}

const ZONES = '/usr/share/zoneinfo';

/** realWorld is this machine. */
export function realWorld(say: (line: string) => void): BootWorld {
  const run = (program: string, ...args: readonly string[]) =>
    new Promise<string | null>((resolve) => {
      execFile(program, args, { timeout: 120_000 }, (error, stdout) => resolve(error === null ? stdout : null));
    });
  return { root: '/', run, say, uptime };
}

/** whileWritable runs an act while the boot partition can be written; where it always can, as on Raspberry Pi OS, it stays so. */
export async function whileWritable(world: BootWorld, act: () => void | Promise<void>): Promise<void> {
  const mounts = new MachineFiles(world.root).text('/proc/mounts') ?? '';
  if (mounts.includes(` ${BOOT} vfat rw`)) return await act();
  await world.run('mount', '-o', 'remount,rw', BOOT);
  try {
    await act();
  } finally {
    await world.run('mount', '-o', 'remount,ro', BOOT);
  }
}

/** hasBootPartition tells whether it is there and can be read. */
export function hasBootPartition(files: MachineFiles): boolean {
  return ['autoboot.txt', 'cmdline.txt'].some((name) => files.exists(`${BOOT}/${name}`)); // of the image, and of Raspberry Pi OS
}

/** ordersIn gives the paths of the files that give an order. */
export function ordersIn(files: MachineFiles, order: Order): string[] {
  return files
    .names(BOOT)
    .filter((name) => isOrder(name, order))
    .map((name) => `${BOOT}/${name}`);
}

/** isKept tells whether what is written to a folder outlives the power: not where a damaged card, or raspi-config, has put memory there. proc_mounts(5) */
export function isKept(files: MachineFiles, folder: string): boolean {
  const mounts = (files.text('/proc/mounts') ?? '').split('\n').map((line) => line.split(' '));
  const above = mounts.filter(([, place = '']) => `${folder}/`.startsWith(place === '/' ? '/' : `${place}/`));
  const [nearest] = above.sort(([, a = ''], [, b = '']) => b.length - a.length);
  return nearest === undefined || !['tmpfs', 'ramfs', 'overlay'].includes(nearest[2] ?? '');
}

/** findTimeZone gives the name under which a zone is in this machine's database, or null: Intl knows more, and takes any case. */
export function findTimeZone(files: MachineFiles, name: string): string | null {
  const isHere = (zone: string) => /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(zone) && files.read(`${ZONES}/${zone}`) !== null;
  return [name, usualTimeZone(name)].find((zone) => zone !== null && isHere(zone)) ?? null;
}

function usualTimeZone(name: string): string | null {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
