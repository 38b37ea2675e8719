// Files that people are used to put on the boot partition of a Pi, and that do nothing here: better told than ignored.

import type { BootSettings, Mistake } from './settings.ts';

const SSH = 'it does not turn SSH on: write ssh_key = ... into midge.txt';
const LOGIN = 'there is no such login here: sign in as root with an SSH key; accounts for MQTT are in midge.txt';
const WIFI = 'it is not read: write wifi_name and wifi_password into midge.txt';

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
