// Wrong logins from many addresses, with no account: they neither lock a user out nor keep one waiting who has signed in before.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { hashPassword } from '../../src/access/password-hash.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { type AttackedBroker, attackObstacle, startAttacked } from './attacked-broker.ts';
import { until } from './flood.ts';

const BAD_LOGIN = 5; // CONNACK of 3.1.1, 3.2.2.3
const CONFIGURATION = 'listener {port} 127.0.0.1\npassword_file {folder}/accounts\npersistence true\nuser root\n';

test('a user signs in from a new address after 8 addresses have guessed 19 times each', {
  skip: attackObstacle({ limited: false }),
}, async (t) => {
  const broker = await startGuarded(t);
  for (let address = 1; address <= 8; address++) {
    const guesses = Array.from({ length: 19 }, () => login(t, broker.port, `127.0.6.${address}`, 'jane', 'wrong'));
    assert.deepEqual((await Promise.all(guesses)).includes(0), false);
  }
  assert.equal(await login(t, broker.port, '127.0.6.99', 'jane', 'secret'), 0);
});

test('a device that has signed in before a restart waits for none of 400 addresses that guess', {
  skip: attackObstacle({ limited: false }),
}, async (t) => {
  const first = await startGuarded(t);
  assert.equal(await login(t, first.port, '127.0.7.1', 'jane', 'secret'), 0);
  await first.process.end();
  const broker = await startGuarded(t, first.folder);
  let answered = 0;
  for (let index = 0; index < 400; index++) {
    void login(t, broker.port, `127.0.${8 + (index >> 7)}.${1 + (index & 127)}`, `user${index}`, 'wrong').then(() => answered++, ignore);
  }
  await until('the first of them is answered', () => answered > 0);
  const before = answered;
  assert.equal(await login(t, broker.port, '127.0.7.1', 'jane', 'secret'), 0);
  const meanwhile = answered - before;
  assert.ok(meanwhile < 40, `${meanwhile} wrong logins were answered before the right one`);
});

async function startGuarded(test: TestContext, folder?: string): Promise<AttackedBroker> {
  return startAttacked(test, { configuration: CONFIGURATION, files: { accounts: `jane:${await hashPassword('secret')}\n` } }, folder);
}

/** login signs in by MQTT 3.1.1 and gives the return code of CONNACK. */
function login(test: TestContext, port: number, from: string, username: string, password: string): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  test.after(() => socket.destroy());
  socket.write(hex(connectTemplate({ clientId: '', username, password, keepAlive: 60 }), 4));
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes[3] ?? BAD_LOGIN);
      socket.destroy();
    });
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}

function ignore(): void {}
