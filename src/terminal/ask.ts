// Questions to the person at the terminal; passwords are not shown.

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { OperatorError } from '../base/errors.ts';
import type { Terminal } from './command.ts';

/** Exit status of a program that Ctrl-C ended, as shells report SIGINT. */
const INTERRUPTED = 130;

type Ends = Pick<Terminal, 'stdin' | 'stdout'>;

/**
 * askSecrets asks one question after the other and gives the answers. What is typed is not shown; from a pipe or file the answers are its
 * lines. Throws OperatorError when the input ends before the last answer, or at Ctrl-C.
 */
export function askSecrets(ends: Ends, questions: readonly string[]): Promise<string[]> {
  return ask(ends, questions, nowhere());
}

/**
 * askNewSecret asks for a password twice, in mosquitto's words, and gives it; null when nothing is typed, or nobody is there to type.
 * Throws OperatorError when the second is another, and at Ctrl-C.
 */
export async function askNewSecret(ends: Ends, username: string): Promise<string | null> {
  const questions = [`New password for ${username}: `, `Reenter password for ${username}: `];
  const [first, second] = await ask(ends, questions, nowhere(), true);
  if (first === undefined) return null;
  if (first !== second) throw new OperatorError('Error: Passwords do not match.');
  return first;
}

/** askYesNo asks a question that a person can answer with y. Throws as askSecrets does. */
export async function askYesNo(ends: Ends, question: string): Promise<boolean> {
  const [answer = ''] = await ask(ends, [`${question} [y/N] `], ends.stdout);
  return /^y(es)?$/i.test(answer.trim());
}

/** isWanted asks, unless `isSaid` (the flag --yes). Throws OperatorError where nobody is there to answer, and as askSecrets does. */
export async function isWanted(ends: Ends, isSaid: boolean, question: string): Promise<boolean> {
  if (isSaid) return true;
  if (!isTerminal(ends.stdin)) throw new OperatorError('Cannot ask whether that is wanted - say yes with --yes');
  return askYesNo(ends, question);
}

/** isTerminal tells whether a person types there. */
export function isTerminal(stdin: Terminal['stdin']): boolean {
  return 'isTTY' in stdin && stdin.isTTY === true;
}

/** readline writes what is typed to `echo`. With `mayBeNone` an empty first answer, or none, ends it: nothing is given. */
async function ask({ stdin, stdout }: Ends, questions: readonly string[], echo: Writable, mayBeNone = false): Promise<string[]> {
  const lines = createInterface({ input: stdin, output: echo, terminal: isTerminal(stdin), historySize: 0 });
  const line = lines[Symbol.asyncIterator]();
  let isInterrupted = false;
  lines.on('SIGINT', () => {
    isInterrupted = true;
    lines.close();
  });
  const answers: string[] = [];
  try {
    for (const question of questions) {
      stdout.write(question);
      const answer = await line.next();
      if (echo !== stdout) stdout.write('\n');
      if (isInterrupted) throw new OperatorError('Error: Interrupted.', { exitCode: INTERRUPTED });
      if (mayBeNone && answers.length === 0 && (answer.done || answer.value === '')) return [];
      if (answer.done) throw new OperatorError('Error: The input ended before an answer came.');
      answers.push(answer.value);
    }
  } finally {
    lines.close();
  }
  return answers;
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
