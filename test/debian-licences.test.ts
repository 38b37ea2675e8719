// What the bill of materials of the image says of Debian's licences.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { billOfMaterials, debianPackages } from '../build/image/bill-of-materials.ts';
import { debianLicence } from '../build/image/debian-licences.ts';

const FORMAT = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';
const file = (licence: string) => `\nFiles: *\nCopyright: somebody\nLicense: ${licence}\n`;
const OWN_TEXT = 'Files: *\nLicense: own-words\n\nLicense: own-words\n Do what\n .\n you like.\n';

for (const [what, text, expression] of [
  ['one licence', `${FORMAT}${file('GPL-2+')}`, 'GPL-2.0-or-later'],
  ['several files', `${FORMAT}${file('LGPL-2.1')}${file('Expat')}${file('LGPL-2.1')}`, 'MIT AND LGPL-2.1-only'],
  ['a choice', `${FORMAT}${file('GPL-3 or BSD-3-clause')}`, '(GPL-3.0-only OR BSD-3-Clause)'],
  ['words of its own', `${FORMAT}\n${OWN_TEXT}`, 'LicenseRef-debian-pack-own-words'],
  ['an exception', `${FORMAT}${file('GPL-2 with OpenSSL exception')}`, 'LicenseRef-debian-pack-GPL-2-with-OpenSSL-exception'],
  ['no form', 'This is free.\n', 'LicenseRef-debian-pack'],
] as const) {
  test(`licence of a Debian package is an expression of SPDX when its copyright file has ${what}`, () => {
    assert.equal(debianLicence('pack', text).expression, expression);
  });
}

test('licence of a Debian package has its text when SPDX has no name for it', () => {
  const { texts } = debianLicence('pack', `${FORMAT}\n${OWN_TEXT}`);
  assert.deepEqual([...texts], [['LicenseRef-debian-pack-own-words', 'Do what\n\nyou like.']]);
  assert.deepEqual([...debianLicence('pack', 'This is free.\n').texts.values()], ['This is free.\n']);
});

test('bill of materials has a licence for each package of Debian, and the text of each that it refers to', () => {
  const files = globSync('/usr/share/doc/*/copyright');
  const names = files.map((path) => path.split('/')[4] ?? '');
  const list = [...names, 'without-own-file'].map((name) => `${name} 1.0 ${name === 'without-own-file' ? names[0] : name}`).join('\n');
  const packages = debianPackages(list, (name) => {
    const at = names.indexOf(name);
    return at === -1 ? null : readFileSync(files[at] ?? '', 'utf8');
  });
  const bill = JSON.parse(billOfMaterials('x', packages, new Date(0))) as {
    packages: { name: string; licenseDeclared: string }[];
    hasExtractedLicensingInfos: { licenseId: string; extractedText: string }[];
  };
  assert.deepEqual(
    bill.packages.filter(({ licenseDeclared }) => licenseDeclared === 'NOASSERTION').map(({ name }) => name),
    [],
  );
  const known = new Set(bill.hasExtractedLicensingInfos.map(({ licenseId }) => licenseId));
  const referred = bill.packages.flatMap(({ licenseDeclared }) => licenseDeclared.match(/LicenseRef-[A-Za-z0-9.-]+/g) ?? []);
  assert.deepEqual(
    referred.filter((each) => !known.has(each)),
    [],
  );
  for (const { licenseDeclared } of bill.packages) assert.match(licenseDeclared, /^[()A-Za-z0-9.-]+( (AND|OR) [()A-Za-z0-9.-]+)*$/);
  assert.ok(bill.hasExtractedLicensingInfos.every(({ extractedText }) => extractedText !== ''));
});
