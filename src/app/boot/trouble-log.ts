// The log on the boot partition when something is wrong: the data partition has ext4, which Windows can't read, and the journal is in memory.

import { LOG_FILE } from '../../boot/report.ts';
import type { MachineFiles } from '../../host/machine-files.ts';
import { BOOT } from './paths.ts';
import { type BootWorld, whileWritable } from './world.ts';

/** Those whose words explain most. Failed ones come on top. */
const UNITS = ['midge', 'midge-boot', 'midge-data', 'iwd', 'systemd-networkd', 'systemd-resolved', 'systemd-timesyncd'];
const LINES = '400';
const MAX_BYTES = 65_536;
/** What was wrong when the log was written, a line each, until the power goes. */
const LOGGED = '/run/midge-boot/logged';

/** Wrong is what is wrong at this moment: empty = nothing. */
export interface Wrong {
  readonly units: readonly string[];
  readonly texts: readonly string[];
}

/** keepTroubleLog writes the log when something is wrong that was not so before, takes an old one away when all is well, and tells whether one lies there. */
export async function keepTroubleLog(world: BootWorld, files: MachineFiles, { units, texts }: Wrong): Promise<boolean> {
  const path = `${BOOT}/${LOG_FILE}`;
  const logged = (files.text(LOGGED) ?? '').split('\n');
  const wrong = [...units.map((unit) => `failed: ${unit}`), ...texts];
  if (wrong.every((each) => logged.includes(each))) {
    const isOld = wrong.length === 0 && logged.join('') === '' && files.exists(path); // of a start before
    if (isOld) await whileWritable(world, () => files.remove(path));
    return files.exists(path);
  }
  const log = await readLog(world, units);
  const text = [`What is wrong:`, ...wrong.map((each) => `    ${each}`), '', 'The log of this start:', '', ...log, ''].join('\r\n');
  await whileWritable(world, () => void files.write(path, text, { mode: 0o644 }));
  files.write(LOGGED, [...logged, ...wrong].join('\n'), { mode: 0o644 });
  return true;
}

/** The last lines, as people in other countries write times too: `2026-01-31T12:00:00+01:00 host unit: text`. */
async function readLog({ run }: BootWorld, units: readonly string[]): Promise<string[]> {
  const names = [...new Set([...units, ...UNITS.map((unit) => `${unit}.service`)])].flatMap((unit) => ['-u', unit]);
  const text = await run('journalctl', '-b', ...names, '-n', LINES, '-o', 'short-iso', '--no-pager');
  return (text ?? 'The log could not be read.')
    .slice(-MAX_BYTES)
    .replace(/[^\P{Cc}\n]/gu, '?')
    .trimEnd()
    .split('\n');
}
