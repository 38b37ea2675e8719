// The machine that we run on: its name, its addresses and what is printed on its box.

import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';

/** MachineNames are what the machine is called at this moment. */
export interface MachineNames {
  /** As the system says it: may be fully qualified. */
  readonly hostName: string;
  /** IPv4 and IPv6 addresses of all interfaces but loopback, without interface names. */
  readonly addresses: readonly string[];
}

/** MachineModel is what people recognise the machine by. `vendor` may be empty. */
export interface MachineModel {
  readonly vendor: string;
  readonly model: string;
}

const DEVICE_TREE = '/proc/device-tree';
const NETWORK = '/sys/class/net';
const MACHINE_ID = '/etc/machine-id';

/** machineNames asks the system anew each time; it costs a fraction of a millisecond. Never throws. */
export function machineNames(): MachineNames {
  return { hostName: hostname(), addresses: outerAddresses() };
}

/**
 * uniqueMark gives what no other machine has, a copy of its card neither: the serial number of the board, else the address of its first network
 * card, else the machine-id (machine-id(5)), else the host name. The same at each start. Never throws. `root` is for tests.
 */
export function uniqueMark(root = '/'): string {
  return (
    firstLine(join(root, DEVICE_TREE, 'serial-number')) ??
    networkCard(join(root, NETWORK)) ??
    firstLine(join(root, MACHINE_ID)) ??
    hostname()
  );
}

/** A card on USB may be pulled out, and an address of our own making (its second lowest bit) may be another one next time. */
function networkCard(folder: string): string | null {
  try {
    const cards = readdirSync(folder)
      .sort()
      .filter((name) => isBuiltIn(join(folder, name, 'device')));
    const addresses = cards.map((name) => firstLine(join(folder, name, 'address')));
    return addresses.find((each) => each !== null && /^[0-9a-f][048c]:/.test(each) && !/^[0:]+$/.test(each)) ?? null;
  } catch {
    return null;
  }
}

function isBuiltIn(device: string): boolean {
  try {
    return !realpathSync(device).includes('/usb');
  } catch {
    return false; // no card: a bridge, a tunnel, loopback
  }
}

function firstLine(path: string): string | null {
  try {
    const [line = ''] = readFileSync(path, 'utf8').split(/[\0\n]/);
    return line.trim() === '' ? null : line.trim();
  } catch {
    return null;
  }
}

/**
 * machineModel asks what the machine is, or null when nobody knows. Never throws.
 * On a board with a device tree (every Pi) that is one small file. Elsewhere systeminformation starts programs and holds up the event
 * loop meanwhile, for some 50 ms: ask once.
 */
export async function machineModel(deviceTree: string = DEVICE_TREE): Promise<MachineModel | null> {
  return (await boardModel(deviceTree)) ?? (await askComputer());
}

/** systemName is what the system calls itself, or null; `root` is for tests. Never throws. */
export function systemName(root = '/'): string | null {
  return releaseWord('PRETTY_NAME', root);
}

/** systemDate is the day, YYYY-MM-DD, on which the newest package of the card image was made, which holds all others; null = the system is not ours. `root` is for tests. Never throws. */
export function systemDate(root = '/'): string | null {
  const date = releaseWord('MIDGE_PACKAGES_DATE', root);
  return date !== null && /^\d{4}-\d\d-\d\d$/.test(date) ? date : null;
}

/** os-release(5) */
function releaseWord(word: string, root: string): string | null {
  for (const path of ['etc/os-release', 'usr/lib/os-release']) {
    const [, value] = new RegExp(`^${word}=["']?(.*?)["']?$`, 'm').exec(textOf(join(root, path)) ?? '') ?? [];
    if (value) return value;
  }
  return null;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function outerAddresses(): string[] {
  try {
    const found = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    return [...new Set(found.filter((entry) => !entry.internal).map((entry) => entry.address))];
  } catch {
    return []; // a sandbox may forbid the question
  }
}

/** Device tree strings end with NUL; `compatible` begins with "vendor,board" (Devicetree Specification 2.3.1, 2.3.2). */
async function boardModel(deviceTree: string): Promise<MachineModel | null> {
  try {
    const model = (await deviceTreeString(deviceTree, 'model')).trim();
    if (model === '') return null;
    if (model.startsWith('Raspberry Pi')) return { vendor: 'Raspberry Pi', model };
    const compatible = await deviceTreeString(deviceTree, 'compatible').catch(() => '');
    return { vendor: compatible.includes(',') ? compatible.split(',')[0]! : '', model };
  } catch {
    return null;
  }
}

async function deviceTreeString(deviceTree: string, property: string): Promise<string> {
  return (await readFile(join(deviceTree, property), 'utf8')).split('\0')[0]!;
}

async function askComputer(): Promise<MachineModel | null> {
  try {
    const { computerModel } = await import('./computer-model.ts');
    return await computerModel();
  } catch {
    return null;
  }
}
