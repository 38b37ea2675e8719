// Logins that are held back: listed, and let go by an administrator.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownLogins } from '../../src/access/known-logins.ts';
import { LoginThrottle } from '../../src/access/login-throttle.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { operationsOn } from './test-operations.ts';

test('end hold ends the one that is named, for an administrator', async () => {
  const log = recordingLog();
  const throttle = new LoginThrottle({ enabled: true, exempt: [] }, { clock: new TestClock(), log, known: new KnownLogins(null, log) });
  const ask = operationsOn({ throttle });
  for (let index = 0; index < 3; index++) for (const username of ['lamp', 'jane']) throttle.failed('192.0.2.1', username);
  const lamp = { address: '192.0.2.1', username: 'lamp' };
  await assert.rejects(ask('end hold', lamp, 'operator'), { reason: 'not allowed' });
  await assert.rejects(ask('end hold', {}), { reason: 'bad input', message: /its address, its user name or both/ });
  assert.deepEqual(await ask('end hold', { username: 'lamp' }), { ended: false }, 'that of an address is another one');
  assert.deepEqual(await ask('end hold', lamp), { ended: true });
  assert.deepEqual(await ask('end hold', lamp), { ended: false });
  assert.deepEqual(
    (await ask('throttle')).map(({ username }: { username: string }) => username),
    ['jane'],
  );
});
