// The machine that we run on: its name, its addresses and what is printed on its box.

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
/** What systeminformation calls a machine that it knows nothing about. */
const UNKNOWN_MODEL = 'Computer';

/** machineNames asks the system anew each time; it costs a fraction of a millisecond. Never throws. */
export function machineNames(): MachineNames {
  return { hostName: hostname(), addresses: outerAddresses() };
}

/**
 * machineModel asks what the machine is, or null when nobody knows. Never throws.
 * On a board with a device tree (every Pi) that is one small file. Elsewhere systeminformation starts programs and holds up the event
 * loop meanwhile, for some 50 ms: ask once, before there are clients.
 */
export async function machineModel(deviceTree: string = DEVICE_TREE): Promise<MachineModel | null> {
  return (await boardModel(deviceTree)) ?? (await computerModel());
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

async function computerModel(): Promise<MachineModel | null> {
  try {
    const { system } = await import('systeminformation');
    const { manufacturer, model } = await system();
    return model === '' || model === UNKNOWN_MODEL ? null : { vendor: manufacturer, model };
  } catch {
    return null;
  }
}
