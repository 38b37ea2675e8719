// The files of TLS that a `connection` block names are opened once before anything starts, and the block's own file if it holds a secret.

import { reasonOf } from '../base/errors.ts';
import { certificatesInFile, certificatesInFolder, readCertificatePair } from '../base/pem-files.ts';
import { warnIfOpen } from './check-files.ts';
import { EXIT, type Report } from './diagnostic.ts';
import type { BridgeDraft } from './draft.ts';

const SECRETS = ['remote_password', 'local_password', 'bridge_psk'];

/** checkBridgeFiles reads certificates, keys and authorities. A secret that others may read is a warning. */
export function checkBridgeFiles(drafts: readonly BridgeDraft[], report: Report): void {
  for (const { tls, places } of drafts) {
    const look = (word: string, read: () => unknown): void => {
      try {
        read();
      } catch (error) {
        report.error(places.get(word) ?? null, reasonOf(error), null, EXIT.FAILED);
      }
    };
    const { cafile = null, capath = null, certfile, keyfile } = tls;
    if (cafile !== null) look('bridge_cafile', () => certificatesInFile('bridge_cafile', cafile));
    if (capath !== null) look('bridge_capath', () => certificatesInFolder('bridge_capath', capath));
    if (certfile !== undefined && keyfile !== undefined)
      look('bridge_certfile', () => readCertificatePair({ certfile, keyfile, prefix: 'bridge_' }));
    const keyPlace = places.get('bridge_keyfile');
    if (keyfile !== undefined && keyPlace !== undefined)
      warnIfOpen(keyfile, keyPlace, 'the key can be read by everyone on this machine', report);
  }
  warnOfOpenSecrets(drafts, report);
}

/** Each file is named once. */
function warnOfOpenSecrets(drafts: readonly BridgeDraft[], report: Report): void {
  const files = new Set<string>();
  for (const { places } of drafts) {
    const place = SECRETS.map((word) => places.get(word)).find((each) => each !== undefined);
    if (place === undefined || files.has(place.file)) continue;
    files.add(place.file);
    warnIfOpen(place.file, place, 'the password can be read by everyone on this machine', report);
  }
}
