// Takes up what stands on the boot partition: the one place that carries out what src/boot/ has made of it. Every step may be done again.
//
//   factory-reset? -> a backup, if nothing is kept yet -> midge.txt and Imager's files -> files of the system -> accounts -> the broker's configuration -> used secrets out of midge.txt

import { reasonOf } from '../../base/errors.ts';
import type { BootSettings, Mistake, Secret } from '../../boot/settings.ts';
import { brokerConfiguration, CONFIGURATION, DEFAULT_HOST_NAME } from '../../boot/system-files.ts';
import { mendRestore } from '../../state/mend-restore.ts';
import { StateFolder } from '../../state/state-folder.ts';
import { moveAside } from '../../store/file-names.ts';
import { STORE_DEFAULTS } from '../../store/options.ts';
import { Disk } from '../disk.ts';
import { forgetFollowed, writeAccounts } from './accounts.ts';
import { FINDINGS, type Scope, STATE } from './paths.ts';
import { resetMachine, takeUpBackup } from './restore.ts';
import { writeSystemFiles, writeWifi } from './system.ts';
import { readWishes, remember, takeSecretsOut } from './wishes.ts';
import { type BootWorld, isKept } from './world.ts';

export interface Findings {
  readonly mistakes: readonly Mistake[];
  readonly events: readonly string[];
}

/** applyBootPartition makes the machine what the boot partition asks for. Never throws: what fails is said, and the rest is done. */
export async function applyBootPartition(world: BootWorld, only: Scope = 'machine and broker'): Promise<Findings> {
  const disk = new Disk(world.root);
  const owner = brokerUser(disk);
  const events: string[] = [];
  const say = (event: string | null) => void (event === null || events.push(event));
  const attempt = async (what: string, act: () => unknown) => {
    try {
      await act();
      return true;
    } catch (error) {
      say(`Cannot ${what}: ${reasonOf(error)}`);
      return false;
    }
  };
  await attempt('reset', async () => say(await resetMachine(world, only)));
  await attempt('mend the state', () => say(mendRestore(new StateFolder(disk.path(STATE), STORE_DEFAULTS.file), moveAside))); // before anything is looked for in it
  const isRestored = await attempt('take up the backup', async () => say(await takeUpBackup(world, owner)));
  const wishes = readWishes(disk, only);
  const { settings } = wishes;
  const mistakes = [...wishes.mistakes];
  const used = new Set<Secret['use']>();
  events.push(...wishes.events);
  if (only === 'machine and broker') {
    used.add('login');
    await attempt('set the host name', () => world.run('hostname', settings.hostName ?? DEFAULT_HOST_NAME));
    await attempt('write the settings of the system', () => writeSystemFiles(world, settings));
    if (await attempt('set up the Wi-Fi', () => mistakes.push(...writeWifi(disk, settings)))) used.add('wifi');
  }
  const hasAccounts = await attempt('write the accounts', async () => events.push(...(await writeAccounts(disk, settings, owner))));
  if (hasAccounts && isRestored) used.add('accounts'); // a backup that comes later brings accounts of its own
  await attempt('write the configuration', () => writeConfiguration(disk, settings, owner));
  await attempt('remember the settings', () => remember(disk, settings));
  if (isKept(disk, STATE))
    await attempt('take the secrets out of the boot partition', async () => {
      await takeSecretsOut(world, wishes, used);
      if (used.has('accounts')) forgetFollowed(disk);
    });
  else say('Nothing is kept here when the power goes: passwords stay on the boot partition.');
  const findings = { mistakes, events };
  await attempt('keep what was found', () => disk.write(FINDINGS, JSON.stringify(findings), { mode: 0o644 }));
  return findings;
}

function writeConfiguration(disk: Disk, settings: BootSettings, owner: number): void {
  disk.makeFolder(`${STATE}/conf.d`, { mode: 0o700, owner });
  disk.write(CONFIGURATION, brokerConfiguration(settings), { mode: 0o600, owner });
}

/** passwd(5). Root where there is no such user, as in tests. */
function brokerUser(disk: Disk): number {
  return Number(/^midge:[^:]*:(\d+):/m.exec(disk.text('/etc/passwd') ?? '')?.[1] ?? 0);
}
