// Puts a backup back: it is brought and looked at, and changes nothing; when somebody has confirmed what it would replace, the broker begins anew with it.

import { resolve } from 'node:path';
import { z } from 'zod';
import { reasonOf } from '../base/errors.ts';
import { shellWord } from '../base/shell-word.ts';
import type { RestorePlan } from '../state/restore-plan.ts';
import type { BroughtBackup, OperationNeeds } from './needs.ts';
import { OperationFailure, operation, type Report } from './operation.ts';
import { restoreFolders } from './restore-folders.ts';

const ID = z.strictObject({ id: z.string() });

const PREPARE_INPUT = z.strictObject({
  content: z.custom<AsyncIterable<Uint8Array>>((value) => typeof value === 'object' && value !== null && Symbol.asyncIterator in value),
  withConfiguration: z.boolean().default(false).describe('the files of the configuration too that are outside the state folder'),
});

/** RESTORE_OBSTACLE says before somebody chooses a file whether that is of any use. */
export const RESTORE_OBSTACLE = operation({
  name: 'restore obstacle',
  kind: 'query',
  right: 'admin',
  summary: 'Whether a backup can be restored over this door, and the command that does it otherwise.',
  input: z.strictObject({}),
  output: z.object({
    obstacle: z.string().nullable().describe('why none can be restored here; null = one can'),
    command: z.string().describe('to be run as root while the broker is stopped; the file of the backup comes last'),
  }),
  run: async (needs) => {
    const { configuration, state } = needs;
    const main = configuration.file === null ? [] : ['-c', resolve(configuration.file)];
    const words = ['sudo', 'midge', 'restore', ...main, '--state', state.path, 'midge-backup.tar.gz'];
    return { obstacle: (await broughtTo(needs).obstacle())?.message ?? null, command: words.map(shellWord).join(' ') };
  },
});

const STAYING = z.object({ path: z.string(), holds: z.enum(['accounts', 'rules', 'settings']) });

/** PREPARE_RESTORE takes a backup in. */
export const PREPARE_RESTORE = operation({
  name: 'prepare restore',
  kind: 'command',
  right: 'admin',
  summary: 'Bring a backup and see what it would replace; nothing is changed before "restore" confirms it.',
  input: PREPARE_INPUT,
  upload: ['application/gzip', 'application/octet-stream'],
  output: z.object({
    id: z.string(),
    host: z.string().describe('whose backup it is'),
    time: z.string(),
    program: z.string(),
    writes: z.array(z.string()).describe('folders and files that are written'),
    stays: z.array(STAYING).describe('files outside the state folder that the broker uses, and that stay as they are now'),
    revivals: z.array(z.string()).describe('what it brings back that somebody has taken away since, such as an account'),
    losses: z.array(z.string()).describe('accounts that somebody has made since, and that go'),
    damage: z.string().nullable().describe('what of its database cannot be taken'),
  }),
  progress: z.object({ received: z.number().describe('bytes') }),
  run: prepare,
});

async function prepare(needs: OperationNeeds, input: z.infer<typeof PREPARE_INPUT>, _: unknown, report: Report) {
  const { content, withConfiguration } = input;
  const wish = { withConfiguration, look: () => lookAt(needs, withConfiguration), report: (received: number) => report({ received }) };
  const { id, plan } = await broughtTo(needs).take(content, wish);
  const { writes, revivals, losses, damage, manifest } = plan;
  const { host, time, program } = manifest;
  return { id, host, time, program, writes, stays: staysOf(needs, plan), revivals, losses, damage };
}

/** Where the main file of the configuration comes back, the broker uses what that one names; all else that it uses is in the state folder, or stays. */
function staysOf({ access, configuration, listeners, state }: OperationNeeds, { brings }: RestorePlan): readonly z.infer<typeof STAYING>[] {
  const { file, filesRead } = configuration;
  if (file !== null && brings.includes(resolve(file))) return [];
  const pairs = listeners.map(({ name }) => access.filesOf(name));
  const accounts = new Set([...pairs.map(({ passwordFile }) => passwordFile), access.dynamic?.file]);
  const rules = new Set(pairs.map(({ aclFile }) => aclFile));
  const used = [...new Set([...accounts, ...rules, ...filesRead])].filter((path) => path !== null && path !== undefined);
  return used
    .filter((path) => !resolve(path).startsWith(`${state.path}/`) && !brings.includes(resolve(path)))
    .map((path) => ({ path, holds: accounts.has(path) ? 'accounts' : rules.has(path) ? 'rules' : 'settings' }));
}

async function lookAt(needs: OperationNeeds, withConfiguration: boolean): Promise<RestorePlan> {
  const { restoreBackup } = await import('../state/restore.ts');
  const { configuration, state } = needs;
  let seen: RestorePlan | null = null;
  const confirm = async (plan: RestorePlan) => {
    seen = plan;
    return false;
  };
  const request = { folder: state.path, withConfiguration, isLook: true, ...restoreFolders(configuration.file, state), confirm };
  const needed = await needs.stateNeeds();
  await restoreBackup(broughtTo(needs).path, request, needed).catch((error: Error) => {
    throw new Error(reasonOf(error.cause)); // its own words name the file as it lies here, which nobody knows
  });
  if (seen === null) throw new Error('nobody was asked');
  return seen;
}

/** RESTORE does it. */
export const RESTORE = operation({
  name: 'restore',
  kind: 'command',
  right: 'admin',
  summary: 'Restart the broker with a backup that was prepared. What is there now is kept beside it, in the state folder.',
  input: ID,
  output: z.object({ restarts: z.literal(true) }),
  run: (needs, { id }) => {
    broughtTo(needs).confirm(id);
    return { restarts: true } as const;
  },
});

/** DISCARD_RESTORE does not. */
export const DISCARD_RESTORE = operation({
  name: 'discard restore',
  kind: 'command',
  right: 'admin',
  summary: 'Take a backup away that was prepared.',
  input: ID,
  output: z.object({}),
  run: async (needs, { id }) => {
    await broughtTo(needs).discard(id);
    return {};
  },
});

function broughtTo({ brought }: OperationNeeds): BroughtBackup {
  if (brought === null) throw new OperationFailure('not possible', 'Cannot restore: there is no state folder');
  return brought;
}
