// What a change of the configuration takes away from the listeners: their rules, or the need for a password.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { describeOpenings, loadConfiguration } from '../../src/config/config.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const RULELESS = 'without rules, everybody who may connect can read and write all topics';
const FREE = 'everybody can connect without a password';

const ROWS: readonly (readonly [what: string, before: string, after: string, said: readonly string[]])[] = [
  ['acl_file goes', 'listener 1884\npassword_file P\nacl_file A', 'listener 1884\npassword_file P', [`Listener 1884: ${RULELESS}`]],
  ['acl_file comes', 'listener 1884\npassword_file P', 'listener 1884\npassword_file P\nacl_file A', []],
  ['there was none', 'listener 1884\npassword_file P', 'listener 1884\npassword_file P\nmax_qos 1', []],
  [
    'the ports change, too',
    'listener 1884\npassword_file P\nacl_file A',
    'listener 1885\nlistener 1886\npassword_file P',
    [`Listener 1885, 1886: ${RULELESS}`],
  ],
  [
    'everybody is let in',
    'listener 1884\npassword_file P\nacl_file A',
    'listener 1884\npassword_file P\nallow_anonymous true\nacl_file A',
    [`Listener 1884: ${FREE}`],
  ],
  [
    'one of two listeners loses both',
    'per_listener_settings true\nlistener 1884\npassword_file P\nacl_file A\nlistener 1885\npassword_file P\nacl_file A',
    'per_listener_settings true\nlistener 1884\npassword_file P\nacl_file A\nlistener 1885\nallow_anonymous true',
    [`Listener 1885: ${FREE}`, `Listener 1885: ${RULELESS}`],
  ],
  [
    'password_file goes',
    'listener 1884\npassword_file P\nacl_file A',
    'listener 1884\nacl_file A',
    ['Listener 1884: nobody can sign in any more'],
  ],
];

let folder = '';
before((context) => {
  folder = temporaryFolder(context as Parameters<typeof temporaryFolder>[0]);
  writeFileSync(join(folder, 'P'), '', { mode: 0o600 });
  writeFileSync(join(folder, 'A'), 'topic readwrite #\n', { mode: 0o600 });
});

function load(text: string): Configuration {
  const file = join(folder, 'main.conf');
  writeFileSync(
    file,
    text.replace(/\b[PA]$/gm, (name) => join(folder, name)),
    { mode: 0o600 },
  );
  const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
  assert.ok(configuration, JSON.stringify(diagnostics));
  return configuration;
}

for (const [what, old, next, said] of ROWS) {
  test(`change of the configuration is told with what it opens when ${what}`, () => {
    assert.deepEqual(describeOpenings(load(old), load(next)), said);
  });
}
