// Which of two versions is newer: Semantic Versioning 2.0.0, clause 11.

const FORM = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/** isVersion tells whether a text is a version: `1.2.3` or `1.2.3-rc.1`. */
export function isVersion(text: string): boolean {
  return FORM.test(text);
}

/** compareVersions is negative when the first is older, positive when it is newer, and 0 when neither is. Both must be versions. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  for (const at of [0, 1, 2]) {
    const difference = Number(a.numbers[at]) - Number(b.numbers[at]);
    if (difference !== 0) return difference;
  }
  if (a.trial === null || b.trial === null) return Number(b.trial !== null) - Number(a.trial !== null);
  return compareTrials(a.trial.split('.'), b.trial.split('.'));
}

function partsOf(version: string): { readonly numbers: readonly string[]; readonly trial: string | null } {
  const [, major = '', minor = '', patch = '', trial] = FORM.exec(version) ?? [];
  return { numbers: [major, minor, patch], trial: trial ?? null };
}

/** Numbers come before words, and fewer words before more. */
function compareTrials(a: readonly string[], b: readonly string[]): number {
  for (const [at, word] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    if (word === other) continue;
    const [isNumber, isOther] = [/^\d+$/.test(word), /^\d+$/.test(other)];
    if (isNumber && isOther) return Number(word) - Number(other);
    if (isNumber !== isOther) return isNumber ? -1 : 1;
    return word < other ? -1 : 1;
  }
  return a.length - b.length;
}
