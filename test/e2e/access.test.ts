// Who may connect and what they may do, in the running program: password file, ACL file, reload, login throttle.

import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { dialAs } from '../support/clients/dial.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';

const ACL = `user jjolie
topic readwrite owntracks/jjolie/#
user fred
topic read owntracks/jjolie/5s
`;

/** house starts a broker with accounts jjolie and fred, whose passwords are their names. */
async function house(context: TestContext, configuration = '') {
  const folder = temporaryFolder(context);
  const [conf, acl, passwords] = ['midge.conf', 'acl', 'passwd'].map((name) => join(folder, name)) as [string, string, string]; // three names
  writeFileSync(acl, ACL);
  writeFileSync(passwords, '', { mode: 0o600 });
  for (const user of ['jjolie', 'fred']) {
    const { status, stderr } = await runMidge(folder, ['passwd', '-b', passwords, user, user]);
    assert.equal(status, 0, stderr);
  }
  writeFileSync(conf, `bind_address 127.0.0.1\npassword_file ${passwords}\nacl_file ${acl}\n${configuration}`);
  const broker = startMidge(context, folder, ['serve', '-c', conf, '-p', '0']);
  return { folder, acl, passwords, broker, port: await openPort(broker) };
}

function login(port: number, user: string, password = user, localAddress?: string): WirePeer {
  return dialAs(port, { clientId: user, username: user, password }, localAddress === undefined ? {} : { localAddress });
}

test('serve lets each user do what the ACL file says, and a reload changes it for subscriptions that stand', async (context) => {
  const { acl, broker, port } = await house(context);
  const [jjolie, fred] = [login(port, 'jjolie'), login(port, 'fred')];
  for (const peer of [jjolie, fred]) await peer.expect('20 [ 00 00 { ... } ]');
  fred.send(`82 [ 0001 {} '#' 00 ]`);
  await fred.expect('90 [ 0001 {} 00 ]');

  const speak = async (topic: string, puback: string) => {
    jjolie.send(`32 [ '${topic}' 0007 {} |here| ]`);
    await jjolie.expect(puback);
  };
  await speak('owntracks/jjolie/5s', '40 [ 0007 ]');
  await fred.expect(`30 [ 'owntracks/jjolie/5s' {} |here| ]`);
  await speak('owntracks/jjolie/6', '40 [ 0007 10 ]');
  await speak('owntracks/fred/nexus', '40 [ 0007 87 ]');
  await fred.expectSilence();

  writeFileSync(acl, 'user jjolie\ntopic reedwrite #\nfoo\n');
  process.kill(broker.pid, 'SIGHUP');
  await broker.line(/acl:2:7: error: Invalid topic access type "reedwrite"/);
  await broker.line(/acl:3:1: error: Invalid line "foo"/);
  await broker.line(/nothing was changed/);
  await speak('owntracks/jjolie/5s', '40 [ 0007 ]');
  await fred.expect(`30 [ 'owntracks/jjolie/5s' {} |here| ]`);

  writeFileSync(acl, 'pattern readwrite owntracks/+/6\n');
  process.kill(broker.pid, 'SIGHUP');
  await broker.line(/ACL pattern "owntracks\/\+\/6" does not contain/);
  await speak('owntracks/jjolie/6', '40 [ 0007 ]');
  await fred.expect(`30 [ 'owntracks/jjolie/6' {} |here| ]`);
  await speak('owntracks/jjolie/5s', '40 [ 0007 87 ]');
  await fred.expectSilence();
});

test('serve holds who guesses passwords, tells it, and lets everybody else in', async (context) => {
  const { broker, port } = await house(context);
  const guesses = Array.from({ length: 60 }, async (_, index) => {
    const peer = login(port, 'jjolie', `guess ${index}`);
    const connack = await peer.expect('20 [ 00 87 { ... } ] or 20 [ 00 9F { ... } ]');
    peer.abort();
    return connack[3] === 0x9f;
  });
  const held = (await Promise.all(guesses)).filter((isHeld) => isHeld).length;
  assert(held >= 50, `only ${held} of 60 were refused unseen`);
  await broker.line(/Warning: 3 wrong logins: those of user "jjolie" from 127\.0\.0\.1 are refused for 1 s\.$/);
  await login(port, 'fred').expect('20 [ 00 00 { ... } ]');
  await login(port, 'jjolie', 'jjolie', '127.0.0.2').expect('20 [ 00 00 { ... } ]');
});

test('serve ends the hold of a user whose password is changed, and no other', async (context) => {
  const { folder, passwords, port } = await house(context, 'persistence true\n');
  for (const user of ['fred', 'jjolie'])
    for (let index = 0; index < 3; index++) await login(port, user, 'wrong').expect('20 [ 00 87 { ... } ]');
  const changed = await runMidge(folder, ['passwd', '-b', passwords, 'fred', 'new']);
  assert.equal(changed.status, 0, changed.stderr);
  for (let verdict = 0x9f; verdict === 0x9f; )
    verdict = (await login(port, 'jjolie', 'wrong').expect('20 [ 00 87 { ... } ] or 20 [ 00 9F { ... } ]'))[3] ?? 0; // 1 s may be over
  await login(port, 'jjolie').expect('20 [ 00 9F { ... } ]');
  for (let index = 0; index < 2; index++) await login(port, 'fred', 'wrong').expect('20 [ 00 87 { ... } ]');
  await login(port, 'fred', 'new').expect('20 [ 00 00 { ... } ]');
});

test('serve holds nobody from an exempt network', async (context) => {
  const { port } = await house(context, 'login_throttle_exempt 127.0.0.0/30\n');
  for (let index = 0; index < 8; index++) await login(port, 'fred', 'wrong').expect('20 [ 00 87 { ... } ]');
  await login(port, 'fred').expect('20 [ 00 00 { ... } ]');
  for (let index = 0; index < 3; index++) await login(port, 'fred', 'wrong', '127.0.0.9').expect('20 [ 00 87 { ... } ]');
  await login(port, 'fred', 'fred', '127.0.0.9').expect('20 [ 00 9F { ... } ]');
});

test('serve reloads by itself when a file has changed and reload_on_change is there', async (context) => {
  const { acl, broker, port } = await house(context, 'reload_on_change true\nlog_type all\n');
  login(port, 'fred');
  writeFileSync(acl, 'user fred\ntopic nonsense owntracks/#\n');
  await broker.line(/acl:2:\d+: .*nonsense/);
  await broker.line(/The configuration has mistakes: nothing was changed/);
  const before = broker.lines.length;
  writeFileSync(acl, `${ACL}topic read owntracks/jjolie/6\n`);
  await broker.line(/Reloading config/, before);
  assert.equal(broker.lines.filter((line) => line.includes('Reloading config')).length, 2, 'once for each change');
});

test('passwd puts a change in force in the running broker: the old password ends, a deleted user is disconnected', async (context) => {
  const { folder, passwords, port } = await house(context, 'persistence true\n');
  const passwd = (...words: string[]) => runMidge(folder, ['passwd', ...words]);
  const [jjolie, fred] = [login(port, 'jjolie'), login(port, 'fred')];
  for (const peer of [jjolie, fred]) await peer.expect('20 [ 00 00 { ... } ]');

  const changed = await passwd('-b', passwords, 'fred', 'new');
  assert.deepEqual(changed, { status: 0, stdout: 'Updating password for user fred\nThe running broker has read it.\n', stderr: '' });
  await fred.expect('E0 [ 87 ]');
  await login(port, 'fred').expect('20 [ 00 87 { ... } ]');
  await login(port, 'fred', 'new').expect('20 [ 00 00 { ... } ]');

  assert.deepEqual(await passwd('-D', passwords, 'jjolie'), { status: 0, stdout: 'The running broker has read it.\n', stderr: '' });
  await jjolie.expect('E0 [ 87 ]');
  await login(port, 'jjolie').expect('20 [ 00 87 { ... } ]');
});

test('passwd finds the broker through another name of the file, and says which mistake keeps a change out of force', async (context) => {
  const { folder, acl, passwords, port } = await house(context, 'persistence true\n');
  const link = join(folder, 'link');
  symlinkSync(passwords, link);
  assert.match((await runMidge(folder, ['passwd', '-b', link, 'eve', 'eve'])).stdout, /has read it/);
  await login(port, 'eve').expect('20 [ 00 00 { ... } ]');

  writeFileSync(acl, 'user fred\ntopic reedwrite #\n');
  const { status, stdout, stderr } = await runMidge(folder, ['passwd', '-b', passwords, 'fred', 'new']);
  assert.deepEqual([status, stdout], [1, 'Updating password for user fred\n']);
  assert.match(stderr, /passwd is changed, but not in force: .*mistakes.*\n {2}.*acl:2:7: error: Invalid topic access type "reedwrite"/);
  await login(port, 'fred').expect('20 [ 00 00 { ... } ]');
});

test('passwd prints the command when no broker reads the file or may be asked, and mosquitto_passwd says no more than mosquitto', async (context) => {
  const { folder, port, passwords } = await house(context, 'persistence true\n');
  const other = join(folder, 'other');
  const foreign = await runMidge(folder, ['passwd', '-c', '-b', other, 'eve', 'eve']);
  assert.match(
    foreign.stdout,
    /^Adding password for user eve\nThe running broker \(state in .*\) does not read .*other\. .*: kill -HUP PID\n$/,
  );
  const none = await runMidge(folder, ['passwd', '-b', '--state', join(folder, 'nowhere'), other, 'eve', 'new']);
  assert.match(none.stdout, /No running broker was found\. .*: sudo systemctl reload midge \(the service\), or kill -HUP PID\n$/);

  const program = join(folder, 'mosquitto_passwd');
  symlinkSync(join(import.meta.dirname, '../../src/main.ts'), program);
  const quiet = startMidge(context, folder, ['-b', passwords, 'eve', 'eve'], { program });
  await quiet.ended;
  assert.deepEqual(quiet.lines, ['Adding password for user eve']);
  await login(port, 'eve').expect('20 [ 00 00 { ... } ]');
});
