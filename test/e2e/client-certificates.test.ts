// Programs that people use, with client certificates of every kind at the running program: what each hears, and what `midge why` says of it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectAsync } from 'mqtt';
import { ClientRegister } from '../../src/certificates/client-certificates.ts';
import { issueClient, keyToPem, makeKey } from '../../src/certificates/issue.ts';
import type { Reasons } from '../../src/operations/why.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { missing, runForeign } from '../support/process/foreign-program.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';

const CONFIGURATION = `bind_address 127.0.0.1
secure true
require_certificate true
use_identity_as_username true
persistence true
advertise false
`;

/** Certificate that a client shows: files in PEM; null = none. */
type Shown = { readonly cert: string; readonly key: string } | null;

interface House {
  readonly port: number;
  /** PEM file of the broker's authority. */
  readonly ca: string;
}

/** A program dials with a certificate and tells whether the broker accepted its CONNECT. */
interface Program {
  readonly name: string;
  readonly skip: string | false;
  dial(house: House, shown: Shown): Promise<boolean>;
}

/** CONNECT of MQTT 3.1.1 as "test", and its answer when it is accepted. */
const CONNECT = Buffer.from('101000044d5154540402003c000474657374', 'hex');
const ACCEPTED = Buffer.from('20020000', 'hex');
const DISCONNECT = Buffer.from('e000', 'hex');

const PROGRAMS: readonly Program[] = [
  {
    name: 'openssl s_client',
    skip: missing(['openssl'], 'openssl'),
    async dial({ port, ca }, shown) {
      const pair = shown === null ? [] : ['-cert', shown.cert, '-key', shown.key];
      const words = ['s_client', '-connect', `localhost:${port}`, '-4', '-CAfile', ca, '-verify_return_error', '-quiet', ...pair];
      const { stdout, stderr } = await runForeign('openssl', words, { stdin: Buffer.concat([CONNECT, DISCONNECT]) });
      if (shown === null) assert.match(stderr, /alert certificate required/);
      return stdout.includes(ACCEPTED);
    },
  },
  {
    name: 'mosquitto_pub',
    skip: missing(['mosquitto_pub'], 'mosquitto-clients'),
    async dial({ port, ca }, shown) {
      const pair = shown === null ? [] : ['--cert', shown.cert, '--key', shown.key];
      const words = ['-h', 'localhost', '-p', `${port}`, '--cafile', ca, '-i', 'test', '-q', '1', '-t', 'a', '-m', 'b', ...pair];
      const { status, stderr } = await runForeign('mosquitto_pub', words);
      assert.equal(stderr === '', status === 0, stderr);
      return status === 0;
    },
  },
  {
    name: 'MQTT.js',
    skip: false,
    async dial({ port, ca }, shown) {
      const pair = shown === null ? {} : { cert: readFileSync(shown.cert), key: readFileSync(shown.key) };
      const options = { clientId: 'test', reconnectPeriod: 0, ca: readFileSync(ca), ...pair };
      try {
        const client = await connectAsync(`mqtts://localhost:${port}`, options, false);
        await client.endAsync();
        return true;
      } catch {
        return false;
      }
    },
  },
];

for (const { name, skip, dial } of PROGRAMS) {
  test(`${name} is let in or turned away by its client certificate, and midge why names the reason`, { skip }, async (context) => {
    const { port, state, folder, issue, ca } = await house(context);
    const [good, lost] = [await issue('lamp'), await issue('lost')];
    assert.equal((await runMidge(folder, ['cert', 'revoke', 'lost', '--state', state.path])).status, 0);
    await state.broker.line(/is revoked\.$/);
    const kinds: readonly (readonly [string, Shown, boolean, string])[] = [
      ['accepted', good, true, ''],
      ['revoked', lost, false, 'its client certificate "lost" is revoked'],
      ['expired', await expired(folder, state.path), false, 'its client certificate "old" expired on 2026-01-31'],
      [
        'wrong authority',
        await strange(folder),
        false,
        'its client certificate "lamp" is issued by "Stranger", an authority that this broker does not trust',
      ],
      ['none', null, false, 'it sent no client certificate'],
    ];
    for (const [kind, shown, isAccepted] of kinds) assert.equal(await dial({ port, ca }, shown), isAccepted, kind);
    await state.broker.line(/New client connected from 127\.0\.0\.1:\d+ as test .* u'lamp'\)/);
    const { stdout } = await runMidge(folder, ['why', '--json', '--state', state.path]);
    const { refusals } = JSON.parse(stdout) as Reasons; // the program's own
    assert.deepEqual(
      refusals.toReversed().map(({ reason, listenerPort, advice, address }) => [reason, listenerPort, advice !== null, address]),
      kinds.slice(1).map(([, , , reason]) => [`failed the TLS handshake: ${reason}`, port, true, '127.0.0.1']),
    );
  });
}

test('nobody with another certificate takes over the session of a user whom a certificate names', async (context) => {
  const { port, issue, ca, state } = await house(context);
  const come = async (shown: Shown, clean: boolean) => {
    const pair = { cert: readFileSync(shown!.cert), key: readFileSync(shown!.key) }; // `issue` gives one
    const options = { clientId: 'shared', clean, reconnectPeriod: 0, ca: readFileSync(ca), ...pair };
    return connectAsync(`mqtts://localhost:${port}`, options, false);
  };
  const [alice, bob] = [await issue('alice'), await issue('bob')];
  const first = await come(alice, false);
  await first.subscribeAsync('news', { qos: 1 });
  await first.endAsync();
  await assert.rejects(come(bob, true), /Identifier rejected/);
  await state.broker.line(/Client shared \[.*\] disconnected: the client id belongs to another user\./);
  const again = await come(alice, false);
  const message = new Promise<Buffer>((resolve) => again.once('message', (_topicName, payload) => resolve(payload)));
  await again.publishAsync('news', 'kept', { qos: 1 });
  assert.equal(String(await message), 'kept');
  await again.endAsync();
});

/** house starts a broker that asks for certificates of its own authority. */
async function house(context: TestContext) {
  const folder = temporaryFolder(context);
  const path = join(folder, 'state/midge');
  const conf = join(folder, 'midge.conf');
  writeFileSync(conf, CONFIGURATION);
  const broker = startMidge(context, folder, ['serve', '-c', conf, '-p', '0', '--state', path]);
  const port = await openPort(broker);
  const issue = async (name: string): Promise<Shown> => {
    const { status, stderr } = await runMidge(folder, ['cert', 'client', name, '--out', folder, '--state', path]);
    assert.equal(status, 0, stderr);
    return { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  };
  return { folder, port, issue, ca: join(path, 'certificates/ca.crt'), state: { path, broker } };
}

/** A certificate of the appliance's authority whose days are over. */
async function expired(folder: string, state: string): Promise<Shown> {
  const { authority } = await ClientRegister.open(join(state, 'certificates'));
  const key = makeKey();
  const validity = { notBefore: Date.parse('2025-01-01'), notAfter: Date.parse('2026-01-31') };
  const cert = await issueClient({ issuer: authority, key, commonName: 'old', validity });
  return write(folder, 'old', { cert, key: keyToPem(key) });
}

async function strange(folder: string): Promise<Shown> {
  return write(folder, 'strange', await (await testAuthority('CN=Stranger')).issue('CN=lamp'));
}

function write(folder: string, name: string, { cert, key }: { cert: string; key: string }): Shown {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}
