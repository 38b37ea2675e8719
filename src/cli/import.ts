// `midge import`: takes over an existing mosquitto, or the settings of the broker inside openHAB.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { IMPORT_NEEDS } from '../app/import-needs.ts';
import { OperatorError } from '../base/errors.ts';
import { type ImportRequest, importMosquitto } from '../import/import-mosquitto.ts';
import { importOpenhab } from '../import/import-openhab.ts';
import type { ImportLine, ImportReport } from '../import/report.ts';
import { mosquittoHere, withWayBack } from '../install/machine.ts';
import { findState } from '../state/state-folder.ts';
import { STORE_DEFAULTS } from '../store/options.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';

/** run writes configuration and state, or with --dry-run only tells; 0, or 1 when something of the configuration is refused. */
export async function run({ flags, operands, terminal, program }: Invocation): Promise<number> {
  const [kind, source] = operands;
  if ((kind !== 'mosquitto' && kind !== 'openhab') || source === undefined) {
    const usage = `'${program} mosquitto FILE', '${program} mosquitto FOLDER' or '${program} openhab FILE'`;
    throw new OperatorError(`Error: No source given. Use ${usage}.`, { exitCode: 2 });
  }
  const isRoot = process.getuid?.() === 0;
  const dryRun = flags.has('dry-run');
  const out = flags.get('out')?.at(-1) ?? configurationFolder(isRoot, terminal);
  const { path: state } = findState({
    asked: flags.get('state')?.at(-1) ?? null,
    location: null,
    file: STORE_DEFAULTS.file,
    isRoot,
    env: terminal.env,
  });
  const report = kind === 'openhab' ? importOpenhab({ source, out, dryRun }, IMPORT_NEEDS) : await takeOver({ source, state, out, dryRun });
  if (flags.has('json')) terminal.stdout.write(`${JSON.stringify({ dryRun, ...report }, null, 2)}\n`);
  else show(report, dryRun, terminal);
  return report.lines.some(({ outcome }) => outcome === 'refused') ? 1 : 0;
}

/** It was stopped for this. */
async function takeOver(request: ImportRequest): Promise<ImportReport> {
  try {
    return await importMosquitto(request, IMPORT_NEEDS);
  } catch (error) {
    throw process.getuid?.() === 0 && mosquittoHere() === 'stopped' ? withWayBack(error) : error;
  }
}

function configurationFolder(isRoot: boolean, { env }: Terminal): string {
  if (isRoot) return '/etc/midge';
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? homedir(), '.config'), 'midge');
}

function show({ lines, written }: ImportReport, dryRun: boolean, { stdout }: Terminal): void {
  for (const line of lines) stdout.write(`${inWords(line)}\n`);
  for (const path of written) stdout.write(`${dryRun ? 'would write' : 'wrote'.padEnd(11)}     ${path}\n`);
}

function inWords({ what, outcome, reason }: ImportLine): string {
  return `${outcome.padEnd(14)}  ${what}${reason === null ? '' : ` - ${reason}`}`;
}
