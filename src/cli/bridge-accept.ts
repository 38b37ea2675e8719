// `midge bridge accept`: adds the `connection` block of an invitation to the configuration. It comes from somebody else: it is looked at
// first, and a person says yes to what it is going to carry.

import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { text as readStream } from 'node:stream/consumers';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { invitationFiles, readInvitation, topicWords } from '../config/bridge-invitation.ts';
import { visibleText } from '../logging/line.ts';
import { asOwner, asOwnerNow } from '../state/as-owner.ts';
import { isWanted } from '../terminal/ask.ts';
import type { Invocation } from '../terminal/command.ts';
import { changeFiles } from './change-files.ts';
import { configurationFile } from './configuration-file.ts';

const WORDS = { in: 'from there to here', out: 'from here to there', both: 'in both directions' } as const;

/** acceptInvitation checks the file ('-' = standard input), asks, and has the running broker take the bridge over. */
export async function acceptInvitation(path: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const main = configurationFile({ flags });
  const invited = readInvitation(path === '-' ? await readStream(terminal.stdin) : readFile(path));
  const { block, certificate } = asOwnerNow(main, () => invitationFiles(main, invited));
  terminal.stdout.write(`Bridge ${invited.name} to ${visibleText(invited.addresses)}${invited.tls ? ', with TLS' : ''}:\n`);
  for (const topic of invited.topics) terminal.stdout.write(`  ${visibleText(topicWords(topic))}   ${WORDS[topic.direction]}\n`);
  const ends = path === '-' ? { ...terminal, stdin: Readable.from([]) } : terminal; // nothing is left of it to answer with
  if (!(await isWanted(ends, flags.has('yes'), 'Add it?'))) return 1;
  return asOwner(main, () => changeFiles(main, block, invocation, certificate));
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError(`Cannot read "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
