// What somebody has changed in a text, put onto what somebody else has made of it meanwhile.

import { diff3Merge } from 'node-diff3';

/** Merged is a text with the changes of both. */
export interface Merged {
  readonly text: string;
  /** Both changed the same lines: what is removed there should be looked at. */
  readonly isSamePlace: boolean;
}

/** mergeTexts puts what `mine` changes in `base` onto `theirs`. Of lines that both changed those of `mine` stay; what both added stays. */
export function mergeTexts(mine: string, base: string, theirs: string): Merged {
  const regions = diff3Merge(mine.split('\n'), base.split('\n'), theirs.split('\n'), { excludeFalseConflicts: true });
  const lines = regions.flatMap(({ ok, conflict }) => {
    if (conflict === undefined) return ok ?? [];
    const { a: ours, o: before, b: others } = conflict;
    if (before.length > 0) return ours;
    return beginsBlock(ours) ? [...others, ...ours] : [...ours, ...others];
  });
  return { text: lines.join('\n'), isSamePlace: regions.some(({ conflict }) => conflict !== undefined && conflict.o.length > 0) };
}

/** What is said below such a line is about it. */
function beginsBlock(lines: readonly string[]): boolean {
  return lines.some((line) => /^[ \t]*(listener|connection)[ \t]/.test(line));
}
