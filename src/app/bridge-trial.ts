// A trial of a bridge as the configuration has it, on this machine.

import { nameBridge } from '../bridges/options.ts';
import type { TrialSetup } from '../bridges/trial.ts';
import type { Configuration } from '../config/configuration.ts';
import { machineNames, uniqueMark } from '../host/host.ts';

/** tryConfiguredBridge says what happens as it does, and gives true when every address answers and refuses nothing. */
export async function tryConfiguredBridge(
  settings: Configuration['bridges'][number],
  trial: Pick<TrialSetup, 'publishes' | 'publishHint' | 'say'>,
): Promise<boolean> {
  const [{ tryBridge }, { readBridgeTls }] = await Promise.all([import('../bridges/trial.ts'), import('../bridges/tls-material.ts')]);
  const options = nameBridge(settings, { hostName: machineNames().hostName, unique: uniqueMark() });
  return tryBridge(options, { ...trial, tls: readBridgeTls(settings.tls) });
}
