// What goes wrong on the way in, and what the box says about it: to its owner, and on the page of the phone.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HOST, type House, openHouse } from './house.ts';
import { ScriptedPhone, setUp } from './scripted-phone.ts';
import { secureRequest } from './secure-request.ts';

/** TLS as a phone does it, which says why it leaves; `words` are its verification (openssl-verification-options). */
async function comeByTls(house: House, port: number, authority: string, words: readonly string[]): Promise<void> {
  const file = join(house.folder, 'phone-ca.crt');
  writeFileSync(file, authority);
  const to = ['s_client', '-connect', `${HOST}:${port}`, '-CAfile', file, '-verify_return_error', ...words];
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

/** Each way in which a phone comes. */
const PHONES = [
  { name: 'iPhone', wanted: JANE },
  { name: 'iPhone by WebSocket', wanted: { ...JANE, webSocket: true } },
  { name: 'Android phone', wanted: { ...JANE, system: 'android' } },
  { name: 'Android phone by WebSocket', wanted: { ...JANE, system: 'android', webSocket: true } },
] as const;

for (const { name, wanted } of PHONES) {
  test(`${name} with a wrong clock, or with a name that is not in the certificate, is told so`, async (context) => {
    const house = await openHouse(context);
    const { phone, next, fields } = await setUp(context, house, wanted);
    for (const [words, kinds] of [
      [['-attime', String(Date.UTC(2060, 0) / 1000)], ['clock']],
      [
        ['-attime', '0'],
        ['trust', 'clock'],
      ],
      [
        ['-verify_hostname', 'other.example.org'],
        ['trust', 'name'],
      ],
    ] as const) {
      await comeByTls(house, Number(fields['port']), phone.authority, words);
      const kind = await problemOf(house);
      assert.ok((kinds as readonly string[]).includes(kind), `${kind} by ${words.join(' ')}`);
      assert.equal((await phone.state(next)).problem, kind);
      const client = await phone.connect(fields);
      assert.equal((await phone.state(next)).problem, null, 'it is in');
      await client.endAsync(true);
      while ((await house.ask('phones'))[0].connected) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  test(`${name} whose password was changed is told so, and one whose person was removed is out`, async (context) => {
    const house = await openHouse(context);
    const { phone, next, fields } = await setUp(context, house, wanted);
    const client = await phone.connect(fields);
    const closed = new Promise((resolve) => client.once('close', () => resolve(null)));
    await house.ask('change password', { username: 'jane/phone', password: 'another' });
    await closed;
    await assert.rejects(phone.connect(fields), /Not authorized/);
    assert.equal(await problemOf(house), 'password');
    assert.equal((await phone.state(next)).problem, 'password');
    const again = phone.configure(await phone.open(next, ''));
    const better = await phone.connect(again);
    const gone = new Promise((resolve) => better.once('close', () => resolve(null)));
    await phone.publish(better, again, { lat: 52.5, lon: 13.4 });
    assert.deepEqual((await house.ask('remove phone', { person: 'jane' })).removed, ['jane/phone']);
    await gone;
    await assert.rejects(phone.connect(again), /Not authorized/);
    assert.equal((await phone.get(next)).status, 404);
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

test('warning of the browser about the page of a phone keeps no phone out, before it is passed or after it', async (context) => {
  const house = await openHouse(context);
  const { link } = await house.ask('add phone', { person: 'jane', host: HOST });
  const phone = new ScriptedPhone(context, link, 'ios');
  const page = await phone.scan();
  const next = phone.next(page);
  await assert.rejects(phone.get(`${next}/trusted`), /certificate/);
  const refused = async () => (await house.ask('why')).refusals.length;
  while ((await refused()) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const [{ problem, link: open }] = await house.ask('phones');
  assert.deepEqual([problem, open.state], [null, 'waiting']);
  await phone.trust(page);
  assert.equal((await phone.get(`${next}/trusted`)).status, 204);
  const fields = phone.configure(await phone.open(next));
  assert.equal((await phone.state(next)).problem, null);
  await (await phone.connect(fields)).endAsync(true);
  const [{ last }] = (await house.ask('why')).refusals;
  await comeByTls(house, house.ports.secure, phone.authority, ['-verify_hostname', 'other.example.org']);
  while ((await house.ask('why')).refusals[0].last === last) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await house.ask('phones'))[0].problem, null, 'another browser at the same address');
});

test('password that somebody tries at the page with the name of a phone is no problem of the phone', async (context) => {
  const house = await openHouse(context);
  const { phone } = await setUp(context, house, JANE);
  await house.ask('add user', { username: 'owner', password: 'not a secret' });
  await house.ask('set role', { username: 'owner', role: 'admin' });
  const { status } = await secureRequest(`https://${HOST}:${house.ports.secure}/api/v1/session`, {
    ...{ ca: phone.authority, method: 'POST', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify({ username: 'jane/phone', password: 'wrong' }),
  });
  assert.equal(status, 401);
  assert.equal((await house.ask('why', { about: 'jane/phone' })).refusals[0].cause, 'page');
  assert.equal((await house.ask('phones'))[0].problem, null);
});

test('phone is never given a name that is not in the certificate', async (context) => {
  const house = await openHouse(context);
  await assert.rejects(house.ask('add phone', { person: 'jane', host: 'other.example.org' }), /certificate_names other\.example\.org/);
  const { host } = await house.ask('add phone', { person: 'jane' });
  assert.notEqual(host, '');
});

test('phone whose account was taken away by hand is told so, and can be set up again', async (context) => {
  const house = await openHouse(context);
  const { phone, fields } = await setUp(context, house, JANE);
  await house.ask('remove user', { username: 'jane/phone' });
  await assert.rejects(phone.connect(fields), /Not authorized/);
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
    [{ person: 'jane', use: 'mqtt', topics: [{ access: 'read', filter: 'a\nuser root' }] }, /a line of the file cannot hold it/],
  ] as const)
    await assert.rejects(house.ask('add phone', input), reason);
  await house.ask('add user', { username: 'tom/phone', password: 'x' });
  await assert.rejects(house.ask('add phone', { person: 'tom' }), /account of this name that is no phone/);
  assert.deepEqual(await house.ask('phones'), []);
});
