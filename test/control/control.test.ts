// The control socket: who may open it, what it answers, and what it does about one that was left behind.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as streamText } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { OperatorError } from '../../src/base/errors.ts';
import { createControl } from '../../src/control/control.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { closed } from '../support/network/closed.ts';
import { recordingLog } from '../support/ports/recording-log.ts';

type Handlers = Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => unknown>>;

/** What each name answers. */
function answering(handlers: Handlers) {
  return {
    run: async (name: string, input: unknown) => {
      const handler = handlers[name] ?? assert.fail(`"${name}" was asked for`);
      return handler(input as Readonly<Record<string, unknown>>);
    },
  };
}

async function open(context: TestContext, handlers: Handlers = {}) {
  const path = join(temporaryFolder(context), 'control.sock');
  const log = recordingLog();
  const control = createControl({ path, operations: answering(handlers), log });
  await control.start();
  context.after(() => control.stop());
  return { path, control, log };
}

async function ask(path: string, text: string): Promise<unknown> {
  const socket = connect(path);
  socket.setEncoding('utf8');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.write(text);
  await once(socket, 'end');
  return JSON.parse(answer);
}

test('control socket answers a request by its name, and its owner alone may open it', async (context) => {
  const { path } = await open(context, { add: async ({ a, b }) => Number(a) + Number(b), nothing: () => undefined });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(await ask(path, '{"request": "add", "a": 1, "b": 2}\n'), { ok: true, result: 3 });
  assert.deepEqual(await ask(path, '{"request": "nothing"}\n'), { ok: true, result: null });
});

test('control socket takes a request with a large file in it', async (context) => {
  const { path } = await open(context, { measure: ({ file }) => String(file).length });
  const file = '"'.repeat(262_144); // as long as an .otrw file may be, and twice that in JSON
  assert.deepEqual(await ask(path, `${JSON.stringify({ request: 'measure', file })}\n`), { ok: true, result: 262_144 });
});

test('control socket answers who has said all there is to say, when the answer takes a while', async (context) => {
  const { path } = await open(context, { wait: () => pause(50, 'done') });
  const socket = connect(path);
  socket.end('{"request": "wait"}\n');
  assert.deepEqual(JSON.parse(await streamText(socket)), { ok: true, result: 'done' });
});

test('control socket tells what is wrong when a request is', async (context) => {
  const { path, log } = await open(context, {
    refuse: () => {
      throw new OperatorError('Cannot do it: no');
    },
    fail: () => Promise.reject(new Error('a mistake of ours')),
  });
  const unreadable = { ok: false, error: 'Cannot read the request: it must be one line of JSON' };
  for (const text of ['what?\n', '[]\n', '{}\n', '{"request": 1}\n', `${'x'.repeat(1_100_000)}`])
    assert.deepEqual(await ask(path, text), unreadable);
  assert.deepEqual(await ask(path, '{"request": "refuse"}\n'), { ok: false, error: 'Cannot do it: no' });
  assert.deepEqual(log.lines, []);
  assert.deepEqual(await ask(path, '{"request": "fail"}\n'), { ok: false, error: 'a mistake of ours' });
  assert.equal(log.lines.length, 1);
});

test('control socket takes the place of one that nobody listens to, and not of a live one', async (context) => {
  const path = join(temporaryFolder(context), 'control.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  assert.ok(existsSync(path), 'a dead socket lies there');
  const control = createControl({ path, operations: answering({ hello: () => 'hello' }), log: recordingLog() });
  await control.start();
  assert.deepEqual(await ask(path, '{"request": "hello"}\n'), { ok: true, result: 'hello' });
  const second = createControl({ path, operations: answering({}), log: recordingLog() });
  await assert.rejects(second.start(), /another broker listens there/);
  await second.stop();
  assert.deepEqual(await ask(path, '{"request": "hello"}\n'), { ok: true, result: 'hello' });
  await control.stop();
  assert.ok(!existsSync(path), 'a stopped one is gone');
});

test('control socket ends a caller that says nothing more when it stops', async (context) => {
  const { path, control } = await open(context);
  const socket = connect(path).on('error', () => {});
  await once(socket, 'connect');
  socket.write('{"request"');
  const ended = closed(socket);
  await control.stop();
  await ended;
});

test('control socket names the path when it cannot be made', async (context) => {
  const path = join(temporaryFolder(context), 'missing', 'control.sock');
  await assert.rejects(
    createControl({ path, operations: answering({}), log: recordingLog() }).start(),
    /Cannot open control socket ".*missing/,
  );
});
