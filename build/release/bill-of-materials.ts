// Writes what an artefact is made of as CycloneDX 1.6: the packages of npm with Node, and those of Debian, each with its licence.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Stamp } from '../bundle.ts';
import { npmPackages } from '../image/bill-of-materials.ts';

/** Component: `licence` is an expression of SPDX, or the word of a copyright file of Debian. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** Package URL, https://github.com/package-url/purl-spec */
  readonly purl: string;
  readonly licences: readonly string[];
}

/** cycloneDx gives the document: the same components and stamp give the same text. https://cyclonedx.org/docs/1.6/json/ */
export function cycloneDx(name: string, { version, date }: Stamp, components: readonly Component[]): string {
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { timestamp: date, component: { type: 'application', name, version } },
    components: components.map((each) => ({
      type: 'library',
      'bom-ref': each.purl,
      name: each.name,
      version: each.version,
      purl: each.purl,
      licenses: each.licences.map((licence) => ({ license: { name: licence } })),
    })),
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

/** SpdxPackage is one of a bill of materials of the card image. */
export interface SpdxPackage {
  readonly name: string;
  readonly versionInfo: string;
  readonly licenseDeclared: string;
  readonly externalRefs: readonly [{ readonly referenceLocator: string }];
}

/** componentOf takes a package of such a bill over. */
export function componentOf({ name, versionInfo, licenseDeclared, externalRefs }: SpdxPackage): Component {
  return { name, version: versionInfo, purl: externalRefs[0].referenceLocator, licences: [licenseDeclared] };
}

/** executableComponents are what `make binary` puts into the file. */
export function executableComponents(): Component[] {
  const packages = npmPackages(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  return packages.map(({ name, version, purl, licence }) => ({ name, version, purl, licences: [licence] }));
}

/** debianComponent reads the licences in a copyright file: the first words of `License:`, or none where it has another form. https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
export function debianComponent(
  debian: { readonly name: string; readonly version: string; readonly copyright: string },
  architecture: string,
): Component {
  const { name, version, copyright } = debian;
  const isFormatted = /^Format:/m.test(copyright);
  const words = isFormatted ? Array.from(copyright.matchAll(/^License: *(\S.*)$/gm), ([, licence = '']) => licence.trim()) : [];
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
  return { name, version, purl, licences: words.length > 0 ? [...new Set(words)].sort() : ['see /usr/share/doc in the image'] };
}
