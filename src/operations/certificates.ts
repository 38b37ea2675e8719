// The certificates of the appliance's own authority: its own, that of the server, and those of clients, which come and go here.

import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { makePassword } from '../access/first-account.ts';
import type { ClientCertificate, ClientRegister } from '../certificates/client-certificates.ts';
import { namesOf } from '../certificates/names.ts';
import type { OperationNeeds } from './needs.ts';
import { type Answer, download, OperationFailure, operation } from './operation.ts';
import { PAGE_INPUT, pageOf, takePage } from './page.ts';
import { iso, TIME } from './time.ts';

const COMMON = {
  serial: z.string().describe('hexadecimal'),
  fingerprint: z.string().describe('SHA-256, hexadecimal with colons'),
  from: TIME,
  until: TIME,
};

/** CERTIFICATES shows what devices meet. */
export const CERTIFICATES = operation({
  name: 'certificates',
  kind: 'query',
  right: 'viewer',
  summary: 'The certificate of our authority, which devices must trust, and that of the server.',
  input: z.strictObject({}),
  output: z.object({
    authority: z.object({ ...COMMON, name: z.string() }),
    server: z.object({ ...COMMON, names: z.array(z.string()).describe('host names and addresses that it is good for') }),
  }),
  run: (needs) => {
    const ours = certificatesOf(needs);
    const authority = new X509Certificate(ours.authority().cert);
    const server = new X509Certificate(ours.server().cert);
    const { dns, ip } = namesOf(server.subjectAltName);
    return {
      authority: { ...common(authority), name: commonNameIn(authority.subject) },
      server: { ...common(server), names: [...dns, ...ip] },
    };
  },
});

/** DOWNLOAD_AUTHORITY gives what devices must trust. */
export const DOWNLOAD_AUTHORITY = download(
  {
    name: 'download authority',
    kind: 'query',
    right: 'monitoring',
    summary: 'The certificate of our authority as a file (PEM), for devices that are to trust it; it is no secret.',
    input: z.strictObject({}),
    download: ['application/x-x509-ca-cert'],
    run: (needs) => ({
      mediaType: 'application/x-x509-ca-cert',
      fileName: 'ca.crt',
      chunks: oneChunk(Buffer.from(certificatesOf(needs).authority().cert)),
    }),
  },
  z.undefined(),
);

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const CLIENT = z.object({
  ...COMMON,
  name: z.string().describe('which the client has as its user name, where use_identity_as_username says so'),
  state: z.enum(['valid', 'expired', 'revoked']),
  revoked: TIME.nullable(),
});

/** CLIENT_CERTIFICATES lists them. */
export const CLIENT_CERTIFICATES = operation({
  name: 'client certificates',
  kind: 'query',
  right: 'viewer',
  summary: 'Certificates that our authority has issued for clients, by name and age; revoked ones too.',
  input: z.strictObject({
    ...PAGE_INPUT,
    search: z.string().nullish().describe('only those that have this in their name or serial number'),
  }),
  output: pageOf(CLIENT),
  run: async (needs, { search, ...page }) => {
    const register = await registerOf(needs);
    const all = await register.list();
    const found = all.filter(({ name, serial }) => search == null || name.includes(search) || serial.includes(search.toLowerCase()));
    return takePage(found, page, ({ name, notBefore, serial }) => `${name}\0${String(notBefore).padStart(15, '0')}\0${serial}`, show);
  },
});

const FORMATS = ['p12', 'pem'] as const;

/** ISSUE_CLIENT_CERTIFICATE makes one with a new key, which is told only this once and kept nowhere. */
export const ISSUE_CLIENT_CERTIFICATE = operation({
  name: 'issue client certificate',
  kind: 'command',
  right: 'admin',
  summary: 'Issue a certificate for a client; its key is in this answer only.',
  input: z.strictObject({
    name: z.string().describe('of the client'),
    format: z
      .enum(FORMATS)
      .default('p12')
      .describe("'p12' = PKCS #12 with a password, for phones; 'pem' = certificate, authority and key as text"),
  }),
  output: z.object({
    certificate: CLIENT,
    file: z.object({
      name: z.string(),
      mediaType: z.string(),
      content: z.string().describe('in base64'),
      password: z.string().nullable().describe('of the file; null = it needs none'),
    }),
  }),
  run: issue,
});

async function issue(needs: OperationNeeds, { name, format }: { readonly name: string; readonly format: (typeof FORMATS)[number] }) {
  const register = await registerOf(needs);
  const { certificate, key } = await register.issue(name, { now: Date.now(), buildDate: needs.program.buildDate });
  const authority = register.authority.cert;
  if (format === 'pem') {
    const { keyToPem } = await import('../certificates/issue.ts');
    const text = `${certificate.cert}${authority}${keyToPem(key)}`;
    return { certificate: show(certificate), file: fileOf(`${name}.pem`, 'application/x-pem-file', Buffer.from(text), null) };
  }
  const { makePkcs12 } = await import('../certificates/pkcs12.ts');
  const password = makePassword();
  const bundle = makePkcs12({ key, cert: certificate.cert, authority, name }, password);
  return { certificate: show(certificate), file: fileOf(`${name}.p12`, 'application/x-pkcs12', bundle, password) };
}

function fileOf(name: string, mediaType: string, bytes: Buffer, password: string | null) {
  return { name, mediaType, content: bytes.toString('base64'), password };
}

/** REVOKE_CLIENT_CERTIFICATE is in force when it answers. */
export const REVOKE_CLIENT_CERTIFICATE = operation({
  name: 'revoke client certificate',
  kind: 'command',
  right: 'admin',
  summary: 'Take the certificates of a client out of use at once; who is connected with one is disconnected.',
  input: z.strictObject({ certificate: z.string().describe('name, or the serial number of one') }),
  output: z.object({ revoked: z.array(CLIENT) }),
  run: async (needs, { certificate }) => {
    const register = await registerOf(needs);
    const all = await register.list();
    const isMeant = ({ name, serial }: ClientCertificate) => name === certificate || serial === certificate.toLowerCase();
    if (!all.some(isMeant)) throw new OperationFailure('not found', `Cannot revoke "${certificate}": no certificate was issued for it`);
    const revoked = await register.revoke(certificate, Date.now());
    await certificatesOf(needs).check();
    return { revoked: revoked.map(show) };
  },
});

function certificatesOf({ certificates }: OperationNeeds) {
  if (certificates !== null) return certificates;
  throw new OperationFailure('not possible', 'Cannot tell about certificates: no listener uses one of our authority ("secure true")');
}

/** registerOf opens the register for each request: `midge cert` changes it as well. */
export async function registerOf(needs: OperationNeeds): Promise<ClientRegister> {
  certificatesOf(needs);
  const { ClientRegister } = await import('../certificates/client-certificates.ts');
  return ClientRegister.open(needs.state.certificates);
}

function show({ name, serial, cert, notBefore, notAfter, revokedAt }: ClientCertificate): Answer<z.infer<typeof CLIENT>> {
  return {
    name,
    serial,
    fingerprint: new X509Certificate(cert).fingerprint256,
    from: iso(notBefore),
    until: iso(notAfter),
    state: revokedAt !== null ? 'revoked' : notAfter < Date.now() ? 'expired' : 'valid',
    revoked: revokedAt === null ? null : iso(revokedAt),
  };
}

function common({ serialNumber, fingerprint256, validFromDate, validToDate }: X509Certificate) {
  return {
    serial: serialNumber.toLowerCase(),
    fingerprint: fingerprint256,
    from: iso(validFromDate.getTime()),
    until: iso(validToDate.getTime()),
  };
}

function commonNameIn(subject: string): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject;
}
