// Which names and addresses the server certificate stands for (subjectAltName, RFC 5280 4.2.1.6).

import { isIP } from 'node:net';
import { domainToUnicode } from 'node:url';
import { CERTIFICATE_NAME_ADVICE, certificateName, dnsName, normaliseAddress } from '../base/certificate-name.ts';
import { OperatorError } from '../base/errors.ts';
import { hostNameOf } from '../base/network-label.ts';
import type { MachineNames } from './options.ts';

/** ServerNames are in normal form: DNS names in lower-case ASCII, IPv6 compressed; no entry twice. */
export interface ServerNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/** RFC 6762 9: what becomes of a host name that another machine has. */
const NUMBERED = /-(\d+)\.local$/;

const LINK_LOCAL = /^fe[89ab]/;

/** serverNames joins the machine's own names, the loopback names and the operator's. Throws OperatorError for a bad extra name. */
export function serverNames(machine: MachineNames, extraNames: readonly string[]): ServerNames {
  const extra = extraNames.map(normaliseName);
  return {
    dns: unique([...hostNames(machine), 'localhost', ...extra.filter((name) => isIP(name) === 0)]),
    ip: unique([...machineAddresses(machine.addresses), '127.0.0.1', '::1', ...extra.filter((name) => isIP(name) !== 0)]),
  };
}

/** normaliseName gives what certificateName gives. Throws OperatorError for what no certificate can carry. */
export function normaliseName(text: string): string {
  const name = certificateName(text);
  if (name !== null) return name;
  throw new OperatorError(
    `Cannot use certificate name "${text}": it is neither a host name nor an IP address - ${CERTIFICATE_NAME_ADVICE}`,
  );
}

/** namesOf reads the names back from X509Certificate.subjectAltName of node:crypto. */
export function namesOf(subjectAltName: string | undefined): ServerNames {
  const entries = (subjectAltName ?? '').split(', ');
  const after = (prefix: string) => entries.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
  return {
    dns: after('DNS:'),
    ip: after('IP Address:').map((address) => (isIP(address) === 0 ? address : normaliseAddress(address))),
  };
}

/**
 * nameProblem says why a certificate with the names `present` no longer suits `wanted`, or null.
 * An address that has gone is no reason, nor is a name that the network gives to `hostName`: they do no harm, and come and go.
 */
export function nameProblem(present: ServerNames, wanted: ServerNames, hostName: string): string | null {
  const missing = [...without(wanted.dns, present.dns), ...without(wanted.ip, present.ip)];
  if (missing.length > 0) return `it lacks ${missing.join(', ')}`;
  const surplus = without(present.dns, wanted.dns).filter((name) => !isLentName(name, hostName));
  return surplus.length > 0 ? `it still names ${surplus.join(', ')}` : null;
}

/** machineLabel is the first label of the host name, for people to read; never empty. */
export function machineLabel(hostName: string): string {
  return hostName.split('.')[0] || 'midge';
}

/** A host name that no certificate can carry is left out: addresses and localhost still make a certificate of use. */
function hostNames({ hostName, announced }: MachineNames): string[] {
  const lent = dnsName(announced ?? '');
  return [...ownNames(dnsName(hostName)), ...(lent === null ? [] : [lent])];
}

function ownNames(full: string | null): string[] {
  if (full === null || full.startsWith('*')) return [];
  const short = machineLabel(full);
  return full === 'localhost' ? [full] : [full, short, `${short}.local`];
}

/** `pi-2.local` of a machine that is called pi, `localhost.local` of one without a name: the network may give that name again. */
function isLentName(name: string, hostName: string): boolean {
  const [, number = 1] = NUMBERED.exec(domainToUnicode(name)) ?? [];
  return [1, Number(number)].some((ordinal) => dnsName(hostNameOf(hostName, ordinal)) === name);
}

/** Link-local IPv6 is left out: an address without its interface names no machine, and a certificate has no room for the interface. */
function machineAddresses(addresses: readonly string[]): string[] {
  return addresses
    .filter((address) => isIP(address) !== 0 && !address.includes('%'))
    .map(normaliseAddress)
    .filter((address) => !LINK_LOCAL.test(address));
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
