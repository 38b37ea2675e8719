// The files that a configuration names are opened once before anything starts: what is missing or does not fit is reported with the rest.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, statSync } from 'node:fs';

import { type AclFile, parseAclFile } from '../access/acl-file.ts';
import { readSecurityFile } from '../access/dynamic-security/security-file.ts';
import type { FileDiagnostic } from '../access/file-diagnostic.ts';
import { type AccessOptions, filesOf } from '../access/options.ts';
import { parsePasswordFile } from '../access/password-file.ts';
import { reasonOf } from '../base/errors.ts';
import { readNamedFile, readNamedText } from '../base/named-file.ts';
import { certificatesInFolder } from '../base/pem-files.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import { parsePskFile } from '../listeners/psk-file.ts';
import { certificateProblems } from './certificate-diagnostics.ts';
import type { Configuration } from './configuration.ts';
import { EXIT, type Place, type Report } from './diagnostic.ts';
import type { GlobalDraft, ListenerDraft, Places } from './draft.ts';
import type { Interpretation } from './interpreter.ts';

/** checkFiles reads certificates, keys, password and ACL files, in mosquitto's sentences. A file that others may read a secret from is a warning. */
export function checkFiles({ global, defaultListener, listeners }: Interpretation, configuration: Configuration, report: Report): void {
  const { password } = global.access;
  const drafts = [defaultListener, ...listeners];
  for (const draft of [global, ...drafts]) checkSecurityFiles(draft, configuration, report);
  const passwordPlace = global.places.get('password') ?? null;
  if (password !== undefined && passwordPlace !== null)
    warnIfOpen(passwordPlace.file, passwordPlace, 'the password can be read by everyone on this machine', report);
  for (const draft of drafts) checkTlsFiles(draft, report);
  checkDynamicSecurity(global, report);
}

function checkSecurityFiles({ security, places }: GlobalDraft | ListenerDraft, configuration: Configuration, report: Report): void {
  const { passwordFile, aclFile, pskFile } = security;
  if (passwordFile !== undefined) checkPasswordFile(passwordFile, places.get('password_file') ?? null, report);
  if (aclFile !== undefined) checkAclFile(aclFile, places.get('acl_file') ?? null, configuration, report);
  if (pskFile !== undefined) checkPskFile(pskFile, places.get('psk_file') ?? null, report);
}

function checkPasswordFile(file: string, place: Place | null, report: Report): void {
  const text = readOrReport(file, place, `Unable to open pwfile "${file}"`, report);
  if (text === null) return;
  reportRemarks(parsePasswordFile(text, file).remarks, report);
  warnIfOpen(file, place, 'users can be read by everyone on this machine', report);
}

/** A file that is not there yet is made at the start. */
function checkDynamicSecurity({ access, places }: GlobalDraft, report: Report): void {
  const { dynamicSecurityFile: file, dynamicSecurityPasswordFile: passwordFile } = access;
  if (file === undefined) return;
  const place = places.get('dynamic_security_file') ?? null;
  if (existsSync(file)) {
    try {
      readSecurityFile(file);
    } catch (error) {
      report.error(place, reasonOf(error), 'mend the file, or put a copy of it back');
    }
    warnIfOpen(file, place, 'users can be read by everyone on this machine', report);
  } else if (passwordFile !== undefined) {
    readOrReport(
      passwordFile,
      places.get('dynamic_security_password_file') ?? null,
      `Unable to open password file "${passwordFile}"`,
      report,
    );
  }
}

function checkPskFile(file: string, place: Place | null, report: Report): void {
  if (readOrReport(file, place, `Unable to open psk_file "${file}"`, report) === null) return;
  reportRemarks(parsePskFile(file).remarks, report);
  warnIfOpen(file, place, 'keys can be read by everyone on this machine', report);
}

function checkAclFile(file: string, place: Place | null, { access, listeners }: Configuration, report: Report): void {
  const text = readOrReport(file, place, `Unable to open acl_file "${file}"`, report);
  if (text === null) return;
  const { acl, remarks } = parseAclFile(text, file);
  reportRemarks(remarks, report);
  const [forGuests] = acl.users.get(null) ?? [];
  const ruled = listeners.filter(({ policy }) => filesOf(access, policy.name).aclFile === file);
  reportStrangers(acl, ruled, access, report);
  if (forGuests !== undefined && !ruled.some(({ policy }) => policy.allowAnonymous)) {
    const why = 'topic lines above the first user line are for clients without a user name, and no listener lets them in';
    report.warning(
      { file, line: forGuests.line, column: 1 },
      `This rule has no effect: ${why}`,
      'write pattern instead of topic to allow it to everybody',
    );
  }
}

/** A rule for a user who has no account is a slip in the name; with names from certificates or keys nobody knows all of them. */
function reportStrangers({ users, path: file }: AclFile, ruled: readonly ListenerOptions[], access: AccessOptions, report: Report): void {
  const accounts = new Set(access.account === null ? [] : [access.account.username]);
  for (const { policy, tls, proxyCertificate } of ruled) {
    const { passwordFile } = filesOf(access, policy.name);
    const isOpen =
      (passwordFile === null && access.account === null) ||
      (tls !== null && tls.identity !== 'none') ||
      proxyCertificate === 'names the user';
    const text = passwordFile === null ? '' : textOf(passwordFile);
    if (isOpen || text === null) return;
    for (const user of parsePasswordFile(text, '').users.keys()) accounts.add(user);
  }
  for (const [user, [first]] of ruled.length === 0 ? [] : users) {
    if (user === null || first === undefined || accounts.has(user)) continue;
    const place = { file, line: first.line, column: 1 };
    report.warning(
      place,
      `This rule is for user "${user}", who has no account`,
      'correct the name in the user line above, or add the user with midge passwd',
    );
  }
}

function textOf(file: string): string | null {
  try {
    return readNamedText(file);
  } catch {
    return null;
  }
}

function readOrReport(file: string, place: Place | null, message: string, report: Report): string | null {
  try {
    return readNamedText(file);
  } catch (error) {
    report.error(place, message, fileHint(file, error), EXIT.UNKNOWN);
    return null;
  }
}

function reportRemarks(remarks: readonly FileDiagnostic[], report: Report): void {
  for (const { severity, file, line, column, message, hint } of remarks) report[severity]({ file, line, column }, message, hint);
}

function checkTlsFiles({ tls, places }: ListenerDraft, report: Report): void {
  const { certfile, keyfile, cafile = null, capath = null, crlfile = null } = tls;
  const certificate = certfile === undefined ? null : readCertificate(certfile, places, report);
  if (keyfile !== undefined) checkKey(keyfile, certificate, places, report);
  if (cafile !== null) readCertificates(cafile, places.get('cafile') ?? null, report);
  if (capath !== null) checkAuthorities(capath, places.get('capath') ?? null, report);
  if (crlfile !== null)
    isReadable(crlfile, places.get('crlfile') ?? null, `Unable to load certificate revocation file "${crlfile}". Check crlfile`, report);
}

/** What to do about a certificate that clients refuse. */
const REMEDY = 'make another one; or write secure true instead of certfile and keyfile: midge makes its own';

function readCertificate(file: string, places: Places, report: Report): X509Certificate | null {
  const place = places.get('certfile') ?? null;
  try {
    const certificate = new X509Certificate(readNamedFile(file));
    const remarks = certificateProblems(certificate, Date.now());
    const isOver = certificate.validToDate.getTime() < Date.now();
    if (remarks.length > 0)
      report.warning(place, `Clients ${isOver ? 'will' : 'may'} refuse certificate "${file}": ${remarks.join(', ')}`, REMEDY);
    return certificate;
  } catch (error) {
    report.error(place, `Unable to load server certificate "${file}". Check certfile`, fileHint(file, error), EXIT.FAILED);
    return null;
  }
}

function checkKey(file: string, certificate: X509Certificate | null, places: Places, report: Report): void {
  const place = places.get('keyfile') ?? null;
  try {
    const key = createPrivateKey(readNamedFile(file));
    if (certificate !== null && !certificate.checkPrivateKey(key)) {
      report.error(place, 'Server certificate/key are inconsistent', 'certfile and keyfile must belong together', EXIT.FAILED);
    }
  } catch (error) {
    report.error(
      place,
      `Unable to load server key file "${file}". Check keyfile`,
      isEncrypted(file)
        ? `it has a passphrase, and nobody can type that when the broker starts - remove it: openssl pkey -in ${file} -out NEWFILE`
        : fileHint(file, error),
      EXIT.FAILED,
    );
    return;
  }
  warnIfOpen(file, place, 'the key can be read by everyone on this machine', report);
}

function isEncrypted(file: string): boolean {
  try {
    return /^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(readNamedText(file));
  } catch {
    return false;
  }
}

function readCertificates(file: string, place: Place | null, report: Report): void {
  try {
    new X509Certificate(readNamedFile(file));
  } catch (error) {
    report.error(place, `Unable to load CA certificates. Check cafile "${file}"`, fileHint(file, error), EXIT.FAILED);
  }
}

function checkAuthorities(folder: string, place: Place | null, report: Report): void {
  if (!isReadable(folder, place, `Unable to load CA certificates. Check capath "${folder}"`, report)) return;
  try {
    certificatesInFolder('capath', folder);
  } catch (error) {
    report.error(place, reasonOf(error), 'put the certificates of the authorities there, or name one file with cafile', EXIT.FAILED);
  }
}

function isReadable(file: string, place: Place | null, message: string, report: Report): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch (error) {
    report.error(place, message, fileHint(file, error), EXIT.FAILED);
    return false;
  }
}

/** fileHint says why a file cannot be used; a comment behind the value is the mistake that people make. */
export function fileHint(file: string, error: unknown): string {
  if (/[ \t]#/.test(file)) return 'a comment needs a line of its own; behind a path it belongs to the path';
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return typeof code === 'string' && code.startsWith('ERR_OSSL') ? 'it is not in PEM form' : reasonOf(error);
}

/** Others may read. */
const WORLD_READABLE = 0o004;

/** warnIfOpen warns where everybody on this machine may read a file. */
export function warnIfOpen(file: string, place: Place | null, message: string, report: Report): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() && (stats.mode & WORLD_READABLE) !== 0) report.warning(place, `In ${file} ${message}`, `chmod o-r ${file}`);
}
