// What a broker that began anew has been told to restore, before it reads anything.

import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { reasonOf } from '../base/errors.ts';
import { RESTORE_VARIABLE, type RestoreOrder } from '../operations/prepared-restore.ts';
import { restoreFolders } from '../operations/restore-folders.ts';
import { notifyServiceManager } from '../service/service-manager.ts';
import type { StateFolder } from '../state/state-folder.ts';

/** systemd ends a service that says nothing for a minute. */
const PULSE_MS = 15_000;

/** restoreOrdered does it, and gives a sentence for the log; null = there is no order. What fails changes nothing, and is said as well. */
export async function restoreOrdered(
  env: NodeJS.ProcessEnv,
  file: string | null,
  state: () => Promise<StateFolder>,
): Promise<string | null> {
  const text = env[RESTORE_VARIABLE];
  if (text === undefined) return null;
  delete process.env[RESTORE_VARIABLE]; // once
  const pulse = setInterval(() => notifyServiceManager('WATCHDOG=1'), PULSE_MS);
  const order: RestoreOrder = JSON.parse(text);
  try {
    return await restore(order, file, await state());
  } catch (error) {
    return `${reasonOf(error)}. What was there before stays in use.`;
  } finally {
    clearInterval(pulse);
    rmSync(order.path, { force: true });
  }
}

async function restore({ path, withConfiguration, digest }: RestoreOrder, file: string | null, state: StateFolder): Promise<string> {
  const [{ restoreBackup }, { STATE_NEEDS }] = await Promise.all([import('../state/restore.ts'), import('../app/state-needs.ts')]);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  if (hash.digest('hex') !== digest) return `Cannot restore "${path}": it is another file than the one that was confirmed.`;
  const confirm = async () => true; // somebody has seen the plan
  const request = { folder: state.path, withConfiguration, ...restoreFolders(file, state), confirm };
  const report = await restoreBackup(path, request, STATE_NEEDS);
  if (report === null) throw new Error('it was confirmed');
  const { host, time } = report.manifest;
  const kept = report.aside.length === 0 ? '' : ` What was here before is in ${report.aside.join(', ')}.`;
  return `Restored a backup of ${host} of ${time}.${kept}`;
}
