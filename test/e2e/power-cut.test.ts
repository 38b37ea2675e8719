// The program is killed again and again, at work and while it starts: what it has acknowledged is there.
//
// MIDGE_POWER_CUTS=1000 kills more often. Kills within checkpoints, and cuts that take along what was not synced, are in test/e2e/power-cut-disk.test.ts.

import { test } from 'node:test';
import { MortalBroker } from '../support/mortal-broker.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const KILLS = Number(process.env['MIDGE_POWER_CUTS'] ?? 60);

/** Lives in which the session that is mostly away comes to take its messages. */
const VISIT_EVERY = 4;

test(`midge has everything it acknowledged when it is killed ${KILLS} times`, async (t) => {
  const broker = new MortalBroker(t, temporaryFolder(t));
  await broker.warmUp();
  for (let life = 1; life <= KILLS; life++) {
    const moment = life % 6 === 0 ? 'start' : 'acknowledgements';
    await broker.live({ moment, isVisited: life % VISIT_EVERY === 1, isShaken: life % 3 === 0 });
  }
  await broker.finish();
  broker.check();
  t.diagnostic(broker.summary());
});
