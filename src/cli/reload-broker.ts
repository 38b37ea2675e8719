// Has the running broker that reads a file read it again: only then is a change in force.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { STATE_NAMES } from '../base/state-names.ts';
import { visibleText } from '../logging/line.ts';
import type { Reloaded } from '../operations/reload.ts';
import type { Invocation } from '../terminal/command.ts';
import { askIn, foldersOf, SERVICE_FOLDER } from './control-client.ts';

/** The only name under which it says more than mosquitto's program of that purpose. */
const TALKATIVE = /^midge /;

/**
 * reloadBroker lets the broker of this machine that reads a file read it again, and says that it has, or how to make it. The exit status is 1
 * when the broker could not take it over; under mosquitto's name that is a warning, and nothing else is said.
 */
export async function reloadBroker(file: string, invocation: Invocation): Promise<number> {
  const { program, terminal } = invocation;
  const path = resolve(file);
  const outcomes = await askAll(path, invocation);
  const read = outcomes.filter((outcome) => typeof outcome !== 'string');
  const failed = read.find(({ error }) => error !== null);
  if (failed !== undefined) {
    const mistakes = failed.mistakes.map((mistake) => `\n  ${visibleText(mistake)}`).join('');
    terminal.stderr.write(`Warning: ${file} is changed, but not in force: ${visibleText(failed.error ?? '')}${mistakes}\n`);
    return TALKATIVE.test(program) ? 1 : 0;
  }
  if (!TALKATIVE.test(program)) return 0;
  const later = visibleText(read.flatMap((answer) => answer.later).join(', '));
  const waits = later === '' ? '' : ` A change of ${later} takes effect at its next start.`;
  if (read.length > 0) terminal.stdout.write(`The running broker has read it.${waits}\n`);
  else terminal.stdout.write(`${outcomes.find((outcome) => typeof outcome === 'string') ?? noBroker(file)}\n`);
  return 0;
}

/** Of each broker that was found its answer, or why it gave none to be used, with what to do. */
async function askAll(path: string, invocation: Invocation): Promise<(Reloaded | string)[]> {
  const beside = dirname(path);
  const isState = existsSync(join(beside, STATE_NAMES.marker));
  const folders = new Set([...foldersOf(invocation), ...(isState ? [beside] : [])]);
  const outcomes: (Reloaded | string)[] = [];
  for (const folder of folders) {
    const outcome = await askOne(folder, path);
    if (outcome !== null) outcomes.push(outcome);
  }
  return outcomes;
}

async function askOne(folder: string, path: string): Promise<Reloaded | string | null> {
  const command = folder === SERVICE_FOLDER ? 'sudo systemctl reload midge' : 'kill -HUP PID';
  try {
    const answer = asReloaded(await askIn(folder, { request: 'reload', file: path }));
    if (answer === null) return `The running broker (state in ${folder}) gave no valid answer. To put the change in force: ${command}`;
    return answer.reads
      ? answer
      : `The running broker (state in ${folder}) does not read ${path}. To put the change in force in the broker that does: kill -HUP PID`;
  } catch (error) {
    if (error instanceof OperatorError)
      return `The running broker (state in ${folder}) has not read it: ${error.message}. To make it do so: ${command}`;
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return null; // of a socket: none runs there
    return `The running broker (state in ${folder}) has not read it: only root and the user of the broker may ask for that. To make it do so: ${command}`;
  }
}

/** Whoever owns the folder of a socket may answer anything. */
function asReloaded(answer: unknown): Reloaded | null {
  if (typeof answer !== 'object' || answer === null || !('reads' in answer && 'error' in answer && 'mistakes' in answer)) return null;
  const { reads, error, mistakes } = answer;
  const isKnown = typeof reads === 'boolean' && (error === null || typeof error === 'string') && Array.isArray(mistakes);
  const later = 'later' in answer && Array.isArray(answer.later) ? answer.later.map(String) : []; // earlier versions do not say it
  return isKnown ? { reads, error, mistakes: mistakes.map(String), later } : null;
}

function noBroker(file: string): string {
  return `No running broker was found. To put the change in force in a broker that reads ${file}: sudo systemctl reload midge (the service), or kill -HUP PID`;
}
