// What the store is told: where the file is and how careful to be with the card.

/** StoreOptions are decided by the configuration; times are in milliseconds. */
export interface StoreOptions {
  /** Absolute; made, for its owner only, when it is not there. */
  readonly folder: string;
  /** Name of the database in the folder. */
  readonly file: string;
  /** Nobody else keeps files in the folder: a file that can't be read is then a damaged database of ours, and moved aside. */
  readonly isOwnFolder: boolean;
  /** FULL syncs with every commit. NORMAL syncs with checkpoints only: a power cut may take back what was called durable. */
  readonly synchronous: 'FULL' | 'NORMAL';
  /** How long changes that nobody waits for may stay in memory: QoS 0 retained values, acknowledgements. */
  readonly writeBehind: number;
  /** How long a commit waits when all that is asked for is QoS 1 on its way to clients that are online: what they acknowledge meanwhile is never written. */
  readonly gather: number;
  /** How often it is looked whether the file of the database is there, when nothing is written. */
  readonly watch: number;
}

/** STORE_DEFAULTS: all but the folder. */
export const STORE_DEFAULTS: Omit<StoreOptions, 'folder'> = {
  file: 'midge.db',
  isOwnFolder: true,
  synchronous: 'FULL',
  writeBehind: 1000,
  gather: 10,
  watch: 10_000,
};
