// Files on the boot partition that do nothing here, though people expect it: habits of other systems, and slips in the names of our own. Better told than ignored.

import { BOOT_FILE } from './boot-file.ts';
import { isBackup, isOrder, ORDERS } from './orders.ts';
import { REPORT_FILE } from './report.ts';
import type { BootSettings, Mistake } from './settings.ts';

const SSH = 'it does not turn SSH on: write ssh_key = ... into midge.txt';
const LOGIN = 'there is no such login here: sign in as root with an SSH key; accounts for MQTT are in midge.txt';
const WIFI = 'it is not read: write wifi_name and wifi_password into midge.txt';

/** Slips in the names of settings and backups; the first that fits counts. */
const SLIPS: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/^midge.*\.(tar|zip|gz)$/i, 'it is not restored: a backup ends in .tar.gz, as midge made it; a browser may have unpacked it'],
  [/\.(tar\.gz|tgz|tar)$/i, 'it is not restored: the name of a backup begins with midge, for example midge-backup.tar.gz'],
  [/^midge(?!-report|-log).*\.(txt|rtf|docx?|odt|conf|bak)$/i, `it is not read: the name of the settings is ${BOOT_FILE}`],
];

/** ignoredFileMistakes tells what files of the boot partition, given by their names, do not do here. */
export function ignoredFileMistakes(names: readonly string[], { sshKeys, wifi }: BootSettings): Mistake[] {
  const advice: Readonly<Record<string, string | null>> = {
    ssh: sshKeys.length > 0 ? null : SSH,
    'ssh.txt': sshKeys.length > 0 ? null : SSH,
    userconf: LOGIN,
    'userconf.txt': LOGIN,
    'wpa_supplicant.conf': wifi.name === null ? WIFI : null,
  };
  return names.flatMap((file) => {
    const text = advice[file.toLowerCase()] ?? null;
    return text === null ? [] : [{ file, line: null, text }];
  });
}

/** misnamedFileMistakes tells which files are named almost as one of ours, and do nothing. What macOS hides begins with a dot. */
export function misnamedFileMistakes(names: readonly string[]): Mistake[] {
  return names.flatMap((file) => {
    const text = file.startsWith('.') || isOurs(file) ? null : slipIn(file);
    return text === null ? [] : [{ file, line: null, text }];
  });
}

function isOurs(file: string): boolean {
  const name = file.toLowerCase();
  return name === BOOT_FILE || name === REPORT_FILE || isBackup(file) || isOrder(file, 'reset') || isOrder(file, 'backup');
}

function slipIn(file: string): string | null {
  const letters = file
    .toLowerCase()
    .replace(/\.\w+$/, '')
    .replace(/[^a-z]/g, '');
  const order = Object.values(ORDERS).find((each) => each.replace('-', '') === letters);
  if (order !== undefined) return `it does nothing: the name of this order is ${order}`;
  return SLIPS.find(([pattern]) => pattern.test(file))?.[1] ?? null;
}
