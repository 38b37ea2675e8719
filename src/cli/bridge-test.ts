// `midge bridge test`: tries a bridge of the configuration once, and says what happens.

import { tryConfiguredBridge } from '../app/bridge-trial.ts';
import { OperatorError } from '../base/errors.ts';
import type { TrialStep } from '../bridges/trial.ts';
import type { Configuration } from '../config/configuration.ts';
import { visibleText } from '../logging/line.ts';
import { asOwner } from '../state/as-owner.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { configurationFile, readConfiguration } from './configuration-file.ts';

/** testBridge gives exit status 0 when every address answers and refuses nothing, else 1. `name` null = the only bridge. */
export async function testBridge(name: string | null, { flags, terminal }: Invocation): Promise<number> {
  const file = configurationFile({ flags });
  const settings = bridgeOf(readConfiguration(file), name, file);
  const steps: TrialStep[] = [];
  const asJson = flags.has('json');
  const say = (step: TrialStep) => (asJson ? steps.push(step) : print(step, terminal));
  const isGood = await asOwner(file, () =>
    tryConfiguredBridge(settings, { publishes: flags.has('publish'), publishHint: ': --publish does', say }),
  );
  if (asJson) terminal.stdout.write(`${JSON.stringify({ name: settings.name, ok: isGood, steps }, null, 2)}\n`);
  return isGood ? 0 : 1;
}

function bridgeOf({ bridges }: Configuration, name: string | null, file: string): Configuration['bridges'][number] {
  const names = bridges.map((each) => each.name).join(', ');
  if (bridges.length === 0) throw new OperatorError(`Cannot try a bridge: "${file}" has no connection block`);
  const found = name === null && bridges.length === 1 ? bridges[0] : bridges.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new OperatorError(name === null ? `Which bridge? There are ${names}` : `Cannot find bridge "${name}": there is ${names}`);
}

function print({ step, ok, text }: TrialStep, { stdout }: Terminal): void {
  const shown = visibleText(text);
  if (step === 'address') stdout.write(`${shown}\n`);
  else if (step === 'advice') stdout.write(`  -       ${shown}\n`);
  else stdout.write(`  ${ok ? 'ok    ' : 'FAILED'}  ${shown}\n`);
}
