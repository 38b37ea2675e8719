// A box whose listeners and files of accounts and rules are given, to be asked what is missing before something can be set up.

import type { AccessFiles } from '../../src/access/options.ts';
import type { OpenListener, OperationNeeds } from '../../src/operations/needs.ts';
import { operationsOn } from './test-operations.ts';

/** PLAIN is open to the network, without TLS. */
export const PLAIN: OpenListener = {
  ...{ name: '1883', protocol: 'mqtt', tls: false, certificate: null, wantsCertificate: false, takesOurCertificates: false },
  ...{ port: 1883, addresses: ['::'], connections: 0 },
};

const FILES: AccessFiles = { passwordFile: '/etc/midge/passwd', aclFile: '/etc/midge/acl' };

export interface SetupBox {
  readonly listeners: readonly OpenListener[];
  readonly files?: AccessFiles;
  readonly isPerListener?: boolean;
}

/** boxWith gives the operations of a box that has nothing else but names. */
export function boxWith({ listeners, files = FILES, isPerListener = false }: SetupBox) {
  return operationsOn({
    listeners,
    access: { filesOf: () => files, isPerListener },
    configuration: { file: null },
    phones: null,
    internet: null,
    certificates: null,
    certificateNames: ['pi.example'],
    announcedHost: null,
    invitations: { isName: () => true, readTopics: () => [] },
  } as unknown as OperationNeeds); // no more of it is looked at
}
