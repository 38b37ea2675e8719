// Takes up what stands on the boot partition: the one place that carries out what src/boot/ has made of it. Every step may be done again.
//
//   factory-reset? -> a backup, if nothing is kept yet -> midge.txt and Imager's files -> files of the system -> accounts -> the broker's configuration -> make-backup? -> used secrets out of midge.txt

import { reasonOf } from '../../base/errors.ts';
import type { Mistake, Secret } from '../../boot/settings.ts';
import { DEFAULT_HOST_NAME } from '../../boot/system-files.ts';
import { MachineFiles } from '../../host/machine-files.ts';
import { mendRestore } from '../../state/mend-restore.ts';
import { StateFolder } from '../../state/state-folder.ts';
import { moveAside } from '../../store/file-names.ts';
import { STORE_DEFAULTS } from '../../store/options.ts';
import { describeChanges, forgetFollowed, writeAccounts } from './accounts.ts';
import { writeConfiguration } from './broker-configuration.ts';
import { makeOrderedBackup } from './make-backup.ts';
import type { AskedNetwork } from './network.ts';
import { FINDINGS, type Scope, STATE } from './paths.ts';
import { resetMachine, takeUpBackup } from './restore.ts';
import { writeRules } from './rules.ts';
import { showOnScreen } from './screen.ts';
import { writeSystemFiles, writeWifi } from './system.ts';
import { readWishes, remember, takeSecretsOut } from './wishes.ts';
import { type BootWorld, isKept } from './world.ts';

export interface Findings {
  readonly mistakes: readonly Mistake[];
  readonly events: readonly string[];
  /** What the network is asked to be, without the password. */
  readonly asked: AskedNetwork;
}

/** BootTerms are what `midge boot` was started with. */
export interface BootTerms {
  readonly only?: Scope;
  /** Name and version of this program. */
  readonly program?: string;
}

/** applyBootPartition makes the machine what the boot partition asks for. Never throws: what fails is said, and the rest is done. */
export async function applyBootPartition(
  world: BootWorld,
  { only = 'machine and broker', program = 'midge' }: BootTerms = {},
): Promise<Findings> {
  const files = new MachineFiles(world.root);
  const owner = brokerUser(files);
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
  if (only === 'machine and broker')
    showOnScreen(files, `${program} is starting. The first start, and one after damage, takes some minutes.\n`);
  await attempt('reset', async () => say(await resetMachine(world, only)));
  await attempt('mend the state', () => say(mendRestore(new StateFolder(files.path(STATE), STORE_DEFAULTS.file), moveAside))); // before anything is looked for in it
  const isRestored = await attempt('take up the backup', async () => say(await takeUpBackup(world, owner)));
  const wishes = readWishes(files, only);
  const { settings } = wishes;
  const mistakes = [...wishes.mistakes];
  const used = new Set<Secret['use']>();
  events.push(...wishes.events);
  if (only === 'machine and broker') {
    used.add('login');
    await attempt('set the host name', () => world.run('hostname', settings.hostName ?? DEFAULT_HOST_NAME));
    await attempt('write the settings of the system', () => writeSystemFiles(world, settings));
    if (await attempt('set up the Wi-Fi', () => mistakes.push(...writeWifi(files, settings)))) used.add('wifi');
  }
  const hasAccounts = await attempt('write the accounts and their topics', async () => {
    const changes = await writeAccounts(files, settings, owner);
    writeRules(files, settings, { made: changes.made, owner });
    events.push(...describeChanges(changes));
  });
  if (hasAccounts && isRestored) used.add('accounts'); // a backup that comes later brings accounts of its own
  await attempt('write the configuration', () => say(writeConfiguration(files, settings, owner)));
  const database = settings.persistenceFile ?? STORE_DEFAULTS.file;
  await attempt('make the backup', async () => say(await makeOrderedBackup(world, files, { database, program })));
  await attempt('remember the settings', () => remember(files, settings));
  if (isKept(files, STATE))
    await attempt('take the secrets out of the boot partition', async () => {
      await takeSecretsOut(world, wishes, used);
      if (used.has('accounts')) forgetFollowed(files);
    });
  else say('Nothing is kept here when the power goes: passwords stay on the boot partition.');
  const asked = { network: settings.network, wifi: { ...settings.wifi, password: null } };
  const findings = { mistakes, events, asked };
  await attempt('keep what was found', () => files.write(FINDINGS, JSON.stringify(findings), { mode: 0o644 }));
  return findings;
}

/** passwd(5). Root where there is no such user, as in tests. */
function brokerUser(files: MachineFiles): number {
  return Number(/^midge:[^:]*:(\d+):/m.exec(files.text('/etc/passwd') ?? '')?.[1] ?? 0);
}
