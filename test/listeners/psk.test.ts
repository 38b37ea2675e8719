// TLS with pre-shared keys.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { readPskFile } from '../../src/listeners/psk-file.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { closed } from '../support/network/closed.ts';
import { missing, runForeign } from '../support/process/foreign-program.ts';
import { openListener, TLS } from './test-listener.ts';

const KEY = '00112233445566778899aabbccddeeff';
const noMosquitto = missing(['mosquitto_pub'], 'mosquitto-clients');

async function open(context: TestContext, text = `# keys\nlamp:${KEY}\n`) {
  const file = join(temporaryFolder(context), 'psk');
  writeFileSync(file, text, { mode: 0o600 });
  const tls = { ...TLS, certificate: null, identity: 'common name', psk: { file, hint: 'home' } } as const;
  return { ...(await openListener(context, { tls })), file };
}

function dial(port: number, identity: string, hex: string, version: 'TLSv1.2' | 'TLSv1.3', hints: (string | null)[] = []) {
  const options: ConnectionOptions = {
    port,
    host: '127.0.0.1',
    ciphers: 'TLS_AES_128_GCM_SHA256:PSK',
    minVersion: version,
    maxVersion: version,
    checkServerIdentity: () => undefined,
    pskCallback: (hint) => {
      hints.push(hint);
      return { psk: Buffer.from(hex, 'hex'), identity };
    },
  };
  return connect(options).on('error', () => {});
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`PSK listener takes the identity of the key as user name when a client uses ${version}`, async (context) => {
    const { listener, next } = await open(context);
    const client = dial(listener.port, 'lamp', KEY, version);
    const { stream, origin } = await next();
    assert.deepEqual([origin.identity, origin.tls?.version], ['lamp', version]);
    client.write('hello');
    assert.equal(String((await once(stream, 'data'))[0]), 'hello');
    client.destroy();
  });

  test(`PSK listener refuses a wrong key and an unknown identity when a client uses ${version}`, async (context) => {
    const { listener, log, refusals } = await open(context);
    await closed(dial(listener.port, 'lamp', 'ff', version).resume());
    await log.line(/failed the TLS handshake: its pre-shared key is another one\.$/);
    await closed(dial(listener.port, 'stranger', KEY, version).resume());
    await log.line(/failed the TLS handshake: its identity is not in psk_file\.$/);
    assert.deepEqual(
      refusals.map(({ cause }) => cause),
      ['tls', 'tls'],
    );
  });
}

test('PSK listener identifies the users whose keys are in force, and none when keys name nobody', async (context) => {
  const { listener, file } = await open(context);
  assert.deepEqual([listener.identifies('lamp'), listener.identifies('stranger')], [true, false]);
  writeFileSync(file, `stranger:${KEY}\n`);
  await listener.replaceCertificate();
  assert.deepEqual([listener.identifies('lamp'), listener.identifies('stranger')], [false, true]);
  const tls = { ...listener.options.tls!, identity: 'none' } as const; // `open` gave it one
  (await listener.prepare({ ...listener.options, tls }))();
  assert.equal(listener.identifies('stranger'), false);
});

test('PSK listener gives its hint when a client uses TLS 1.2', async (context) => {
  const { listener, next } = await open(context);
  const hints: (string | null)[] = [];
  const client = dial(listener.port, 'lamp', KEY, 'TLSv1.2', hints);
  await next();
  assert.deepEqual(hints, ['home']);
  client.destroy();
});

test('PSK listener gives a connection up on review when its key was taken out of the file', async (context) => {
  const { listener, next, file } = await open(context);
  const client = dial(listener.port, 'lamp', KEY, 'TLSv1.3');
  const { origin } = await next();
  assert.notEqual(origin.review?.(), null);
  writeFileSync(file, `other:${KEY}\n`);
  await listener.replaceCertificate();
  assert.equal(origin.review?.(), null);
  client.destroy();
});

test('PSK file is refused with all its mistakes, and without a key', async (context) => {
  const file = join(temporaryFolder(context), 'psk');
  writeFileSync(file, `lamp:${KEY}\nlamp:${KEY}\nnothing\ndoor:12secret\n`);
  assert.throws(
    () => readPskFile(file),
    (error: Error) => {
      assert.deepEqual(error.message.replaceAll(file, 'psk').split('\n'), [
        'psk:2: Cannot read pre-shared key of "lamp": the file has it twice',
        'psk:3: Cannot read pre-shared key: the line is not identity:key',
        'psk:4: Cannot read pre-shared key of "door": it is not hexadecimal, two digits a byte',
      ]);
      return true;
    },
  );
});

test('PSK listener serves mosquitto_pub --psk', { skip: noMosquitto }, async (context) => {
  const { listener, next, log } = await open(context);
  const words = ['-h', '127.0.0.1', '-p', `${listener.port}`, '-t', 'a', '-m', 'b', '--psk-identity', 'lamp'];
  const good = runForeign('mosquitto_pub', [...words, '--psk', KEY]);
  const { stream, origin } = await next();
  assert.equal(origin.identity, 'lamp');
  assert.equal((await once(stream, 'data'))[0][0], 0x10, 'CONNECT');
  stream.destroy();
  await good;
  await runForeign('mosquitto_pub', [...words, '--psk', '1234']);
  await log.line(/its pre-shared key is another one/);
});
