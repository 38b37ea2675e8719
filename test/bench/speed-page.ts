// The measured part of docs/speed.md: what a report says stands between two marks, and the pictures are drawn from it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawCharts } from '../../build/speed-charts.ts';

const PAGE = join(import.meta.dirname, '../../docs/speed.md');
const [BEGIN, END] = ['<!-- measured: written by make bench -->', '<!-- end of what was measured -->'];

/** writeSpeedPage puts a report's body in the place of the one before. */
export function writeSpeedPage(body: string): void {
  writeFileSync(PAGE, withMeasured(readFileSync(PAGE, 'utf8'), body));
  drawCharts();
}

/** withMeasured gives the page with another measured part. Throws RangeError for a page without the marks. */
export function withMeasured(page: string, body: string): string {
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new RangeError('Cannot write the measured part: the page has no marks for it');
  return `${page.slice(0, before + BEGIN.length)}\n\n${body}\n${page.slice(after)}`;
}
