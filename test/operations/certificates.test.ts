// Certificates over the operations, on a real authority: what is issued lets a client in, and what is revoked puts it out.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { IDisconnectPacket } from 'mqtt';
import { BUILD_DATE, openAppliance } from '../app/test-appliance.ts';
import { configurationOf } from '../app/test-configuration.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { operationsOn } from './test-operations.ts';

const TEXT = 'listener 8883 127.0.0.1\nsecure true\nrequire_certificate true\nuse_identity_as_username true\nadvertise false\n';

async function open(context: TestContext) {
  const folder = temporaryFolder(context);
  const { appliance, state } = await openAppliance(context, folder, { configuration: configurationOf(folder, TEXT) });
  const ask = operationsOn({
    certificates: appliance.certificates,
    state: { path: state.path, database: state.database, certificates: state.certificates, isThere: true },
    program: { title: 'midge version 1', buildDate: BUILD_DATE, since: 0 },
  });
  return { ask, folder, port: appliance.listeners[0]?.port ?? 0 };
}

test('certificates show authority and server, and the authority is a file', async (context) => {
  const { ask } = await open(context);
  const { authority, server } = await ask('certificates', {}, 'viewer');
  assert.match(authority.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assert.match(authority.name, /^midge authority on /);
  assert.ok(server.names.includes('localhost'));
  assert.ok(authority.until > server.until);
});

test('client with an issued certificate is let in, and put out as soon as that is revoked', async (context) => {
  const { ask, port } = await open(context);
  const { certificate, file } = await ask('issue client certificate', { name: 'lamp', format: 'pem' });
  assert.deepEqual([certificate.name, certificate.state, file.name, file.password], ['lamp', 'valid', 'lamp.pem', null]);
  const pem = Buffer.from(file.content, 'base64').toString();
  const [cert = '', ca = ''] = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
  const client = await mqttClient(context, {
    host: 'localhost',
    port,
    protocol: 'mqtts',
    ca,
    cert,
    key: pem.slice(pem.indexOf('-----BEGIN PRIVATE')),
  });
  const farewell = new Promise<IDisconnectPacket>((resolve) => client.once('disconnect', resolve));
  await assert.rejects(ask('issue client certificate', { name: 'lamp' }), /it has one/);
  const { revoked } = await ask('revoke client certificate', { certificate: certificate.serial });
  assert.deepEqual([revoked.length, revoked[0].state], [1, 'revoked']);
  assert.equal((await farewell).reasonCode, 0x87);
  await assert.rejects(ask('revoke client certificate', { certificate: 'nobody' }), { reason: 'not found' });
});

test('certificate for a phone opens with its password, and the list has all in pages without keys', async (context) => {
  const { ask, folder } = await open(context);
  const { file } = await ask('issue client certificate', { name: 'Jane’s phone' });
  const path = join(folder, 'phone.p12');
  writeFileSync(path, Buffer.from(file.content, 'base64'));
  const text = execFileSync('openssl', ['pkcs12', '-in', path, '-passin', `pass:${file.password}`, '-nodes', '-legacy'], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  assert.equal(text.match(/BEGIN CERTIFICATE/g)?.length, 2);
  await ask('issue client certificate', { name: 'lamp', format: 'pem' });
  const page = await ask('client certificates', { limit: 1 }, 'viewer');
  assert.deepEqual([page.total, page.items.length], [2, 1]);
  const rest = await ask('client certificates', { limit: 1, cursor: page.cursor }, 'viewer');
  assert.deepEqual([page.items[0].name, rest.items[0].name, rest.cursor], ['Jane’s phone', 'lamp', null]);
  assert.doesNotMatch(JSON.stringify([page, rest]), /PRIVATE|BEGIN/);
  assert.equal((await ask('client certificates', { search: 'lam' })).total, 1);
  await assert.rejects(ask('issue client certificate', { name: 'a/b' }), /choose another name/);
});

test('certificates say why there are none', async () => {
  await assert.rejects(operationsOn({ certificates: null })('certificates'), { reason: 'not possible' });
  await assert.rejects(operationsOn({ certificates: null })('issue client certificate', { name: 'x' }), { reason: 'not possible' });
});
