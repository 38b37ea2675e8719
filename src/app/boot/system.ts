// Carries out the settings of the system: time zone, log, network, Wi-Fi, SSH keys.

import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { BOOT_FILE } from '../../boot/boot-file.ts';
import type { BootSettings, Mistake } from '../../boot/settings.ts';
import { JOURNAL_SETTINGS, systemFiles, wifiFile } from '../../boot/system-files.ts';
import { MachineFiles } from '../../host/machine-files.ts';
import { IWD } from './paths.ts';
import type { BootWorld } from './world.ts';

/** /etc/localtime is a link to it: the root can't be written. */
const LOCAL_TIME = '/run/midge-boot/localtime';

/** writeSystemFiles writes what systemd, iwd and sshd read. */
export async function writeSystemFiles(world: BootWorld, settings: BootSettings): Promise<void> {
  const files = new MachineFiles(world.root);
  setLocalTime(files, settings.timeZone);
  const changed = systemFiles(settings).filter(({ path, text, isSecret }) => {
    if (text !== null) return files.write(path, text, { mode: isSecret ? 0o600 : 0o644 });
    const wasThere = files.exists(path);
    files.remove(path);
    return wasThere;
  });
  if (changed.some(({ path }) => path === JOURNAL_SETTINGS)) await turnJournal(world);
}

/** writeWifi gives iwd the network. One that was named before goes only when this one is complete; its password may have been taken at an earlier boot. */
export function writeWifi(files: MachineFiles, { wifi, isWifiForgotten }: BootSettings): Mistake[] {
  const file = wifiFile(wifi);
  if (file === null) {
    if (isWifiForgotten) forgetNetworks(files, null);
    return [];
  }
  if (file.text !== null) files.write(file.path, file.text, { mode: 0o600 });
  else if (!files.exists(file.path)) {
    const text = 'the password of the Wi-Fi is missing: wifi_password = ... (a network without one: wifi_open = yes)';
    return [{ file: BOOT_FILE, line: null, text }];
  }
  forgetNetworks(files, file.path);
  return [];
}

/** All but one. iwd.network(5): enterprise networks end in .8021x */
function forgetNetworks(files: MachineFiles, kept: string | null): void {
  const others = files.names(IWD).filter((name) => /\.(psk|open|8021x)$/.test(name) && `${IWD}/${name}` !== kept);
  for (const name of others) files.remove(`${IWD}/${name}`);
}

function setLocalTime(files: MachineFiles, zone: string | null): void {
  const link = files.path(LOCAL_TIME);
  rmSync(link, { force: true });
  if (zone === null) return;
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(`/usr/share/zoneinfo/${zone}`, link);
}

/** journald has read its settings long ago; what it has in memory goes to the card by a flush. systemd-journald(8) */
async function turnJournal({ run }: BootWorld): Promise<void> {
  await run('systemctl', 'restart', 'systemd-journald.service');
  await run('journalctl', '--flush');
}
