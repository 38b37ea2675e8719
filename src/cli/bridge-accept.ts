// `midge bridge accept`: adds the `connection` block of an invitation to the configuration. It comes from somebody else: it is looked at
// first, and a person says yes to what it is going to carry.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { authorityFileOf, type Invited, readInvitation, topicWords } from '../config/bridge-invitation.ts';
import { addBlock, type ChangedFile } from '../config/writer.ts';
import { visibleText } from '../logging/line.ts';
import { asOwner, asOwnerNow } from '../state/as-owner.ts';
import { askYesNo, isTerminal } from '../terminal/ask.ts';
import type { Invocation } from '../terminal/command.ts';
import { changeFiles } from './change-files.ts';
import { configurationFile } from './configuration-file.ts';

const WORDS = { in: 'from there to here', out: 'from here to there', both: 'in both directions' } as const;

/** acceptInvitation checks the file ('-' = standard input), asks, and has the running broker take the bridge over. */
export async function acceptInvitation(path: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const main = configurationFile({ flags });
  const invited = readInvitation(path === '-' ? await readStream(terminal.stdin) : readFile(path));
  const { block, certificate } = asOwnerNow(main, () => filesOf(main, invited));
  terminal.stdout.write(`Bridge ${invited.name} to ${visibleText(invited.addresses)}${invited.authority === null ? '' : ', with TLS'}:\n`);
  for (const topic of invited.topics) terminal.stdout.write(`  ${visibleText(topicWords(topic))}   ${WORDS[topic.direction]}\n`);
  if (!flags.has('yes')) {
    if (path === '-' || !isTerminal(terminal.stdin)) throw new OperatorError('Cannot ask whether that is wanted - say yes with --yes');
    if (!(await askYesNo(terminal, 'Add it?'))) return 1;
  }
  return asOwner(main, () => changeFiles(main, block, invocation, certificate));
}

interface Files {
  readonly block: readonly ChangedFile[];
  /** It is no secret. */
  readonly certificate: readonly ChangedFile[];
}

function filesOf(main: string, { name, lines, authority }: Invited): Files {
  const textWith = (more: readonly string[]) => `# Added by midge bridge accept.\n${[...lines, ...more].join('\n')}\n`;
  const plain = addBlock(main, `bridge-${name}.conf`, textWith([]));
  if (authority === null) return { block: plain, certificate: [] };
  const path = join(dirname(plain[0]!.path), authorityFileOf(name)); // the block's file is the first
  return {
    block: addBlock(main, `bridge-${name}.conf`, textWith([`bridge_cafile ${path}`])),
    certificate: [{ path, before: null, after: authority }],
  };
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError(`Cannot read "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
