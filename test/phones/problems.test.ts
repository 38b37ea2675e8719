// What goes wrong on the way in, and what the box says about it: to its owner, and on the page of the phone.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HOST, type House, openHouse } from './house.ts';
import { setUp } from './scripted-phone.ts';

/** TLS as a phone does it, which says why it leaves; `words` are its verification (openssl-verification-options). */
async function comeByTls(house: House, authority: string, words: readonly string[]): Promise<void> {
  const file = join(house.folder, 'phone-ca.crt');
  writeFileSync(file, authority);
  const to = ['s_client', '-connect', `${HOST}:${house.ports.mqtt}`, '-CAfile', file, '-verify_return_error', ...words];
  const child = spawn('openssl', to, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end();
  const [status] = await once(child, 'close');
  assert.notEqual(status, 0, 'it refuses the certificate');
}

/** The log of a refusal may come a moment after the client has gone. */
async function problemOf(house: House): Promise<string> {
  for (;;) {
    const [{ problem }] = await house.ask('phones');
    if (problem !== null) return problem.kind;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const JANE = { person: 'jane', system: 'ios' } as const;

for (const [what, words, kinds] of [
  ['whose clock is years ahead', ['-attime', String(Date.UTC(2060, 0) / 1000)], ['clock']],
  ['whose clock was never set', ['-attime', '0'], ['trust', 'clock']],
  ['that looks for another name', ['-verify_hostname', 'other.example.org'], ['trust', 'name']],
] as const) {
  test(`phone ${what} is told so`, async (context) => {
    const house = await openHouse(context);
    const { phone, next } = await setUp(context, house, JANE);
    await comeByTls(house, phone.authority, words);
    const kind = await problemOf(house);
    assert.ok((kinds as readonly string[]).includes(kind), kind);
    assert.equal((await phone.state(next)).problem, kind);
  });
}

test('phone that does not trust the authority is told so, and all is well when it does', async (context) => {
  const house = await openHouse(context);
  const { phone, next, fields } = await setUp(context, house, JANE);
  await assert.rejects(phone.connect(fields, { ca: [] }), /certificate/);
  assert.equal(await problemOf(house), 'trust');
  await phone.connect(fields);
  assert.equal((await phone.state(next)).problem, null);
});

test('phone is never given a name that is not in the certificate', async (context) => {
  const house = await openHouse(context);
  await assert.rejects(house.ask('add phone', { person: 'jane', host: 'other.example.org' }), /certificate_names other\.example\.org/);
  const { host } = await house.ask('add phone', { person: 'jane' });
  assert.notEqual(host, '');
});

test('phone whose password was changed, or whose account was taken away, is told so', async (context) => {
  const house = await openHouse(context);
  const { phone, next, fields } = await setUp(context, house, JANE);
  const client = await phone.connect(fields);
  const closed = new Promise((resolve) => client.once('close', () => resolve(null)));
  await house.ask('change password', { username: 'jane/phone', password: 'another' });
  await closed;
  await assert.rejects(phone.connect(fields), /Not authorized/);
  assert.equal(await problemOf(house), 'password');
  assert.equal((await phone.state(next)).problem, 'password');
  await house.ask('remove user', { username: 'jane/phone' });
  assert.equal(await problemOf(house), 'removed');
  const [{ hasAccount }] = await house.ask('phones');
  assert.equal(hasAccount, false);
  const again = await house.ask('add phone', { person: 'jane', host: HOST, replace: true });
  assert.match(again.link, /#/);
});

test('phone is not set up where it could not come in, or could do everything', async (context) => {
  const house = await openHouse(context);
  for (const [input, reason] of [
    [{ person: 'a/b' }, /name of a person/],
    [{ person: 'jane', device: '+' }, /name of a device/],
    [{ person: 'jane', groups: ['a b'] }, /must have letters/],
    [{ person: 'jane', use: 'mqtt' }, /without topics/],
    [{ person: 'jane', use: 'mqtt', topics: [{ access: 'read', filter: 'a\nuser root' }] }, /no topic filter/],
  ] as const)
    await assert.rejects(house.ask('add phone', input), reason);
  await house.ask('add user', { username: 'tom/phone', password: 'x' });
  await assert.rejects(house.ask('add phone', { person: 'tom' }), /account of this name that is no phone/);
  assert.deepEqual(await house.ask('phones'), []);
});
