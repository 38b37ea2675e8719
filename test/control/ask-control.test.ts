// Asking the control socket when who answers there is no broker of ours.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperatorError } from '../../src/base/errors.ts';
import { askControl } from '../../src/control/ask-control.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const PATIENT_MS = 60_000;

async function answerWith(context: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const path = join(temporaryFolder(context), 'control.sock');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.once('data', () => answer(socket));
  });
  server.listen(path);
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

function failsWith(pattern: RegExp) {
  return (error: unknown) => error instanceof OperatorError && pattern.test(error.message);
}

test('control answer is taken whole when it is long', async (context) => {
  const result = 'é'.repeat(2_000_000);
  const path = await answerWith(context, (socket) => socket.end(JSON.stringify({ ok: true, result })));
  assert.equal(await askControl(path, {}, PATIENT_MS), result);
});

test('control answer is given up when it does not end', async (context) => {
  const piece = 'x'.repeat(1_000_000);
  const path = await answerWith(context, (socket) => {
    const more = () => socket.write(piece, (error) => error == null && more());
    more();
  });
  await assert.rejects(askControl(path, {}, PATIENT_MS), failsWith(/^Cannot ask the broker: its answer has more than 32 MB/));
});

test('control answer is given up when it trickles in for longer than is waited', async (context) => {
  const path = await answerWith(context, (socket) => {
    const trickle = setInterval(() => socket.write(' '), 10);
    socket.once('close', () => clearInterval(trickle));
  });
  await assert.rejects(askControl(path, {}, 200), failsWith(/^Cannot ask the broker: no answer within 0\.2 s/));
});

for (const [what, text] of [
  ['nothing', ''],
  ['cut off', '{"ok": tr'],
  ['null', 'null'],
  ['a number', '1'],
] as const) {
  test(`control answer is refused when it is ${what}`, async (context) => {
    const path = await answerWith(context, (socket) => socket.end(text));
    await assert.rejects(askControl(path, {}, PATIENT_MS), failsWith(/^Cannot ask the broker: /));
  });
}
