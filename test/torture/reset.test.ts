// A file named factory-reset on the boot partition: what the last owner left is gone, and the machine is as new.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Card, IMAGE, obstacle } from '../image/card.ts';
import { type Machine, switchOn } from '../image/machine.ts';

const FORMER = { username: 'joe', password: 'staple horse battery' };
const OWNER = { username: 'jane', password: 'correct horse battery' };

test('image forgets accounts, authority and messages when factory-reset lies on the boot partition', { skip: obstacle() }, async (t) => {
  const card = new Card(t, IMAGE ?? '');
  card.write('midge.txt', accountOf(FORMER));
  let machine = await switchOn(t, card);
  const former = await machine.connect(FORMER);
  await former.publishAsync('house/door', 'open', { qos: 1, retain: true });
  const before = await authorityOf(machine);
  await former.endAsync();
  await machine.cut();

  card.write('factory-reset', '');
  card.write('midge.txt', accountOf(OWNER));
  machine = await switchOn(t, card);
  const messages: string[] = [];
  const owner = await machine.connect(OWNER, (topic, payload) => void messages.push(`${topic} ${payload}`));
  await assert.rejects(machine.connect(FORMER), { code: 5 });
  await owner.subscribeAsync('#');
  await owner.publishAsync('mine', 'first', { qos: 1 });
  while (!messages.includes('mine first')) await new Promise((resolve) => owner.once('message', resolve));
  assert.deepEqual(messages, ['mine first'], 'something was kept');
  assert.notEqual(await authorityOf(machine), before);
  await owner.endAsync();
  await machine.cut();
  assert.ok(!card.names().includes('factory-reset'), 'the next start would reset again');
  assert.match(card.read('midge-report.txt') ?? '', /Reset: accounts, certificates, kept messages and settings were removed\./);
});

function accountOf({ username, password }: typeof OWNER): string {
  return `account = ${username} ${password}\n`;
}

async function authorityOf(machine: Machine): Promise<string> {
  const [, authority = ''] = /authority=(\S+)/.exec(await machine.ready()) ?? [];
  assert.match(authority, /^[0-9A-F:]{95}$/);
  return authority;
}
