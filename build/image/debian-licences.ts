// The licences of a Debian package out of its copyright file, as an expression of SPDX.

/** DebianLicence is what a package is under. */
export interface DebianLicence {
  /** SPDX 2.3 annex D. */
  readonly expression: string;
  /** Texts of the licences that SPDX has no name for, by their reference in the expression. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Names of Debian that mean a licence of SPDX. https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/#license-specification */
const NAMES: Readonly<Record<string, string>> = {
  'apache-2.0': 'Apache-2.0',
  'artistic-2.0': 'Artistic-2.0',
  'bsd-2-clause': 'BSD-2-Clause',
  'bsd-3-clause': 'BSD-3-Clause',
  'bsd-4-clause': 'BSD-4-Clause',
  'bsl-1.0': 'BSL-1.0',
  'cc0-1.0': 'CC0-1.0',
  expat: 'MIT',
  isc: 'ISC',
  mit: 'MIT',
  'mpl-2.0': 'MPL-2.0',
  zlib: 'Zlib',
};
const VERSIONED = /^(gpl|lgpl|agpl|gfdl)-(\d)(?:\.(\d))?(\+?)$/;

/** debianLicence reads a copyright file: where it is made for machines, the licences of its files; otherwise the whole text is the licence. */
export function debianLicence(packageName: string, copyright: string): DebianLicence {
  const isFormatted = /^Format:.*copyright-format/im.test(copyright);
  const paragraphs = isFormatted ? copyright.split(/\n[ \t]*\n/) : [];
  const words = paragraphs.flatMap((text) => (/^Files:/m.test(text) ? (licenceOf(text)?.word ?? []) : []));
  const texts = new Map<string, string>();
  if (words.length === 0) {
    const own = reference(packageName);
    return { expression: own, texts: new Map([[own, copyright]]) };
  }
  const named = (name: string): string => {
    const known = spdxName(name);
    if (known !== null) return known;
    const own = reference(`${packageName}-${name}`);
    const stated = paragraphs.map(licenceOf).find((each) => each?.word === name && each.text !== '');
    texts.set(own, stated?.text ?? `See the copyright file of the package ${packageName}.`);
    return own;
  };
  const parts = [...new Set(words)].sort().map((word) => expressionOf(word, named));
  return { expression: [...new Set(parts)].join(' AND '), texts };
}

/** The first line behind `License:`, and the indented lines that follow it. */
function licenceOf(paragraph: string): { readonly word: string; readonly text: string } | null {
  const [, word = '', text = ''] = /^License:[ \t]*(\S[^\n]*)((?:\n[ \t][^\n]*)*)/im.exec(paragraph) ?? [];
  return word === '' ? null : { word: word.trim(), text: text.replace(/\n[ \t]\.?/g, '\n').trim() };
}

/** `A or B` and `A and B`, both in one with "and" for the weaker, as Debian writes a comma before it; whatever else stands there is a name. */
function expressionOf(word: string, named: (name: string) => string): string {
  if (!/^\S+( (and|or) \S+)*$/i.test(word) || word.includes(',')) return named(word);
  const names = word.split(/ (?:and|or) /i);
  const operators = [...word.matchAll(/ (and|or) /gi)].map(([, operator = '']) => operator.toUpperCase());
  if (operators.length === 0) return named(word);
  return `(${names.map((name, index) => (index === 0 ? named(name) : `${operators[index - 1]} ${named(name)}`)).join(' ')})`;
}

function spdxName(name: string): string | null {
  const lower = name.toLowerCase();
  const [, family = '', major = '', minor = '0', plus = ''] = VERSIONED.exec(lower) ?? [];
  if (family !== '') return `${family.toUpperCase()}-${major}.${minor}-${plus === '+' ? 'or-later' : 'only'}`;
  return NAMES[lower] ?? null;
}

/** SPDX 2.3 10.1: letters, digits, hyphens and points. */
function reference(name: string): string {
  return `LicenseRef-debian-${name.replace(/[^A-Za-z0-9.]+/g, '-').replace(/-+$/, '')}`;
}
