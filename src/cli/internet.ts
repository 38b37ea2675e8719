// `midge internet`: whether the Internet leads to the running broker, as far as that can be seen from inside.

import type { WayInStep } from '../internet/way-in.ts';
import { visibleJson, visibleText } from '../logging/line.ts';
import type { Invocation } from '../terminal/command.ts';
import { findBroker, tell } from './control-client.ts';

/** A router, names and ports that do not answer take their time. */
const PATIENCE_MS = 120_000;

/** run gives exit status 0 when nothing stands in the way, else 1. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, operands, terminal } = invocation;
  const { answer } = await findBroker(invocation, { request: 'check internet', names: operands }, PATIENCE_MS);
  const { ok, steps } = answer as { readonly ok: boolean; readonly steps: readonly WayInStep[] }; // the other end is the same table
  terminal.stdout.write(flags.has('json') ? `${visibleJson(answer)}\n` : tell(() => steps.map(lineOf).join('')));
  return ok ? 0 : 1;
}

function lineOf({ ok, text, advice }: WayInStep): string {
  return `${ok ? 'ok       ' : 'FAILED   '}${visibleText(text)}\n${advice === null ? '' : `  ->     ${visibleText(advice)}\n`}`;
}
