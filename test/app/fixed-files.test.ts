// What a broker says at its start about files that its user may not write.

import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { warnOfFixedFiles } from '../../src/app/fixed-files.ts';
import { isRoot } from '../../src/service/user.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { configurationOf } from './test-configuration.ts';

const NOBODY = 65_534;

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
  if (isRoot()) process.seteuid?.(NOBODY);
  try {
    warnOfFixedFiles(configuration, log);
  } finally {
    if (isRoot()) process.seteuid?.(0);
  }
  assert.equal(log.lines.length, 1, log.lines.join('\n'));
  assert.match(
    log.lines[0] ?? '',
    /Warning: "\S+\/shut\/passwd" cannot be changed over REST: (it belongs to root|.*permission denied.*) - give it and its folder to user/,
  );
});
