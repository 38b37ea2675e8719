// What can go wrong with a database, in the few kinds that are treated differently.

import { reasonOf } from '../base/errors.ts';

/**
 * FaultKind: 'full' and 'read-only' pass by themselves, 'damaged' is moved aside, 'deleted' is the file of a database that is still open
 * and the only one that has everything, 'locked', 'newer', 'forbidden' and 'foreign' are for a person
 * to mend before the broker starts, 'failed' is the rest: an input/output error, a worker that died.
 */
export type FaultKind = 'full' | 'read-only' | 'damaged' | 'deleted' | 'locked' | 'newer' | 'forbidden' | 'foreign' | 'failed';

/** Fault crosses from the worker as it is. */
export interface Fault {
  readonly kind: FaultKind;
  readonly reason: string;
}

/** StoreFault is thrown inside the store and ends at its door. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  readonly kind: FaultKind;

  constructor(kind: FaultKind, reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/** Primary result codes, https://www.sqlite.org/rescode.html; the extended ones have them in their lowest byte. */
const SQLITE_FAULTS: Readonly<Record<number, FaultKind>> = {
  5: 'locked', // SQLITE_BUSY
  6: 'locked', // SQLITE_LOCKED
  8: 'read-only', // SQLITE_READONLY
  11: 'damaged', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL
  26: 'damaged', // SQLITE_NOTADB
};

const SYSTEM_FAULTS: Readonly<Record<string, FaultKind>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'read-only',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  ENOTDIR: 'forbidden',
  EISDIR: 'forbidden',
};

/** faultOf sorts anything thrown by SQLite, the file system or the store itself. */
export function faultOf(error: unknown): Fault {
  if (error instanceof StoreFault) return { kind: error.kind, reason: error.message };
  return { kind: kindOf(error), reason: reasonOf(error) };
}

function kindOf(error: unknown): FaultKind {
  if (!(error instanceof Error)) return 'failed';
  if ('errcode' in error && typeof error.errcode === 'number') return SQLITE_FAULTS[error.errcode & 0xff] ?? 'failed';
  return ('code' in error && typeof error.code === 'string' && SYSTEM_FAULTS[error.code]) || 'failed';
}
