// A client that is silent is heard of in time, and a server that is silent is missed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEEP_ALIVE_PARTS, KeepAlive } from '../../../src/broker/client/keep-alive.ts';

test('client says something within its keep alive, whenever it has said something last', () => {
  for (const answers of [true, false]) {
    for (let last = 0; last < 9; last++) {
      const keepAlive = new KeepAlive();
      let silence = 0;
      for (let part = 0; part < 40; part++) {
        if (part <= last && part % 2 === 0) {
          keepAlive.sent();
          keepAlive.heard();
          silence = 0; // at the beginning of the part, the worst of it
        }
        silence++;
        const next = keepAlive.next(false);
        if (next === 'silent') break;
        assert.ok(silence < KEEP_ALIVE_PARTS, `${silence} parts of silence after ${part} parts`);
        if (next !== 'ping') continue;
        silence = 0;
        keepAlive.sent();
        if (answers) keepAlive.heard();
      }
    }
  }
});

test('client that has only sent asks whether anybody is there, and misses a server that is silent', () => {
  const keepAlive = new KeepAlive();
  const said = Array.from({ length: 5 }, () => {
    keepAlive.sent();
    return keepAlive.next(false);
  });
  assert.deepEqual(said, [null, 'ping', null, null, 'silent']);
});

test('client that does not read misses nobody, and still says that it is there', () => {
  const keepAlive = new KeepAlive();
  const said = Array.from({ length: 20 }, () => {
    const next = keepAlive.next(true);
    if (next === 'ping') keepAlive.sent();
    return next;
  });
  assert.ok(!said.includes('silent'));
  assert.ok(said.filter((each) => each === 'ping').length >= 20 / KEEP_ALIVE_PARTS);
});
