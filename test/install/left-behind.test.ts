// What a failed installation says about what it leaves, and the seal by which an executable is known to be whole.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { titleOfInstallation } from '../../src/cli/install.ts';
import { leftBehind } from '../../src/install/left-behind.ts';
import { isWhole, sealed } from '../../src/install/seal.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { BARE, INSTALLED } from './machines.ts';

const OTHER = { ...INSTALLED, executable: 'other' } as const;

test('a failed installation says what it leaves, and how to remove it', () => {
  const all = leftBehind(BARE, INSTALLED);
  assert.match(all, /user midge, \/etc\/midge, \/var\/lib\/midge, \/usr\/local\/bin\/midge, \/etc\/systemd\/system\/midge\.service/);
  assert.match(all, /sudo midge uninstall --purge$/);
  assert.match(leftBehind(BARE, { ...BARE, hasUser: true }), /: user midge\. .*sudo \/home\/pi\/midge uninstall --purge$/);
  assert.equal(leftBehind(INSTALLED, INSTALLED), 'Nothing new is left on this machine.');
  assert.match(leftBehind(INSTALLED, { ...INSTALLED, oldExecutable: 'way back' }), /midge\.old is kept/);
});

test('an installation says from which version to which it goes', () => {
  assert.equal(titleOfInstallation(BARE, null, '0.2.0'), 'Installing midge 0.2.0');
  assert.equal(titleOfInstallation(OTHER, '0.1.0', '0.2.0'), 'Changing midge from 0.1.0 to 0.2.0');
  assert.equal(titleOfInstallation(OTHER, '0.2.0', '0.2.0'), 'Replacing midge 0.2.0 by another build of the same version');
  assert.equal(titleOfInstallation(INSTALLED, '0.2.0', '0.2.0'), 'midge 0.2.0 is already installed, and runs');
});

test('isWhole finds every missing byte and every wrong one', (context) => {
  const file = join(temporaryFolder(context), 'file');
  const check = (bytes: Buffer) => {
    writeFileSync(file, bytes);
    return isWhole(file);
  };
  const whole = sealed(Buffer.from('a program'));
  assert.equal(check(whole), true);
  for (let at = 0; at < whole.length; at++) {
    assert.equal(check(whole.subarray(0, at)), false, `cut at ${at}`);
    const wrong = Buffer.from(whole);
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    assert.equal(check(wrong), false, `wrong at ${at}`);
  }
  assert.equal(check(sealed(whole)), true, 'a seal is bytes like others');
});
