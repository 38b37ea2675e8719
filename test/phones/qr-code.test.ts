// QR codes, read back from what is drawn: rows of squares of a picture, half blocks of a terminal.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from 'uqr';
import { qrSvg, qrText } from '../../src/phones/qr-code.ts';

const LINK = 'http://192.168.1.5:8080/phone/AbCdEfGhIjK#0123456789012345678901';

test('QR code of a terminal has the modules of the link, dark ones as blanks, when its half blocks are read', () => {
  const { data } = encode(LINK, { border: 2 });
  const plain = qrText(LINK, { colours: false }).split('\n');
  const rows = plain.flatMap((line) => {
    const halves = [...line].map((block) => ({ '█': [0, 0], '▀': [0, 1], '▄': [1, 0], ' ': [1, 1] })[block] ?? assert.fail(block));
    return [halves.map(([top]) => top === 1), halves.map(([, bottom]) => bottom === 1)];
  });
  assert.deepEqual(rows.slice(0, data.length), data);
  const coloured = qrText(LINK, { colours: true }).split('\n');
  assert.deepEqual(
    coloured,
    plain.map((line) => `\u001b[97;40m${line}\u001b[0m`),
  );
  assert.ok((plain[0]?.length ?? 0) <= 80);
});

test('QR code of a page has the modules of the link and four light ones around it', () => {
  const { data } = encode(LINK, { border: 4 });
  const svg = qrSvg(LINK);
  assert.match(svg, new RegExp(`viewBox="0 0 ${data.length} ${data.length}"`));
  const dark = new Set(Array.from(svg.matchAll(/M(\d+),(\d+)h1v1h-1z/g), ([, x, y]) => `${x},${y}`));
  data.forEach((row, y) => {
    row.forEach((isDark, x) => {
      assert.equal(dark.has(`${x},${y}`), isDark, `${x},${y}`);
    });
  });
});
