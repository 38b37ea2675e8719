// Writes what an artefact is made of as CycloneDX 1.6: the packages of npm, Node with its libraries, and the packages of Debian, each with its licence.

import type { Stamp } from '../bundle.ts';
import type { Part } from '../executable-parts.ts';
import { debianLicence } from '../image/debian-licences.ts';

/** cycloneDx gives the document: the same components and stamp give the same text. https://cyclonedx.org/docs/1.6/json/ */
export function cycloneDx(name: string, { version, date }: Stamp, parts: readonly Part[]): string {
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { timestamp: date, component: { type: 'application', name, version } },
    components: parts.map((each) => ({
      type: 'library',
      'bom-ref': each.purl,
      name: each.name,
      ...(each.version === '' ? {} : { version: each.version }),
      purl: each.purl,
      licenses: [{ expression: each.licence }],
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

/** partOf takes a package of such a bill over. */
export function partOf({ name, versionInfo, licenseDeclared, externalRefs }: SpdxPackage): Part {
  return { name, version: versionInfo, purl: externalRefs[0].referenceLocator, licence: licenseDeclared };
}

/** debianPart takes the licence from the copyright file of the package. */
export function debianPart(
  { name, version, copyright }: { readonly name: string; readonly version: string; readonly copyright: string },
  architecture: string,
): Part {
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
  return { name, version, purl, licence: debianLicence(name, copyright).expression };
}
