// Backups: a damaged or hostile archive is refused in words that are ours, or unpacked; nothing is written but what `place` allowed.

import assert from 'node:assert/strict';
import { closeSync, createWriteStream, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { OperatorError } from '../../../src/base/errors.ts';
import { unpackArchive } from '../../../src/state/archive.ts';
import { damaged, hexOf } from '../mutations.ts';
import type { Target } from '../target.ts';

const BLOCK = 512;

const name = fc.constantFrom(
  'manifest.json',
  'state/midge.db',
  'configuration/1',
  '../../outside',
  '/etc/passwd',
  '',
  'a/../b',
  'x'.repeat(100),
  'nul\0l',
);
const size = fc.oneof(fc.constant<number | null>(null), fc.constantFrom(0, 1, 511, 512, 8 ** 11 - 1));
const file = fc
  .record({
    name,
    type: fc.constantFrom('0', '0', '0', '0', '0', '1', '2', '3', '5', '6', 'L', 'x', '\0'),
    size,
    content: fc.uint8Array({ maxLength: 600 }),
    isSummed: fc.constantFrom(true, true, true, true, false),
  })
  .map(({ name: path, type, size: claimed, content, isSummed }) => {
    const header = Buffer.alloc(BLOCK);
    header.write(path, 0, 100);
    header.write((claimed ?? content.length).toString(8).padStart(11, '0'), 124);
    header.write(type, 156, 'latin1');
    header.write('ustar\x0000', 257, 'latin1');
    header.fill(' ', 148, 156);
    const sum = header.reduce((all, byte) => all + byte, isSummed ? 0 : 1);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
  });
const tar = fc.array(file, { maxLength: 5 }).map((files) => Buffer.concat([...files, Buffer.alloc(2 * BLOCK)]));
const zipped = (bytes: fc.Arbitrary<Buffer>) => bytes.map((content) => gzipSync(content, { level: 1 }));

export const BACKUP: Target<Buffer> = {
  name: 'backup',
  what: 'archives of midge backup, damaged inside and outside of their compression',
  input: hexOf(fc.oneof(zipped(damaged(tar)), damaged(zipped(tar)))),
  open() {
    const folder = mkdtempSync(join(tmpdir(), 'midge-fuzz-'));
    const [archive, target] = [join(folder, 'backup.tar.gz'), join(folder, 'unpacked')];
    return {
      async feed(bytes) {
        writeFileSync(archive, bytes);
        mkdirSync(target);
        let placed = 0;
        const fd = openSync(archive, 'r');
        try {
          await unpackArchive(fd, () => (placed < 5 ? createWriteStream(join(target, String(placed++)), { flags: 'wx' }) : null));
        } catch (error) {
          if (!(error instanceof OperatorError)) throw error;
        } finally {
          closeSync(fd);
        }
        assert.ok(readdirSync(target).length <= placed);
        assert.deepEqual(readdirSync(folder).sort(), ['backup.tar.gz', 'unpacked']);
        rmSync(target, { recursive: true });
        return 1;
      },
      close: () => rmSync(folder, { recursive: true }),
    };
  },
};
