// `midge uninstall`: takes the service away; what it has kept stays unless it is to go too.

import { OperatorError } from '../base/errors.ts';
import { execute } from '../install/execute.ts';
import { keeperOfProgram, lookAtMachine } from '../install/machine.ts';
import { describeStep, PLACES, planUninstall, RETURN_TO_MOSQUITTO } from '../install/plan.ts';
import type { Invocation } from '../terminal/command.ts';
import { MACHINE } from './machine-stage.ts';

/** run uninstalls; 0, also when nothing was installed. */
export async function run({ flags, terminal }: Invocation): Promise<number> {
  const purge = flags.has('purge');
  if (keeperOfProgram() === 'package')
    throw new OperatorError(`Cannot uninstall: midge is a Debian package here - use: sudo apt-get ${purge ? 'purge' : 'remove'} midge`);
  const machine = lookAtMachine(process.execPath);
  const steps = planUninstall(machine, { purge });
  if (flags.has('dry-run')) {
    for (const step of steps) terminal.stdout.write(`${describeStep(step)}\n`);
    return 0;
  }
  if (process.getuid?.() !== 0) throw new OperatorError('Cannot uninstall: only root may - use sudo');
  execute(steps, MACHINE, (line) => void terminal.stdout.write(`+ ${line}\n`));
  if (!purge) terminal.stdout.write(`\n${PLACES.configurationFolder}, ${PLACES.state} and user midge stay; --purge removes them too.\n`);
  if (machine.mosquitto === 'stopped') terminal.stdout.write(`${RETURN_TO_MOSQUITTO}\n`);
  return 0;
}
