// The other end of control.ts: asks the broker that listens on a control socket. Root asks too, and the broker's user can put anything in its
// place: it is looked at first whose the socket is, its answer has an end, and its words have nothing in them that a terminal would obey.

import { lstatSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { visibleText } from '../logging/line.ts';
import { asOwner, foreignOwner } from '../state/as-owner.ts';

/** `midge why` lists up to a thousand sessions with all their subscriptions, which is megabytes. */
const MAX_ANSWER_BYTES = 32 * 1_048_576;

/** Refusal is what the broker says when it does not do what it is asked. */
export class Refusal extends OperatorError {
  /** One of FAILURE_REASONS, or that of another version; null = none was given. */
  readonly reason: string | null;

  constructor(message: string, reason: unknown) {
    super(message);
    this.reason = typeof reason === 'string' ? reason : null;
  }
}

/** askControl sends one request and gives its result. Throws Refusal for what the broker says, and OperatorError when its answer is too long, none or not whole `patience` milliseconds later; an Error of the system when it can't be asked. */
export async function askControl(path: string, request: object, patience: number): Promise<unknown> {
  const ask = () => exchange(path, `${JSON.stringify(request)}\n`, patience);
  const answer = parseAnswer(isForeign(path) ? await asOwner(dirname(path), ask) : await ask());
  if (!answer.ok) throw new Refusal(linesOf(answer.error ?? 'Cannot ask the broker'), answer.reason);
  return answer.result;
}

/** Root connects as the user of the folder, unless root's broker made the socket. Throws OperatorError when somebody else may have put it there. */
function isForeign(path: string): boolean {
  const folder = dirname(path);
  const socket = lstatSync(path, { throwIfNoEntry: false });
  if (socket === undefined) return false; // to connect says so
  const foreign = foreignOwner(folder);
  const trusted = foreign === null ? [0, process.geteuid?.(), statSync(folder).uid] : [0, foreign];
  if (!socket.isSocket() || !trusted.includes(socket.uid))
    throw new OperatorError(`Cannot ask the broker: "${path}" is not a socket of the user who owns the folder - remove it`);
  return foreign !== null && socket.uid !== 0;
}

function linesOf(error: unknown): string {
  return String(error).split('\n').map(visibleText).join('\n');
}

function exchange(path: string, line: string, patience: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    let left = MAX_ANSWER_BYTES;
    const giveUp = (reason: string) => socket.destroy(new OperatorError(`Cannot ask the broker: ${reason}`));
    const deadline = setTimeout(() => giveUp(`no answer within ${patience / 1000} s - look at its log`), patience);
    socket.once('close', () => clearTimeout(deadline));
    socket.once('error', reject);
    socket.once('connect', () => socket.write(line));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      left -= chunk.length;
      if (left < 0) giveUp(`its answer has more than ${MAX_ANSWER_BYTES / 1_048_576} MB - ask about one client, user or address`);
    });
    socket.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

interface Answer {
  readonly ok?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
  readonly reason?: unknown;
}

function parseAnswer(text: string): Answer {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) return answer;
  } catch {
    // said below
  }
  throw new OperatorError('Cannot ask the broker: it gave no whole answer - look at its log');
}
