// Program for tests: announces the listeners given as JSON until SIGTERM, without the rest of the broker.
// Usage: node advertise.ts '{"hostName": "...", "name": null, "listeners": [...]}'. Its log goes to stdout.

import { networkInterfaces } from 'node:os';
import { logTypeSet } from '../../../src/base/logger.ts';
import { createAdvertiser } from '../../../src/discovery/discovery.ts';
import type { AdvertisedListener } from '../../../src/discovery/options.ts';

interface Subject {
  readonly hostName: string;
  readonly name: string | null;
  readonly listeners: readonly AdvertisedListener[];
}

const subject = JSON.parse(process.argv[2] ?? '{}') as Subject; // written by a test
const advertiser = createAdvertiser({
  options: { advertise: true, name: subject.name },
  listeners: () => subject.listeners,
  hostName: subject.hostName,
  machine: { vendor: 'Made-up Works', model: 'Model 1' },
  caFingerprint: '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
  addresses: () =>
    Object.values(networkInterfaces())
      .flatMap((entries = []) => entries)
      .filter((entry) => !entry.internal)
      .map((entry) => entry.address),
  log: { enabled: logTypeSet(['notice', 'warning']), log: (_type, line) => console.log(line) },
});
process.once('SIGTERM', async () => {
  clearInterval(alive);
  await advertiser.stop();
  console.log('stopped');
});
const alive = setInterval(() => {}, 60_000); // the broker's sockets would keep the process alive
void advertiser.start();
