// What OwnTracks Recorder expects of the broker beside it, by its documented defaults: a kept session of QoS 2 on owntracks/# at localhost:1883, and port 8083 left to it.
//
// The Recorder itself is not run: Debian 12 has no package of it, nor has npm. Debian's mosquitto_sub takes its place, as both are clients of libmosquitto.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { loadConfiguration } from '../../../src/config/config.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { missing, runForeign } from '../../support/process/foreign-program.ts';
import { openPort, startMidge } from '../../support/process/midge-process.ts';

/** Port of the Recorder's web pages. */
const RECORDER_PORT = 8083;

test('midge leaves the port of OwnTracks Recorder alone when nobody has named ports', () => {
  for (const lan of [false, true]) {
    const { configuration } = loadConfiguration({ file: null, port: null, verbose: false, lan });
    const ports = configuration?.listeners.map(({ port }) => port) ?? [];
    assert.ok(ports.includes(1883), `it listens on ${ports}`);
    assert.ok(!ports.includes(RECORDER_PORT), `it listens on ${ports}`);
  }
});

const skip = missing(['mosquitto_sub'], 'mosquitto-clients');

test('a Recorder gets each location once, also what came while it was away', { skip }, async (context) => {
  const port = await openPort(startMidge(context, temporaryFolder(context), ['serve', '-p', '0']));
  const recorder = (...more: string[]) => {
    const words = ['-p', String(port), '-i', 'ot-RECORDER-pi-1', '-c', '-q', '2', '-t', 'owntracks/#', '-W', '20', '-v', ...more];
    return runForeign('mosquitto_sub', ['-h', '127.0.0.1', ...words]);
  };
  assert.equal((await recorder('-E')).status, 0);
  const phone = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4, clientId: 'phone', clean: false });
  context.after(() => phone.endAsync(true));
  const expected: string[] = [];
  for (const [n, qos] of ([1, 1, 2, 1] as const).entries()) {
    const location = JSON.stringify({ _type: 'location', lat: 48.1, lon: 11.5, tst: n });
    await phone.publishAsync('owntracks/jane/phone', location, { qos, retain: true });
    expected.push(`owntracks/jane/phone ${location}`);
  }
  expected.push(expected.at(-1) ?? ''); // the last one is retained: it comes again with the new SUBSCRIBE
  const { stdout, stderr, status } = await recorder('-C', '5');
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.toString().trimEnd().split('\n').sort(), expected);
});
