// Files of the boot partition that are orders by their name: a person makes one with any card reader, and the next start carries it out.

/** ORDERS are their names: a reset, and a backup that is to be made. */
export const ORDERS = { reset: 'factory-reset', backup: 'make-backup' } as const;

export type Order = keyof typeof ORDERS;

/** A backup that is to be restored; of several the last by name is taken, the newest when they are dated. */
const BACKUP = /^midge.*\.(tar\.gz|tgz)$/i;

/** isOrder tells whether a file is this order: Windows adds .txt, and some card readers write capitals. */
export function isOrder(file: string, order: Order): boolean {
  return [ORDERS[order], `${ORDERS[order]}.txt`].includes(file.toLowerCase());
}

/** isBackup tells whether a file is named as one that is restored. */
export function isBackup(file: string): boolean {
  return BACKUP.test(file);
}
