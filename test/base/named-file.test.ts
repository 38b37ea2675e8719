// What is no file does not keep the broker waiting, and does not fill its memory.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readNamedFile, readNamedText, readNamedTextIfThere } from '../../src/base/named-file.ts';
import { certificatesInFile, readCertificatePair } from '../../src/base/pem-files.ts';
import { readPskFile } from '../../src/listeners/psk-file.ts';

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'midge-named-'));
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('a file is read whole, its text without a byte order mark', (context) => {
  const file = join(folder(context), 'file');
  const text = '\uFEFFline\n'.padEnd(200_000, 'ä');
  writeFileSync(file, text);
  assert.equal(readNamedFile(file).toString(), text);
  assert.equal(readNamedText(file), text.slice(1));
  assert.equal(readNamedText('/dev/null'), '');
});

test('what is missing or a folder throws what the system says', (context) => {
  assert.throws(() => readNamedFile(join(folder(context), 'none')), { code: 'ENOENT' });
  assert.throws(() => readNamedFile(folder(context)), { code: 'EISDIR' });
  assert.equal(readNamedTextIfThere(join(folder(context), 'none')), null);
  assert.throws(() => readNamedTextIfThere(folder(context)), { code: 'EISDIR' });
});

test('a file without end is given up', () => {
  assert.throws(() => readNamedFile('/dev/zero', 3 << 20), /^OperatorError: it is larger than 3145728 bytes: name another file$/);
});

test('no setting waits for the other end of a FIFO', { timeout: 20_000 }, (context) => {
  const fifo = join(folder(context), 'fifo');
  execFileSync('mkfifo', [fifo]);
  assert.throws(() => readNamedText(fifo), /it is a FIFO: name a file/);
  assert.throws(() => readCertificatePair({ certfile: fifo, keyfile: fifo }), /Cannot read certfile ".*": it is a FIFO: name a file/);
  assert.throws(() => certificatesInFile('cafile', fifo), /Cannot read cafile ".*": it is a FIFO/);
  assert.throws(() => readPskFile(fifo), /Cannot read psk_file ".*": it is a FIFO/);
});
