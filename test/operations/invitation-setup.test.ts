// What is missing before another box can be invited, told at once, with the lines of the configuration that bring it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ACCOUNTS, NO_RULES_FOR_GUESTS } from '../../src/operations/invitation-setup.ts';
import type { OpenListener } from '../../src/operations/needs.ts';
import { boxWith, PLAIN } from './setup-box.ts';

const SECURE: OpenListener = { ...PLAIN, name: '8883', port: 8883, tls: true, certificate: 'ours', takesOurCertificates: true };

const told = ({ kind, lines }: { readonly kind: string; readonly lines: readonly string[] }) => [kind, ...lines];

test('box without a port with TLS tells the lines that open one, and the invitation itself says the same', async () => {
  const ask = boxWith({ listeners: [PLAIN, { ...PLAIN, name: '8883', port: 8883 }], isPerListener: true });
  const { obstacles, hosts } = await ask('invitation setup');
  const files = ['password_file /etc/midge/passwd', 'acl_file /etc/midge/acl'];
  assert.deepEqual([obstacles.map(told), hosts], [[['no TLS', 'listener 8884', 'secure true', ...files]], []]);
  await assert.rejects(ask('invite bridge', { name: 'anna', topics: ['a both'] }), { message: obstacles[0].reason });
});

test('box whose ports with TLS all want a client certificate tells that, although a phone could use them', async () => {
  const { obstacles } = await boxWith({ listeners: [PLAIN, { ...SECURE, wantsCertificate: true }] })('invitation setup');
  assert.deepEqual(obstacles.map(told), [['certificates only', 'listener 8884', 'secure true']]);
  assert.match(obstacles[0].reason, /require_certificate true, and a box that is invited has a password - add "listener 8884" and/);
});

test('box with a port with TLS has no obstacle and tells its names, and wants one where only this machine reaches the port', async () => {
  const open = await boxWith({ listeners: [PLAIN, SECURE] })('invitation setup');
  assert.deepEqual([open.obstacles, open.needsHost, open.hosts[0]], [[], false, 'pi.example']);
  const near = await boxWith({ listeners: [PLAIN, { ...SECURE, addresses: ['127.0.0.1'] }] })('invitation setup');
  assert.deepEqual(near, { obstacles: [], hosts: [], needsHost: true });
});

test('box without accounts and rules tells it beside the port, and that no lines are enough', async () => {
  const { obstacles } = await boxWith({ listeners: [PLAIN], files: { passwordFile: null, aclFile: null } })('invitation setup');
  assert.deepEqual(
    obstacles.map(({ kind, reason, lines }: { kind: string; reason: string; lines: string[] }) => [kind, reason, lines.length]).slice(1),
    [
      ['no accounts', NO_ACCOUNTS, 0],
      ['no rules', NO_RULES_FOR_GUESTS, 0],
    ],
  );
});
