// The file of dynamic security: what mosquitto writes is read, what is wrong is named, what is written is the same again.

import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { firstModel, makeFirstFile } from '../../../src/access/dynamic-security/first-file.ts';
import {
  parseSecurityFile,
  readSecurityFile,
  securityFileText,
  writeSecurityFile,
} from '../../../src/access/dynamic-security/security-file.ts';
import { verifyPassword } from '../../../src/access/password-hash.ts';
import { asOwnerNow } from '../../../src/state/as-owner.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';

const asOwner = (_path: string, work: () => void): void => work();

const NOBODY = 65_534;
const NEEDS_ROOT = process.geteuid?.() === 0 ? false : 'only root can give a folder away';

/** As mosquitto_ctrl 2.0 makes it. */
const OF_2_0 = {
  clients: [
    {
      username: 'admin',
      textName: 'Dynsec admin user',
      password: 'KvNeAg+wyxQ+W30Zs13yUsuPF7wthFTsBmtSmEki5H+RLxcd5pbs9pkPUPOXvXhQJ4DlR7VGr7qcXG+1XRxlsQ==',
      salt: 'eBp//Qzf1pG8gI69',
      iterations: 101,
      roles: [{ rolename: 'admin' }],
    },
  ],
  roles: [{ rolename: 'admin', acls: [{ acltype: 'publishClientSend', topic: '$CONTROL/dynamic-security/#', allow: true }] }],
  defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
};

test('security file of mosquitto 2.0 is read, with its password', async () => {
  const model = parseSecurityFile(JSON.stringify(OF_2_0));
  const admin = model.clients.get('admin');
  assert.equal(admin?.textName, 'Dynsec admin user');
  assert.ok(admin?.password);
  assert.equal(await verifyPassword(admin.password, Buffer.from('secretpw1234')), true);
  assert.equal(model.roles.get('admin')?.allowWildcardSubs, true);
});

test('security file is the same after it was written and read', async () => {
  const model = await firstModel('an admin', 'a trial');
  const text = securityFileText(model);
  assert.equal(securityFileText(parseSecurityFile(text)), text);
});

test('security file has no mistake that is not named', (context) => {
  const path = join(temporaryFolder(context), 'd.json');
  const wrong: readonly (readonly [file: unknown, message: RegExp])[] = [
    [[], /the file is no object/],
    [{ clients: [{}] }, /entry 1 of clients has no username/],
    [{ clients: [{ username: 'a' }, { username: 'a' }] }, /entry 2 of clients is "a" for the second time/],
    [{ clients: [{ username: 'a', roles: [{ rolename: 'r' }] }] }, /entry 1 of roles of entry 1 of clients names "r", which is not there/],
    [
      { clients: [{ username: 'a', password: 'x', salt: 'y', iterations: 1 }] },
      /has a password hash that is damaged: set its password again/,
    ],
    [{ clients: [{ username: 'a', disabled: 'yes' }] }, /"disabled" of entry 1 of clients is neither true nor false/],
    [{ roles: [{ rolename: 'r', acls: [{ acltype: 'fly', topic: 'a' }] }] }, /has no known acltype: write one of publishClientSend, /],
    [{ anonymousGroup: 'g' }, /there is no group "g"/],
  ];
  for (const [file, message] of wrong) {
    writeFileSync(path, JSON.stringify(file));
    assert.throws(() => readSecurityFile(path), message);
    assert.throws(() => readSecurityFile(path), new RegExp(`Cannot use dynamic_security_file "${path}": `));
  }
  writeFileSync(path, '{"clients": ');
  assert.throws(() => readSecurityFile(path), /Cannot use dynamic_security_file ".*": .*JSON/);
});

test('security file that midge makes has the password that was given, or one of its own beside it, for nobody else to read', async (context) => {
  const folder = temporaryFolder(context);
  const [file, init] = [join(folder, 'd.json'), join(folder, 'init')];
  writeFileSync(init, 'from a file\nmore\n');
  assert.equal(await makeFirstFile({ file, passwordInitFile: init, environment: undefined, asOwner }), null);
  assert.equal(await verifyPassword(readSecurityFile(file).clients.get('admin')!.password!, Buffer.from('from a file')), true);
  assert.equal(readSecurityFile(file).clients.has('democlient'), false);
  await assert.rejects(
    makeFirstFile({ file, passwordInitFile: null, environment: 'short', asOwner }),
    /MOSQUITTO_DYNSEC_PASSWORD: its password is too short/,
  );
  const passwords = await makeFirstFile({ file, passwordInitFile: null, environment: undefined, asOwner });
  assert.equal(passwords, `${file}.pw`);
  assert.deepEqual([...readSecurityFile(file).clients.keys()], ['admin', 'democlient']);
  for (const path of [file, `${file}.pw`]) assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('security file stays as it was when it cannot be written', async (context) => {
  const path = join(temporaryFolder(context), 'no folder', 'd.json');
  assert.throws(() => writeSecurityFile(path, parseSecurityFile('{}')), /ENOENT/);
});

test("security file that root makes in another user's folder is that user's, and a planted link leads nowhere", {
  skip: NEEDS_ROOT,
}, async (context) => {
  const folder = temporaryFolder(context);
  const [theirs, roots] = [join(folder, 'theirs'), join(folder, 'roots')];
  mkdirSync(theirs);
  chmodSync(folder, 0o755);
  chownSync(theirs, NOBODY, NOBODY);
  writeFileSync(roots, 'ours', { mode: 0o600 });
  const file = join(theirs, 'd.json');
  symlinkSync(roots, `${file}.pw`);
  await makeFirstFile({ file, passwordInitFile: null, environment: undefined, asOwner: asOwnerNow });
  assert.equal(readFileSync(roots, 'utf8'), 'ours');
  for (const path of [file, `${file}.pw`]) assert.deepEqual([statSync(path).uid, statSync(path).mode & 0o777], [NOBODY, 0o600]);
});
