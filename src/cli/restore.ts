// `midge restore`: puts a backup back in place, or what was there before an upgrade.

import { dirname, resolve } from 'node:path';
import { STATE_NEEDS } from '../app/state-needs.ts';
import { OperatorError } from '../base/errors.ts';
import { asOwnerNow } from '../state/as-owner.ts';
import { mendRestore } from '../state/mend-restore.ts';
import { restoreBackup } from '../state/restore.ts';
import type { RestorePlan } from '../state/restore-plan.ts';
import { putBackBeforeUpgrade } from '../store/earlier-version.ts';
import { askYesNo, isTerminal } from '../terminal/ask.ts';
import type { Invocation } from '../terminal/command.ts';
import { stateOf } from './control-client.ts';

/** run restores and says what is where. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, operands, program, terminal } = invocation;
  if (flags.has('before-upgrade')) return putBack(invocation);
  if (flags.has('finish')) return finish(invocation);
  const [file] = operands;
  if (file === undefined) throw new OperatorError(`Error: Which file? Use '${program} FILE'.`, { exitCode: 2 });
  const state = stateOf(invocation);
  const main = flags.get('config-file')?.at(-1) ?? null;
  const report = await restoreBackup(
    file,
    {
      folder: state.path,
      withConfiguration: !flags.has('state-only'),
      configurationFolders: ['/etc/midge', ...(main === null ? [] : [dirname(resolve(main))]), state.path],
      allowed: [...(main === null ? [] : [state.database]), ...(flags.get('allow') ?? []).map((path) => resolve(path))],
      confirm: (plan) => confirm(plan, invocation),
    },
    STATE_NEEDS,
  );
  if (report === null) {
    terminal.stdout.write('Nothing was changed.\n');
    return 1;
  }
  for (const path of report.restored) terminal.stdout.write(`restored  ${path}\n`);
  for (const path of report.aside) terminal.stdout.write(`kept      ${path}\n`);
  if (report.stillRevoked > 0)
    terminal.stdout.write(`The backup is older than these revocations. The certificates stay revoked: ${report.stillRevoked}.\n`);
  return 0;
}

/** confirm shows what will be written, and asks where the backup brings back what somebody has taken away. */
async function confirm({ manifest, writes, revivals, losses, damage }: RestorePlan, { flags, terminal }: Invocation): Promise<boolean> {
  const { stdin, stdout, stderr } = terminal;
  stdout.write(`A backup of ${manifest.host}, made ${manifest.time} by ${manifest.program}.\n`);
  for (const path of writes) stdout.write(`writes    ${path}\n`);
  if (damage !== null) stderr.write(`Warning: ${damage}\n`);
  for (const each of losses) stderr.write(`Note: ${each}.\n`);
  if (revivals.length === 0) return true;
  for (const each of revivals) stderr.write(`Warning: ${each}.\n`);
  if (flags.has('yes')) return true;
  if (isTerminal(stdin)) return askYesNo({ stdin, stdout }, 'Restore it all the same?');
  throw new OperatorError('it brings back what was taken away since - nothing was changed; say --yes to restore it all the same');
}

/** What a power cut has interrupted, where the broker's user may not end it. */
function finish(invocation: Invocation): number {
  const state = stateOf(invocation);
  const judgement = state.judge();
  if (judgement.kind === 'foreign') throw new OperatorError(`Cannot finish a restore in "${state.path}": ${judgement.reason}`);
  const said = mendRestore(state, STATE_NEEDS.database.moveAside);
  invocation.terminal.stdout.write(`${said ?? 'No restore was interrupted: nothing was changed.'}\n`);
  return 0;
}

function putBack(invocation: Invocation): number {
  const { terminal } = invocation;
  const { database } = stateOf(invocation);
  const done = asOwnerNow(dirname(database), () => putBackBeforeUpgrade(database));
  if (done === null) terminal.stdout.write(`The database ${database} has no newer version: nothing was changed.\n`);
  else terminal.stdout.write(`restored  ${done.path}\nkept      ${done.aside}\n`);
  return 0;
}
