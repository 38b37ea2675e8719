// One upgrade at a time: two would write to the same download and the same system.

import { existsSync } from 'node:fs';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { isDenied, isPortTaken, openUnixSocket } from '../listeners/open-socket.ts';

/** UPGRADE_LOCK is a socket that the kernel gives up with the process that listens on it, however that ends. */
export const UPGRADE_LOCK = '/run/midge-upgrade.lock';

/** UpgradeAtWork is the refusal of a second one. */
export class UpgradeAtWork extends OperatorError {}

/** withUpgradeLock acts while no other upgrade of this machine can; throws UpgradeAtWork when one does, and OperatorError when this user is not root. */
export async function withUpgradeLock<T>(act: () => Promise<T>, path: string = UPGRADE_LOCK): Promise<T> {
  const lock = await takeLock(path);
  try {
    return await act();
  } finally {
    lock.close();
  }
}

async function takeLock(path: string): Promise<Server> {
  try {
    return await openUnixSocket(path, { accept: (socket) => socket.destroy(), acceptFailed: () => {} });
  } catch (error) {
    if (isDenied(error) && existsSync(dirname(path))) throw new OperatorError('Cannot upgrade: only root may - use sudo', { cause: error });
    if (!isPortTaken(error)) throw error;
    throw new UpgradeAtWork('Cannot upgrade: another upgrade is at work on this machine - wait until it has ended', { cause: error });
  }
}
