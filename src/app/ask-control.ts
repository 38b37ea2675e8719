// The other end of control.ts: asks the broker that listens on a control socket.

import { connect } from 'node:net';
import { OperatorError } from '../base/errors.ts';

/** askControl sends one request and gives its result. Throws OperatorError for what the broker says, and an Error of the system when it can't be asked or is silent for `patience` milliseconds. */
export async function askControl(path: string, request: object, patience: number): Promise<unknown> {
  const answer = JSON.parse(await exchange(path, `${JSON.stringify(request)}\n`, patience)) as {
    ok: boolean;
    result?: unknown;
    error?: string;
  }; // our own program wrote it
  if (!answer.ok) throw new OperatorError(answer.error ?? 'Cannot ask the broker');
  return answer.result;
}

function exchange(path: string, line: string, patience: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(patience, () => socket.destroy(new Error(`no answer within ${patience / 1000} s`)));
    socket.once('error', reject);
    socket.once('connect', () => socket.write(line));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.once('end', () => resolve(text));
  });
}
