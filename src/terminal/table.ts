// Rows of words in columns.

import type { Terminal } from './command.ts';

/** writeTable prints rows of the same length, each column but the last as wide as its widest cell. */
export function writeTable({ stdout }: Terminal, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length))); // all rows are as long as the first
  for (const row of rows) {
    const cells = row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)));
    stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}
