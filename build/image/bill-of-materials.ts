// Writes the SPDX bill of materials of an image: Debian's packages, midge, and what npm put into it: bill-of-materials.ts PACKAGES DOC OUT.spdx.json

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { executableParts, type Part } from '../executable-parts.ts';
import { type DebianLicence, debianLicence } from './debian-licences.ts';

interface Package extends Part {
  /** Texts of licences that SPDX has no name for, by their reference. */
  readonly texts?: ReadonlyMap<string, string>;
}

/** billOfMaterials gives the SPDX 2.3 document of packages; the same packages and time give the same text. */
export function billOfMaterials(name: string, packages: readonly Package[], created: Date): string {
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${name}-${digest(packages)}`,
    creationInfo: { created: created.toISOString().replace(/\.\d+/, ''), creators: ['Tool: midge-build'] },
    packages: packages.map(({ name: packageName, version, purl, licence }) => ({
      SPDXID: reference(purl),
      name: packageName,
      ...(version === '' ? {} : { versionInfo: version }),
      downloadLocation: 'NOASSERTION',
      filesAnalyzed: false,
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: licence,
      copyrightText: 'NOASSERTION',
      externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
    })),
    hasExtractedLicensingInfos: packages.flatMap(({ texts }) =>
      Array.from(texts ?? [], ([licenseId, extractedText]) => ({ licenseId, extractedText })),
    ),
    relationships: packages.map(({ purl }) => ({
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: reference(purl),
    })),
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

/** debianPackages reads `NAME VERSION SOURCE` lines; `copyrightOf` gives the copyright file of a package, or null. */
export function debianPackages(text: string, copyrightOf: (name: string) => string | null): Package[] {
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return rows.map(([name = '', version = '', source = '']) => {
    // The folder of some packages is a link to that of another one of the same source, which the image does not have.
    const related = rows.filter((row) => row[2] === source).map(([other = '']) => other);
    const copyright = [name, ...related].map(copyrightOf).find((each) => each !== null) ?? null;
    const { expression: licence, texts } = copyright === null ? NO_LICENCE : debianLicence(name, copyright);
    return { name, version, purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=arm64`, licence, texts };
  });
}

const NO_LICENCE: DebianLicence = { expression: 'NOASSERTION', texts: new Map() };

function reference(purl: string): string {
  return `SPDXRef-${purl.replace(/[^A-Za-z0-9.]+/g, '-')}`;
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}

function copyrightIn(doc: string): (name: string) => string | null {
  return (name) => {
    const file = join(doc, name, 'copyright');
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  };
}

if (import.meta.main) {
  const [packages = '', doc = '', out = ''] = process.argv.slice(2);
  const debian = debianPackages(readFileSync(packages, 'utf8'), copyrightIn(doc));
  const created = new Date(Number(process.env['SOURCE_DATE_EPOCH'] ?? 0) * 1000);
  writeFileSync(out, billOfMaterials(basename(out, '.spdx.json'), [...executableParts(), ...debian], created));
}
