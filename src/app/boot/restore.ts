// The two files of the boot partition by which a machine becomes new, or one that it was: factory-reset and a backup.

import { rmSync } from 'node:fs';
import { OperatorError, reasonOf } from '../../base/errors.ts';
import { isBackup, ORDERS } from '../../boot/orders.ts';
import { MachineFiles } from '../../host/machine-files.ts';
import { ownBackupAdvice } from './make-backup.ts';
import { AUTHORITY, BOOT, FOLLOWED_ACCOUNTS, IWD, KEYS, MEMORY, type Scope, STATE } from './paths.ts';
import { type BootWorld, hasBootPartition, ordersIn, whileWritable } from './world.ts';

/** Follows the name of a backup that was restored, so that a reset makes the machine new. */
const DONE = '.restored';
/** There from before a restore until it has succeeded: one that was cut short or failed is tried again. */
const UNDER_WAY = `${MEMORY}/restoring`;
/** What a reset takes away: all that is ours. */
const RESET: Readonly<Record<Scope, readonly string[]>> = {
  broker: [STATE, MEMORY],
  'machine and broker': [STATE, MEMORY, IWD, KEYS.slice(0, KEYS.lastIndexOf('/')), '/var/log/journal'],
};

/** resetMachine does what a file factory-reset asks for, and says so; null = there is none. The file goes last: a reset that is cut short begins again. */
export async function resetMachine(world: BootWorld, only: Scope): Promise<string | null> {
  const files = new MachineFiles(world.root);
  const asked = ordersIn(files, 'reset');
  if (asked.length === 0) return null;
  if (ordersIn(files, 'backup').length > 0)
    return `${ORDERS.reset} was not followed, because ${ORDERS.backup} lies beside it. Take the backup off this partition, then start again with ${ORDERS.reset} alone.`;
  for (const path of RESET[only]) files.remove(path);
  await world.run('sync');
  await whileWritable(world, () => {
    for (const path of asked) files.remove(path);
  });
  return 'Reset: accounts, certificates, kept messages and settings were removed.';
}

/**
 * takeUpBackup restores a backup where nothing is kept yet, and says what became of it; null = there is none. A machine that has an
 * authority is not new: what it keeps goes before an old backup that still lies there. Throws OperatorError; the next boot tries again.
 */
export async function takeUpBackup(world: BootWorld, owner: number): Promise<string | null> {
  const files = new MachineFiles(world.root);
  const name = files.names(BOOT).filter(isBackup).sort().at(-1);
  if (name === undefined) {
    if (hasBootPartition(files)) files.remove(UNDER_WAY); // it was taken away
    return null;
  }
  const isUsed = files.exists(AUTHORITY);
  if (isUsed && !files.exists(UNDER_WAY))
    return (
      ownBackupAdvice(files, name) ??
      `${name} was not restored: this machine is in use. To have it in place of what is here, put a file factory-reset beside it.`
    );
  files.write(UNDER_WAY, name, { mode: 0o600 });
  const { manifest, aside } = await restore(files, name, owner);
  if (!isUsed) for (const path of aside) rmSync(path, { recursive: true, force: true });
  files.remove(FOLLOWED_ACCOUNTS); // they went with what was here
  files.remove(UNDER_WAY);
  await whileWritable(world, () => files.rename(`${BOOT}/${name}`, `${BOOT}/${name}${DONE}`));
  const before = isUsed && aside.length > 0 ? ` What was here before is in ${aside.join(', ')}.` : '';
  return `Restored ${name}, a backup of ${manifest.host} of ${manifest.time}.${before} Take it off this partition: it holds keys and accounts.`;
}

async function restore(files: MachineFiles, name: string, owner: number) {
  const { restoreBackup } = await import('../../state/restore.ts');
  const { STATE_NEEDS } = await import('../state-needs.ts'); // brings the store with it, which no other boot needs
  files.makeFolder(STATE, { mode: 0o700, owner }); // what is restored belongs to whom this belongs
  try {
    const confirm = async () => true; // whoever holds the card may do all
    const request = { folder: files.path(STATE), withConfiguration: false, configurationFolders: [], allowed: [], confirm };
    const report = await restoreBackup(files.path(`${BOOT}/${name}`), request, STATE_NEEDS);
    if (report === null) throw new OperatorError('it was not confirmed'); // it always is
    return report;
  } catch (error) {
    throw new OperatorError(`${reasonOf(error)}. It is tried again at each start: put a sound one in its place, or take it away`, {
      cause: error,
    });
  }
}
