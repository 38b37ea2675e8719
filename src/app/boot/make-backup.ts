// The order make-backup: a backup on the boot partition, for those who have a card reader and no SSH.

import { hostname } from 'node:os';
import { compactTime, systemClock } from '../../base/clock.ts';
import { CONFIGURATION } from '../../boot/system-files.ts';
import type { MachineFiles } from '../../host/machine-files.ts';
import { BOOT, MADE_BACKUP, STATE } from './paths.ts';
import { type BootWorld, ordersIn, whileWritable } from './world.ts';

const ADVICE = 'It holds the keys and accounts of this machine: copy it to a safe place, and delete it here.';
/** Follows the name until the file is whole. */
const UNFINISHED = '.unfinished';

/** BackupOf says what the broker of this machine has, and which program makes the backup. */
export interface BackupOf {
  /** Of the database's file. */
  readonly database: string;
  readonly program: string;
}

/** makeOrderedBackup makes the backup that the order asks for, and says so; null = there is none. The order goes last: without room, or with the power cut, the next start tries again. */
export async function makeOrderedBackup(world: BootWorld, files: MachineFiles, { database, program }: BackupOf): Promise<string | null> {
  const orders = ordersIn(files, 'backup');
  if (orders.length === 0) return null;
  const { makeBackup } = await import('../../state/backup.ts');
  const { STATE_NEEDS } = await import('../state-needs.ts'); // brings the store with it, which no other boot needs
  const namedFiles = (main: string, from: string) =>
    STATE_NEEDS.namedFiles(main, from).map((path) => (path === main ? path : files.path(path)));
  const folder = files.path(STATE);
  const name = `midge-${hostname()}-${compactTime(systemClock.now())}.tar.gz`;
  const unfinished = `${BOOT}/${name}${UNFINISHED}`;
  const source = { folder, database: `${folder}/${database}`, copy: null, configuration: files.path(CONFIGURATION) };
  await whileWritable(world, async () => {
    for (const left of files.names(BOOT).filter((each) => each.endsWith(UNFINISHED))) files.remove(`${BOOT}/${left}`);
    await makeBackup(files.path(unfinished), { ...source, workingFolder: '/', readAs: folder, program }, { ...STATE_NEEDS, namedFiles });
    files.write(MADE_BACKUP, name, { mode: 0o600 });
    files.rename(unfinished, `${BOOT}/${name}`);
    for (const order of orders) files.remove(order);
  });
  return `The backup ${name} was made. ${ADVICE}`;
}

/** ownBackupAdvice says what to do with a backup of this very machine that lies on its card, or null when it is another's. */
export function ownBackupAdvice(files: MachineFiles, name: string): string | null {
  return files.text(MADE_BACKUP) === name ? `${name} is a backup of this machine. ${ADVICE}` : null;
}
