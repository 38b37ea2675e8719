// Password files go both ways: what mosquitto_passwd writes logs in to us, what we write logs in to Debian's mosquitto.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';
import { missing } from '../support/process/foreign-program.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { type Open, skipWithoutMosquitto, startMosquitto } from './mosquitto-beside.ts';
import { authenticatorOf } from './test-access.ts';

const skip = missing(['mosquitto_passwd'], 'mosquitto');

test('broker lets in whom mosquitto_passwd has written down', { skip }, async (context) => {
  const file = join(temporaryFolder(context), 'passwd');
  execFileSync('mosquitto_passwd', ['-c', '-b', file, 'joe', 'secret'], { stdio: 'ignore' });
  execFileSync('mosquitto_passwd', ['-H', 'sha512', '-b', file, 'ann', 'größer'], { stdio: 'ignore' });
  writeFileSync(`${file}.plain`, 'max:plain\n');
  execFileSync('mosquitto_passwd', ['-U', `${file}.plain`], { stdio: 'ignore' });
  await using ours = await startTestBroker({
    authenticator: authenticatorOf({ passwordFile: file }),
    policy: { allowAnonymous: false },
  });
  const open: Open = async () => ours.open();
  await expectLogins(open, { joe: 'secret', ann: 'größer' });
  await using converted = await startTestBroker({
    authenticator: authenticatorOf({ passwordFile: `${file}.plain` }),
    policy: { allowAnonymous: false },
  });
  await expectLogins(async () => converted.open(), { max: 'plain' });
});

test('mosquitto lets in whom passwd has written down for it', { skip: skipWithoutMosquitto }, async (context) => {
  const file = join(temporaryFolder(context), 'passwd');
  await runMidge(['passwd', '-c', '-H', 'sha512-pbkdf2', '-b', file, 'joe', 'secret']);
  await runMidge(['passwd', '-H', 'sha512-pbkdf2', '-I', '101', '-b', file, 'max', 'x y']);
  await runMidge(['passwd', '-H', 'sha512', '-b', file, 'ann', 'größer']);
  const open = await startMosquitto(context, `allow_anonymous false\npassword_file ${file}`);
  await expectLogins(open, { joe: 'secret', max: 'x y', ann: 'größer' });
});

test('mosquitto starts with a locked account, and lets nobody in by it', { skip: skipWithoutMosquitto }, async (context) => {
  const file = join(temporaryFolder(context), 'passwd');
  await runMidge(['passwd', '-c', '-H', 'sha512-pbkdf2', '-b', file, 'joe', 'secret']);
  await runMidge(['passwd', '-H', 'sha512', '-b', file, 'max', 'x y']);
  await runMidge(['passwd', '-H', 'sha512-pbkdf2', '-b', file, 'ann', 'größer']);
  for (const user of ['joe', 'max']) await runMidge(['passwd', '--lock', file, user]);
  const locked = await startMosquitto(context, `allow_anonymous false\npassword_file ${file}`);
  for (const user of ['joe', 'max'])
    for (const password of ['secret', 'x y', '', '!']) assert.equal(await login(locked, user, password), false, `${user} ${password}`);
  await expectLogins(locked, { ann: 'größer' });
  await runMidge(['passwd', '--unlock', file, 'joe']);
  await expectLogins(await startMosquitto(context, `allow_anonymous false\npassword_file ${file}`), { joe: 'secret' });
});

async function expectLogins(open: Open, users: Readonly<Record<string, string>>): Promise<void> {
  for (const [user, password] of Object.entries(users)) {
    assert.equal(await login(open, user, password), true, user);
    assert.equal(await login(open, user, `${password}x`), false, `${user} with a wrong password`);
    assert.equal(await login(open, `${user}x`, password), false, `${user}x`);
  }
}

async function login(open: Open, user: string, password: string): Promise<boolean> {
  const peer = await open();
  peer.send(connectTemplate({ clientId: 'x', username: user, password }));
  const connack = await peer.expect('20 [ 00 00 { ... } ] or 20 [ 00 87 { ... } ]');
  peer.abort();
  return connack[3] === 0;
}
