// Wills where a broker was cut off, or stops before it knows what others have done for it: the clock is the test's.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { WILLS_VERSION, type WillCopy } from '../../src/cluster/will-words.ts';
import { Wills } from '../../src/cluster/wills.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { TestClock } from '../support/ports/test-clock.ts';

/** The will of a client of broker "a" with a delay of 30 seconds. */
const DELAYED: WillCopy = {
  ...{
    clientId: 'c',
    username: null,
    listener: '',
    version: 5,
    expiryInterval: 3600,
    topicName: 'will',
    payload: '',
    qos: 0,
    retain: false,
  },
  properties: Buffer.from('180000001e', 'hex').toString('base64'),
};
const ALIVE = { protocol: 1, id: 'a', version: '0', revision: 1, retained: '' };

async function scene(t: TestContext) {
  const clock = new TestClock();
  const { broker, stop } = await startTestBroker({ clock, holdsWills: true });
  t.after(stop);
  const said: string[] = [];
  broker.tree.addListener('will', ({ topic }) => said.push(topic));
  const nobody = {
    id: 'b',
    known: () => [],
    heard: () => [],
    mayBeThere: () => [],
    ask: () => Promise.reject(new Error('nobody is there')),
    carry: async () => false,
  };
  const wills = new Wills({ broker, clock, log: silentLogger, run: '1', neighbours: nobody, tell: () => {} });
  wills.connected();
  wills.heard({ ...ALIVE, run: '1' });
  wills.hear(Buffer.from(JSON.stringify({ v: WILLS_VERSION, id: 'a', run: '1', begins: true, set: [DELAYED], gone: [] })));
  const pass = (seconds: number) => {
    clock.advance(seconds * 1000);
    wills.beat();
    broker.wheel.advance();
  };
  return { broker, wills, said, pass };
}

test('cluster leaves the delayed wills of a broker that was only cut off to that broker', async (t) => {
  for (const [run, expected] of [
    ['1', []],
    ['2', ['will']],
  ] as const) {
    const { wills, said, pass } = await scene(t);
    pass(7);
    wills.heard({ ...ALIVE, run });
    pass(60);
    assert.deepEqual(said, expected, `run ${run}`);
  }
});

test('cluster that ends before it could ask about wills from before a restart says none', async (t) => {
  const { broker, wills } = await scene(t);
  const finished: boolean[] = [];
  broker.heldWills?.hold('c', (isSaid) => finished.push(isSaid));
  wills.start();
  wills.stop();
  assert.deepEqual(finished, []);
});
