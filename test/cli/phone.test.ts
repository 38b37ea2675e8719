// `midge phone` against a broker that runs: rules where there were none, the link, the steps of the phone as they come.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hashPassword } from '../../src/access/password-hash.ts';
import { HOST, openHouse } from '../phones/house.ts';
import { ScriptedPhone } from '../phones/scripted-phone.ts';
import { runMidge, startMidge } from '../support/process/midge-process.ts';

test('midge phone add shows the link, then each step of the phone, and ends when it is set up', async (context) => {
  const house = await openHouse(context);
  const state = ['--state', house.state];
  const add = startMidge(context, house.folder, ['phone', 'add', 'jane', '--group', 'family', '--host', HOST, ...state]);
  const link = await add.line(/^http:\/\/\S+#\S+$/, 0, 30_000);
  assert.ok(
    add.lines.some((line) => /^█+$/.test(line)),
    'a QR code',
  );
  const phone = new ScriptedPhone(context, link, 'ios');
  const page = await phone.scan();
  await phone.trust(page);
  await add.line(/^✓ The phone has loaded the certificate\.$/, 0, 30_000);
  const fields = phone.configure(await phone.open(phone.next(page)));
  const client = await phone.connect(fields);
  await add.line(/^✓ The phone has signed in\.$/, 0, 30_000);
  await phone.publish(client, fields, { lat: 1, lon: 2 });
  await add.line(/^✓ The phone has sent its first location\.$/, 0, 30_000);
  const listed = await runMidge(house.folder, ['phone', 'list', ...state]);
  assert.match(listed.stdout, /^PERSON +DEVICE +FOR +GROUPS +STATE\njane +phone +owntracks +family +connected$/m, listed.stderr);
  const again = await runMidge(house.folder, ['phone', 'add', 'jane', '--host', HOST, '--no-wait', ...state]);
  assert.match(again.stderr, /it is set up already/);
  const removed = await runMidge(house.folder, ['phone', 'remove', 'jane', ...state]);
  assert.match(removed.stdout, /^Removed jane\/phone: .*\nDeleted what was kept of it: 1 retained/m, removed.stderr);
  assert.match((await runMidge(house.folder, ['phone', 'list', ...state])).stdout, /^No phone was set up yet\.$/m);
});

test('midge phone add begins rules where there are none, says so, and present accounts keep all rights', async (context) => {
  const house = await openHouse(context);
  const text = readFileSync(house.file, 'utf8');
  writeFileSync(house.passwd, `lamp:${await hashPassword('glow', 'sha512-pbkdf2')}\n`);
  writeFileSync(house.file, text.replace(/^acl_file .*\n/m, ''));
  writeFileSync(house.acl, 'old');
  await house.restart();
  const add = ['phone', 'add', 'tom', '--for', 'mqtt', '--topic', 'read home/#', '--host', HOST, '--no-wait', '--json'];
  const words = [...add, '--state', house.state];
  assert.deepEqual((await house.ask('phone setup')).obstacles, []);
  const there = await runMidge(house.folder, words);
  assert.match(there.stderr, /Cannot make ".*acl": it is there already/);
  assert.doesNotMatch(readFileSync(house.file, 'utf8'), /acl_file/);
  rmSync(house.acl);
  const added = await runMidge(house.folder, words);
  assert.equal(added.status, 0, added.stderr);
  assert.equal(JSON.parse(added.stdout).account, 'tom/phone');
  assert.match(added.stderr, /^There were no rules yet: .*keep all their rights\.$/m);
  assert.match(
    readFileSync(house.acl, 'utf8'),
    /user lamp\ntopic readwrite #\ntopic read \$SYS\/#\n\nuser tom\/phone\ntopic read home\/#\n$/,
  );
  assert.match(readFileSync(house.file, 'utf8'), new RegExp(`^acl_file ${house.acl}$`, 'm'));
  assert.equal(statSync(house.acl).mode & 0o777, 0o600);
  const again = await runMidge(house.folder, words.with(2, 'ann'));
  assert.doesNotMatch(again.stderr, /no rules/);
});

test('midge phone add names all ports that are missing at once', async (context) => {
  const house = await openHouse(context);
  const text = readFileSync(house.file, 'utf8');
  writeFileSync(house.file, text.replaceAll(/^listener \d+$/gm, '$& 127.0.0.1'));
  await house.restart();
  const { status, stderr } = await runMidge(house.folder, ['phone', 'add', 'jane', '--no-wait', '--state', house.state]);
  assert.equal(status, 1);
  assert.match(stderr, /no listener with TLS is open to the network - add "listener 8883", "secure true"/);
  assert.match(stderr, /no listener with "protocol http" and TLS is open to the network - add "listener 8443", "protocol http"/);
});

for (const hasPlain of [true, false]) {
  test(`midge phone add ${hasPlain ? 'announces no warning where the phone loads the certificate first' : 'says that the browser of the phone will warn where the pages are there by HTTPS only'}`, async (context) => {
    const house = await openHouse(context, [], hasPlain);
    const add = ['phone', 'add', 'jane', '--host', HOST, '--no-wait', '--state', house.state];
    const { stdout, stderr } = await runMidge(house.folder, add);
    assert.match(stdout, hasPlain ? /^http:\/\/\S+#\S+$/m : /^https:\/\/\S+#\S+$/m, stderr);
    assert.equal(
      /^The browser of the phone will warn that the connection is not private.* Go on past the warning/m.test(stdout),
      !hasPlain,
    );
  });
}
