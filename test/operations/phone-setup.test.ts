// What is missing before phones can be set up, told at once, with the lines of the configuration that bring it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenListener } from '../../src/operations/needs.ts';
import { boxWith, PLAIN } from './setup-box.ts';

const HERE: OpenListener = { ...PLAIN, addresses: ['127.0.0.1'] };
const PHONE = { person: 'jane' };

test('box without any port for phones tells both that are missing, with lines that open them', async () => {
  const ask = boxWith({ listeners: [HERE] });
  const { obstacles, hosts } = await ask('phone setup');
  assert.deepEqual(
    obstacles.map(({ kind, lines }: { kind: string; lines: string[] }) => [kind, lines]),
    [
      ['no TLS', ['listener 8883', 'secure true']],
      ['no pages', ['listener 8443', 'protocol http']],
    ],
  );
  assert.deepEqual(hosts, []);
  await assert.rejects(ask('add phone', PHONE), ({ message }: Error) => {
    assert.match(message, /^Cannot set phones up: no listener with TLS .* - add "listener 8883", "secure true" to the configuration$/m);
    assert.match(message, /^Cannot make a link for a phone: .* - add "listener 8443", "protocol http" to the configuration$/m);
    return true;
  });
});

test('lines for phones take the next port where another listener has the usual one', async () => {
  const at = (port: number): OpenListener => ({ ...HERE, name: String(port), port });
  const ask = boxWith({ listeners: [at(8883), at(8884), at(8443)] });
  const { obstacles } = await ask('phone setup');
  assert.deepEqual(
    obstacles.map(({ lines }: { lines: string[] }) => lines[0]),
    ['listener 8885', 'listener 8444'],
  );
});

test('lines for phones name the files of accounts and rules where each listener has its own', async () => {
  const ask = boxWith({ listeners: [HERE], isPerListener: true });
  const { obstacles } = await ask('phone setup');
  for (const { lines } of obstacles) assert.deepEqual(lines.slice(2), ['password_file /etc/midge/passwd', 'acl_file /etc/midge/acl']);
});

test('box without accounts and rules tells it beside the ports, and that no lines are enough', async () => {
  const ask = boxWith({ listeners: [HERE], files: { passwordFile: null, aclFile: null } });
  const { obstacles } = await ask('phone setup');
  assert.deepEqual(
    obstacles.map(({ kind, lines }: { kind: string; lines: string[] }) => [kind, lines.length]),
    [
      ['no TLS', 2],
      ['no pages', 2],
      ['no accounts', 0],
      ['no rules', 0],
    ],
  );
  await assert.rejects(ask('add phone', PHONE), /no listener with TLS.*names no password_file/s);
});

test('phone of HTTP mode lacks the listener of the pages only, at which it signs in', async () => {
  const ask = boxWith({ listeners: [HERE] });
  await assert.rejects(ask('add phone', { ...PHONE, use: 'owntracks-http' }), ({ message }: Error) => {
    assert.equal(message.match(/listener 8443/g)?.length, 1, message);
    assert.doesNotMatch(message, /8883/);
    return true;
  });
});
