// A box with an ACL file, and its page for the owner.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { openBox } from './box.ts';
import { openBrowser, type VisitOptions } from './browser.ts';

/** withRules opens both; they end with the test. */
export async function withRules(context: TestContext, options: VisitOptions = {}) {
  const browser = await openBrowser(context);
  const rules = join(temporaryFolder(context), 'acl');
  writeFileSync(rules, 'user jane\ntopic readwrite #\n', { mode: 0o600 });
  const box = await openBox(context, { before: [`acl_file ${rules}`] });
  const session = await box.claim();
  return { box, session, rules, ...(await browser.visit(box, { session, ...options })) };
}
