// A diff as people read it: what changes, with a few lines around it.

/** Lines shown around a change. */
const AROUND = 2;

/** DiffLine is one line; 'gap' stands for lines that are left out. */
export interface DiffLine {
  readonly kind: 'gone' | 'come' | 'same' | 'gap';
  readonly text: string;
}

const KINDS: Readonly<Record<string, DiffLine['kind']>> = { '-': 'gone', '+': 'come' };

/** changedLines takes lines with `-`, `+` or a blank before them. */
export function changedLines(diff: readonly string[]): readonly DiffLine[] {
  const isNear = diff.map((_, index) => diff.slice(Math.max(0, index - AROUND), index + AROUND + 1).some((line) => !line.startsWith(' ')));
  const lines: DiffLine[] = [];
  for (const [index, line] of diff.entries()) {
    if (isNear[index]) lines.push({ kind: KINDS[line.charAt(0)] ?? 'same', text: line.slice(1) });
    else if (lines.length > 0 && lines.at(-1)?.kind !== 'gap') lines.push({ kind: 'gap', text: '' });
  }
  if (lines.at(-1)?.kind === 'gap') lines.pop();
  return lines;
}

/** isChanged tells whether a diff has anything to say. */
export function isChanged(diff: readonly string[]): boolean {
  return diff.some((line) => !line.startsWith(' '));
}
