// The broker's configuration on the image over several boots: what its owner changed on the page stays, until midge.txt asks for something else.

import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { applyBootPartition } from '../../../src/app/boot/boot.ts';
import { pastTexts } from '../../../src/operations/configuration-history.ts';
import { makeMachine } from './machine.ts';

const FILE = '/var/lib/midge/appliance.conf';
const CHANGE = 'max_keepalive 100\n';

/** A machine whose owner has changed the configuration on the page. */
async function changedMachine(t: TestContext, midgeTxt: string) {
  const machine = makeMachine(t, { 'midge.txt': midgeTxt });
  await applyBootPartition(machine.world);
  machine.write(FILE, machine.read(FILE) + CHANGE);
  return { ...machine, past: () => pastTexts(machine.path('/var/lib/midge')) };
}

test('boot apply keeps what was changed on the page while midge.txt asks for the same', async (t) => {
  const machine = await changedMachine(t, 'account = jane secret one\n');
  const changed = machine.read(FILE);
  for (const text of ['account = jane secret two\n', 'hostname = kitchen\naccount = tom secret one\n', '# nothing\n']) {
    machine.write('/boot/firmware/midge.txt', text);
    const { events } = await applyBootPartition(machine.world);
    assert.doesNotMatch(events.join(), /configuration/);
    assert.equal(machine.read(FILE), changed, text);
  }
  assert.deepEqual(machine.past(), []);
});

test('boot apply takes the configuration of midge.txt when that asks for another one, and keeps the one from the page to be taken back', async (t) => {
  const machine = await changedMachine(t, '');
  const changed = machine.read(FILE);
  machine.write('/boot/firmware/midge.txt', 'secure = yes\n');
  const { events } = await applyBootPartition(machine.world);
  assert.equal(events.length, 1);
  assert.match(
    events[0] ?? '',
    /^midge\.txt asks for another configuration than at the last start: it replaced the one that was changed on the page/,
  );
  assert.doesNotMatch(machine.read(FILE), /max_keepalive|listener 1883/);
  assert.deepEqual(
    machine.past().map(({ by, text }) => ({ by, text })),
    [{ by: 'midge.txt', text: changed }],
  );
  assert.deepEqual((await applyBootPartition(machine.world)).events, [], 'it is said once');
  assert.equal(machine.past().length, 1);
});

test('boot apply says nothing of a configuration that nobody has changed when midge.txt asks for another one', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '' });
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/midge.txt', 'secure = yes\n');
  assert.deepEqual((await applyBootPartition(machine.world)).events, []);
  assert.match(machine.read(FILE), /listener 8883/);
  assert.deepEqual(pastTexts(machine.path('/var/lib/midge')), []);
});

test('boot apply brings rules of midge.txt to what was changed on the page, and leaves rules that the page has begun', async (t) => {
  const machine = await changedMachine(t, 'account = jane secret one\n');
  machine.write('/boot/firmware/midge.txt', 'account = tom secret two\ntopics = tom home/#\n');
  assert.doesNotMatch((await applyBootPartition(machine.world)).events.join(), /configuration/);
  assert.match(machine.read(FILE), /^password_file .*\nacl_file \/var\/lib\/midge\/acl\n[\s\S]*^max_keepalive 100$/m);

  const begun = await changedMachine(t, 'account = jane secret one\n');
  begun.write('/var/lib/midge/acl', 'user jane\ntopic readwrite #\n');
  begun.write(FILE, `${begun.read(FILE)}acl_file /var/lib/midge/acl\n`);
  const changed = begun.read(FILE);
  assert.deepEqual((await applyBootPartition(begun.world)).events, []);
  assert.equal(begun.read(FILE), changed);
  begun.write(FILE, changed.replace(/^acl_file.*\n/m, ''));
  await applyBootPartition(begun.world);
  assert.doesNotMatch(begun.read(FILE), /acl_file/, 'the owner has taken it out');
});

test('boot apply takes an unconfirmed change back before it writes another text, so that the broker does not put it over that', async (t) => {
  const machine = await changedMachine(t, '');
  const confirmed = machine.read(FILE);
  renameSync(machine.path(FILE), machine.path(`${FILE}.unconfirmed`));
  machine.write(FILE, `${confirmed}max_keepalive 200\n`);
  await applyBootPartition(machine.world);
  assert.ok(machine.exists(`${FILE}.unconfirmed`), 'the start of the broker sees to it');
  machine.write('/boot/firmware/midge.txt', 'secure = yes\n');
  await applyBootPartition(machine.world);
  assert.ok(!machine.exists(`${FILE}.unconfirmed`));
  assert.equal(machine.past()[0]?.text, confirmed);
});

test('boot apply loses nothing when the power goes before it has noted what it made', async (t) => {
  const machine = await changedMachine(t, '');
  const changed = machine.read(FILE);
  const noted = machine.read('/var/lib/midge-boot/configuration');
  machine.write('/boot/firmware/midge.txt', 'secure = yes\n');
  await applyBootPartition(machine.world);
  machine.write('/var/lib/midge-boot/configuration', noted);
  assert.deepEqual((await applyBootPartition(machine.world)).events, []);
  assert.deepEqual(
    machine.past().map(({ text }) => text),
    [changed],
  );
});
