// What a broker says at its start about files that its user may not write.

import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { warnOfFixedFiles } from '../../src/app/fixed-files.ts';
import { rewriteFile } from '../../src/base/rewrite-file.ts';
import { isRoot } from '../../src/service/user.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { configurationOf } from './test-configuration.ts';

const NOBODY = 65_534;

/** As a broker that has given up root, but with a way back. */
function become(id: number): void {
  process.seteuid?.(0);
  process.setegid?.(id);
  process.seteuid?.(id);
}

test('files that cannot be changed over REST are named at the start, each with the reason, and the others are not', (context) => {
  const folder = temporaryFolder(context);
  chmodSync(folder, 0o755);
  const [open, shut] = [join(folder, 'open'), join(folder, 'shut')];
  for (const each of [open, shut]) mkdirSync(each);
  for (const path of [`${shut}/passwd`, `${open}/acl`]) writeFileSync(path, '');
  const configuration = configurationOf(open, `listener 1883\nprotocol http\npassword_file ${shut}/passwd\nacl_file ${open}/acl\n`);
  if (isRoot()) for (const path of [open, `${open}/acl`, `${open}/test.conf`]) chownSync(path, NOBODY, NOBODY);
  else chmodSync(shut, 0o555);
  const log = recordingLog();
  if (isRoot()) become(NOBODY);
  try {
    warnOfFixedFiles(configuration, log);
  } finally {
    if (isRoot()) become(0);
  }
  assert.equal(log.lines.length, 1, log.lines.join('\n'));
  assert.match(
    log.lines[0] ?? '',
    /Warning: "\S+\/shut\/passwd" cannot be changed over REST: (it belongs to root|.*permission denied.*) - give it and its folder to user/,
  );
});

test('file whose group the user is not in is named at the start with the group', {
  skip: isRoot() ? false : 'only root changes the group',
}, (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(`${folder}/passwd`, '');
  const configuration = configurationOf(folder, `listener 1883\nprotocol http\npassword_file ${folder}/passwd\n`);
  for (const path of [folder, `${folder}/test.conf`, `${folder}/passwd`]) chownSync(path, NOBODY, NOBODY);
  chownSync(`${folder}/passwd`, NOBODY, 4242);
  const log = recordingLog();
  become(NOBODY);
  try {
    warnOfFixedFiles(configuration, log);
    assert.throws(
      () => rewriteFile(`${folder}/passwd`, 'x', () => {}),
      /has a group \(4242\) that nobody may not give to a file - as root: chgrp /,
    );
  } finally {
    become(0);
  }
  assert.match(log.lines.join('\n'), /^[^\n]*passwd" cannot be changed over REST: nobody is not in its group \(4242\) - [^\n]*$/);
});
