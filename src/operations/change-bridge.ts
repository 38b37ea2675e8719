// A bridge that stays what it is, but connects to another address, signs in there in another way, or carries other topics.

import { z } from 'zod';
import { reasonOf } from '../base/errors.ts';
import { TOPICS_MAX } from './bridge-invitations.ts';
import { writeInForce } from './change-in-force.ts';
import { mainFile } from './configuration.ts';
import type { OperationNeeds } from './needs.ts';
import { OperationFailure, operation, orFailure } from './operation.ts';

/** What stands behind a word in one line of the file. */
const VALUE = z
  .string()
  .max(1000)
  .regex(/^\S(?:[^\r\n\0]*\S)?$/);

/** CHANGE_BRIDGE keeps what waits for the other broker. */
export const CHANGE_BRIDGE = operation({
  name: 'change bridge',
  kind: 'command',
  right: 'admin',
  summary:
    'Give a bridge another address, user name or password for the other broker, or other topics, and put that in force. What is not given stays.',
  input: z.strictObject({
    name: z.string().describe('of the connection block'),
    address: VALUE.nullish().describe('as in an address line'),
    username: VALUE.nullish().describe('of its account at the other broker'),
    password: VALUE.nullish().describe('of that account; no answer tells it'),
    topics: z
      .array(VALUE)
      .min(1)
      .max(TOPICS_MAX)
      .nullish()
      .describe("each as in a topic line: 'home/# both 1'; they replace those of before"),
  }),
  output: z.object({ name: z.string(), files: z.array(z.string()).describe('that were changed') }),
  run: async (needs, { name, address, username, password, topics }) => {
    const main = mainFile(needs);
    if (needs.trial.waiting !== null)
      throw new OperationFailure('conflict', `Cannot change "${main}": a change of the configuration waits to be confirmed`);
    const change = { address: address ?? null, username: username ?? null, password: password ?? null, topics: topics ?? null };
    const changed = changeOf(needs, main, name, change);
    await writeInForce(needs, changed).catch((error: unknown) => {
      throw new OperationFailure('not possible', `Cannot change bridge "${name}": ${reasonOf(error)}\nIt was taken back.`, {
        cause: error,
      });
    });
    return { name, files: changed.map(({ path }) => path) };
  },
});

function changeOf({ files }: OperationNeeds, main: string, name: string, change: Parameters<OperationNeeds['files']['withBridge']>[2]) {
  return orFailure(
    () => files.withBridge(main, name, change),
    (message) => new OperationFailure('not found', message),
  );
}
