// How the machine fares: temperature, load, memory, disk, Wi-Fi. Cheap enough to be asked every 30 s on a small board.
//
// Of systeminformation only `mem` is used: for the rest it starts shells, and holds up the event loop while it waits for them.

import { readdir, readFile, statfs } from 'node:fs/promises';
import { loadavg, uptime } from 'node:os';
import { join } from 'node:path';
import { mem } from 'systeminformation';

/** Space of a file system, in bytes. */
export interface DiskSpace {
  readonly path: string;
  readonly total: number;
  /** What this user may still write. */
  readonly free: number;
}

/** WifiLink is one wireless interface that is connected. */
export interface WifiLink {
  readonly name: string;
  /** dBm, 0 down to -100; -50 is very good, below -75 is poor. */
  readonly signal: number;
}

/** PowerTrouble is what a Raspberry Pi says of its power supply and heat: now, and since it was switched on. */
export interface PowerTrouble {
  readonly now: readonly string[];
  /** Null = nobody has kept count. */
  readonly sinceBoot: readonly string[] | null;
}

/** MachineHealth is of one moment. Null where the machine does not tell. */
export interface MachineHealth {
  /** Degrees Celsius. */
  readonly cpuTemperature: number | null;
  readonly power: PowerTrouble | null;
  /** Averages over 1, 5 and 15 minutes. */
  readonly load: readonly [number, number, number];
  /** Bytes. */
  readonly memory: { readonly total: number; readonly available: number };
  readonly disk: DiskSpace | null;
  readonly wifi: readonly WifiLink[];
  /** Whether a time server has set the clock since the machine was switched on; null = systemd-timesyncd, which would tell, does not run here. */
  readonly clockSet: boolean | null;
  /** Seconds since the machine was switched on. */
  readonly uptime: number;
}

/** Bits of get_throttled; the same 16 bits higher mean "since boot". Raspberry Pi documentation, vcgencmd. */
const THROTTLED = [
  [0x1, 'undervoltage'],
  [0x2, 'frequency capped'],
  [0x4, 'throttled'],
  [0x8, 'soft temperature limit'],
] as const;

/** Roots of the kernel's own file systems, another in tests. */
export interface SystemRoots {
  readonly sys: string;
  readonly proc: string;
  readonly run: string;
}

const SYSTEM: SystemRoots = { sys: '/sys', proc: '/proc', run: '/run' };

/** machineHealth reads a handful of small files; `folder` is where the state is. Never throws. */
export async function machineHealth(folder: string, roots: SystemRoots = SYSTEM): Promise<MachineHealth> {
  const [cpuTemperature, power, memory, disk, wifi, clockSet] = await Promise.all([
    temperature(roots.sys),
    powerTrouble(roots.sys),
    mem(),
    diskSpace(folder),
    wifiLinks(roots.proc),
    isClockSet(roots.run),
  ]);
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  const { total, available } = memory;
  const seconds = Math.floor(uptime());
  return { cpuTemperature, power, load: [one, five, fifteen], memory: { total, available }, disk, wifi, clockSet, uptime: seconds };
}

/** The zone of the processor, or the first there is. https://docs.kernel.org/driver-api/thermal/sysfs-api.html */
async function temperature(sys: string): Promise<number | null> {
  const folder = join(sys, 'class/thermal');
  const zones = (await namesIn(folder)).filter((name) => name.startsWith('thermal_zone')).sort();
  const types = await Promise.all(zones.map((zone) => textOf(join(folder, zone, 'type'))));
  const named = types.findIndex((type) => /cpu|x86_pkg|soc/i.test(type ?? ''));
  const zone = zones[named === -1 ? 0 : named];
  const text = zone === undefined ? null : await textOf(join(folder, zone, 'temp'));
  return text === null || text === '' ? null : Math.round(Number(text) / 100) / 10;
}

/** Raspberry Pi's own kernel tells most, others tell of low voltage at most: Debian's does not. */
async function powerTrouble(sys: string): Promise<PowerTrouble | null> {
  return (await throttling(sys)) ?? (await lowVoltage(sys));
}

/** The folder is `soc`, and since the Pi 5 `soc@ADDRESS`. */
async function throttling(sys: string): Promise<PowerTrouble | null> {
  const folder = join(sys, 'devices/platform');
  const chips = (await namesIn(folder)).filter((name) => /^soc(@|$)/.test(name));
  const texts = await Promise.all(chips.map((name) => textOf(join(folder, name, `${name}:firmware/get_throttled`))));
  const text = texts.find((each) => each !== null) ?? null;
  if (text === null) return null;
  const bits = Number.parseInt(text, 16);
  const named = (value: number) => THROTTLED.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name);
  return { now: named(bits), sinceBoot: named(bits >> 16) };
}

/** https://docs.kernel.org/hwmon/raspberrypi-hwmon.html: 1 = it was low within the last two seconds. */
async function lowVoltage(sys: string): Promise<PowerTrouble | null> {
  const folder = join(sys, 'class/hwmon');
  for (const name of await namesIn(folder)) {
    if ((await textOf(join(folder, name, 'name'))) !== 'rpi_volt') continue;
    const alarm = await textOf(join(folder, name, 'in0_lcrit_alarm'));
    if (alarm !== null) return { now: alarm === '1' ? ['undervoltage'] : [], sinceBoot: null };
  }
  return null;
}

async function diskSpace(path: string): Promise<DiskSpace | null> {
  try {
    const { bsize, blocks, bavail } = await statfs(path);
    return { path, total: blocks * bsize, free: bavail * bsize };
  } catch {
    return null;
  }
}

/** Two lines of headings, then: ` wlan0: 0000   54.  -56.  -256 ...` - status, link, level, noise. proc_pid_net(5) */
async function wifiLinks(proc: string): Promise<WifiLink[]> {
  const lines = ((await textOf(join(proc, 'net/wireless'))) ?? '').split('\n').slice(2);
  return lines.flatMap((line) => {
    const [name = '', , , level] = line.trim().split(/\s+/);
    return level === undefined ? [] : [{ name: name.replace(/:$/, ''), signal: Number.parseInt(level, 10) }];
  });
}

/** systemd-timesyncd.service(8): its folder is there while it runs, the file since a server has answered. */
async function isClockSet(run: string): Promise<boolean | null> {
  const folder = join(run, 'systemd/timesync');
  const names = await readdir(folder).catch(() => null);
  return names === null ? null : names.includes('synchronized');
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function textOf(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return null;
  }
}
