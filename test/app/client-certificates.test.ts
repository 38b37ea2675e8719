// Clients of every kind with certificates of the appliance's own authority: let in, revoked, of another authority, without one.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { connectAsync, type IDisconnectPacket } from 'mqtt';
import { createAppliance } from '../../src/app/app.ts';
import { StateFolder } from '../../src/app/state-folder.ts';
import { ClientRegister } from '../../src/certificates/client-certificates.ts';
import { keyToPem } from '../../src/certificates/mint.ts';
import { missing } from '../cli/run-midge.ts';
import { recordingLog } from '../support/recording-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type TestPair, testAuthority } from '../support/test-certificates.ts';
import { configurationOf } from './test-configuration.ts';

const BUILD_DATE = Date.parse('2026-01-01');
const TEXT = 'listener 8883 127.0.0.1\nsecure true\nrequire_certificate true\nuse_identity_as_username true\nadvertise false\n';

const noMosquitto = missing(['mosquitto_pub'], 'mosquitto-clients');
const noOpenssl = missing(['openssl'], 'openssl');

let strange: TestPair;

before(async () => {
  strange = await (await testAuthority('CN=Stranger')).issue('CN=lamp');
});

async function open(context: TestContext) {
  const folder = temporaryFolder(context);
  const state = new StateFolder(join(folder, 'state'), 'midge.db');
  const log = recordingLog();
  const setup = { log, state, keepsSessions: false, title: 'midge version 0', buildDate: BUILD_DATE, selfTest: null };
  const appliance = createAppliance({ ...setup, configuration: configurationOf(folder, TEXT) });
  context.after(() => appliance.stop());
  await appliance.start();
  const register = await ClientRegister.open(state.certificates);
  const issue = async (name: string): Promise<TestPair> => {
    const { certificate, key } = await register.issue(name, { now: Date.now(), buildDate: BUILD_DATE });
    return { cert: certificate.cert, key: keyToPem(key) };
  };
  const reasons = () => appliance.refusals.list(null).map(({ reason }) => reason);
  return { appliance, folder, log, register, issue, reasons, ca: register.authority.cert, port: appliance.listeners[0]!.port };
}

type House = Awaited<ReturnType<typeof open>>;

async function mqttClient(context: TestContext, { port, ca }: House, pair: Partial<TestPair>) {
  const client = await connectAsync({ host: 'localhost', port, protocol: 'mqtts', protocolVersion: 5, reconnectPeriod: 0, ca, ...pair });
  client.on('error', () => {});
  context.after(() => client.endAsync(true));
  return client;
}

test('MQTT.js is let in with a certificate of the appliance, and put out when that is revoked', async (context) => {
  const house = await open(context);
  const client = await mqttClient(context, house, await house.issue('lamp'));
  const other = await mqttClient(context, house, await house.issue('other'));
  assert.deepEqual(Array.from(house.appliance.broker.connections, ({ session }) => session?.username).toSorted(), ['lamp', 'other']);
  const farewell = new Promise<IDisconnectPacket>((resolve) => client.once('disconnect', resolve));
  await house.register.revoke('lamp', Date.now());
  assert.equal((await farewell).reasonCode, 0x87);
  await other.publishAsync('a', 'still there', { qos: 1 });
});

/** run plays a program to its end, and gives its exit status. */
async function run(program: string, words: readonly string[]): Promise<number | null> {
  const child = spawn(program, words, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(Buffer.from('101000044d5154540402003c000474657374e000', 'hex')); // CONNECT of MQTT 3.1.1 as "test", DISCONNECT
  const [status] = (await once(child, 'close')) as [number | null]; // the event's first argument
  return status;
}

function files(folder: string, pair: Partial<TestPair>, ca: string) {
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return { ca: write('ca.crt', ca), words: Object.entries(pair).flatMap(([name, text]) => [name, write(`client.${name}`, text)]) };
}

const PROGRAMS = [
  {
    program: 'mosquitto_pub',
    skip: noMosquitto,
    words: (port: number, ca: string, pair: string[]) => [
      '-h',
      'localhost',
      '-p',
      `${port}`,
      '--cafile',
      ca,
      '-t',
      'a',
      '-m',
      'b',
      ...pair.map((word) => (word === 'cert' || word === 'key' ? `--${word}` : word)),
    ],
  },
  {
    program: 'openssl',
    skip: noOpenssl,
    words: (port: number, ca: string, pair: string[]) => [
      's_client',
      '-connect',
      `localhost:${port}`,
      '-CAfile',
      ca,
      '-quiet',
      '-verify_return_error',
      ...pair.map((word) => (word === 'cert' || word === 'key' ? `-${word}` : word)),
    ],
  },
];

for (const { program, skip, words } of PROGRAMS) {
  test(`${program} is let in or turned away by its certificate, and the broker remembers why`, { skip }, async (context) => {
    const house = await open(context);
    const good = await house.issue('lamp');
    const lost = await house.issue('lost');
    const play = (pair: Partial<TestPair>) => {
      const { ca, words: paths } = files(house.folder, pair, house.ca);
      return run(program, words(house.port, ca, paths));
    };
    await house.register.revoke('lost', Date.now());
    await house.log.line(/is revoked\.$/);
    await play(good);
    await house.log.line(/^New client connected from .* as .* \(.*u'lamp'\)/);
    await play(lost);
    await house.log.line(/its client certificate is revoked/);
    await play(strange);
    await house.log.line(/client certificate not accepted/);
    await play({});
    await house.log.line(/it sent no client certificate/);
    assert.deepEqual(
      house
        .reasons()
        .map((reason) => reason.replace(/^failed the TLS handshake: /, '').replace(/ \(.*/, ''))
        .toReversed(),
      ['its client certificate is revoked', 'client certificate not accepted', 'it sent no client certificate'],
    );
  });
}
