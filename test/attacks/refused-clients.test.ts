// Clients that are refused by the thousand, with no account: the log stays short, and tells of everybody.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { attackObstacle, startAttacked } from './attacked-broker.ts';

const ATTACKER = '127.0.10.1';
const COUNT = 4000;

test('4,000 refused logins under new names write under 100 KB of log, and hide no other client', {
  skip: attackObstacle({ limited: false }),
}, async (t) => {
  const broker = await startAttacked(t, { configuration: 'listener {port} 127.0.0.1\nusername jane\npassword secret\n' });
  const before = bytesOf(broker.process.lines);
  for (let done = 0; done < COUNT; done += 200) {
    await Promise.all(Array.from({ length: 200 }, (_, index) => refused(t, broker.port, ATTACKER, `${done + index}-`.padEnd(200, 'x'))));
  }
  await refused(t, broker.port, '127.0.10.2', 'heater');
  await broker.process.line(/Client heater \[127\.0\.10\.2:\d+\] disconnected: not authorised\.$/);
  await broker.process.end();
  const written = bytesOf(broker.process.lines) - before;
  assert.ok(written < 100_000, `${written} bytes of log`);
  const summaries = broker.process.lines.filter((line) => line.includes(`From ${ATTACKER}: `));
  const pattern = /: (\d+) more lines in \d+ s about clients that have not signed in, of 100 or more names\. The last: /;
  const more = summaries.reduce((sum, line) => sum + Number(pattern.exec(line)?.[1]), 0);
  const told = broker.process.lines.filter((line) => /Client \d+-/.test(line)).length - 1;
  assert.ok(told + more >= COUNT, `${told} clients are in the log, ${more} in ${summaries.join()}`);
});

/** refused sends a CONNECT without a user name, and waits until the broker has hung up. */
async function refused(test: TestContext, port: number, from: string, clientId: string): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  test.after(() => socket.destroy());
  socket.resume();
  socket.end(hex(connectTemplate({ clientId, keepAlive: 60 }), 4));
  await once(socket, 'close');
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0);
}
