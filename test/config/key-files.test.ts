// Keys and certificates that a configuration names: what is wrong with them, and what to do.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from '../../src/config/config.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';

const DAY = 86_400_000;

test('check says that a key has a passphrase and a certificate is over, and what to do', async (t) => {
  const folder = temporaryFolder(t);
  const authority = await testAuthority();
  const over = await authority.issue('CN=localhost', new Date(Date.now() - DAY), new Date(Date.now() - 2 * DAY));
  writeFileSync(join(folder, 'over.crt'), over.cert);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const types = ['pkcs8', 'pkcs1'] as const;
  for (const type of types)
    writeFileSync(join(folder, `${type}.key`), privateKey.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }), {
      mode: 0o600,
    });
  const listeners = types.map(
    (type, index) => `listener ${18831 + index} 127.0.0.1\ncertfile ${folder}/over.crt\nkeyfile ${folder}/${type}.key\n`,
  );
  const file = join(folder, 'midge.conf');
  writeFileSync(file, listeners.join(''));
  const { diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
  const keys = diagnostics.filter(({ severity }) => severity === 'error');
  assert.deepEqual(
    keys.map(({ line, hint }) => [line, hint]),
    types.map((type, index) => [
      3 + 3 * index,
      `it has a passphrase, and nobody can type that when the broker starts - remove it: openssl pkey -in ${folder}/${type}.key -out NEWFILE`,
    ]),
  );
  const warning = diagnostics.find(({ message }) => message.startsWith('Clients'));
  assert.match(warning?.message ?? '', /^Clients will refuse certificate ".+over\.crt": it ended on \d{4}-/);
});
