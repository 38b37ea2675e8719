// Where phones find this box: the listener that they sign in at, the name that they call it by, and the pages of their links.

import { X509Certificate } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { namesOf } from '../certificates/names.ts';
import { machineNames } from '../host/host.ts';
import type { BrokerAddress, PhoneProtocol } from '../phones/phone.ts';
import type { OpenListener, OperationNeeds } from './needs.ts';
import { badInput, OperationFailure } from './operation.ts';

/** Asked is what the owner has chosen: a name or an address (null = the best there is), and what the phone speaks. */
export interface Asked {
  readonly host: string | null;
  readonly protocol: PhoneProtocol;
}

/** What to add where there is no such listener: its usual port, and its lines. */
const WANTED: Readonly<Record<PhoneProtocol, { readonly port: number; readonly lines: readonly string[] }>> = {
  mqtt: { port: 8883, lines: ['secure true'] },
  websockets: { port: 8084, lines: ['protocol websockets', 'secure true'] },
  http: { port: 8443, lines: ['protocol http'] },
};

/** RFC 1123 2.1, and underscores, which routers give to machines; 253 characters at most. */
const HOST_NAME = /^(?!.{254})[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;

/** phoneListener gives the listener for phones. Throws OperationFailure when there is none. */
export function phoneListener({ listeners }: Pick<OperationNeeds, 'listeners'>, protocol: PhoneProtocol): OpenListener {
  const usable = listeners.filter((each) => each.protocol === protocol && each.certificate !== null && isOpenToOthers(each));
  const found =
    usable.find(({ wantsCertificate }) => !wantsCertificate) ?? usable.find((each) => protocol !== 'http' && each.takesOurCertificates);
  if (found !== undefined) return found;
  const reason =
    usable.length > 0
      ? 'each listener with TLS has require_certificate true, by an authority that is not ours'
      : 'no listener with TLS is open to the network';
  throw new OperationFailure(
    'not possible',
    `Cannot set phones up: ${reason} - add "${newListener({ listeners }, protocol).join('", "')}" to the configuration`,
  );
}

/** newListener gives the lines of one that phones can use, on the first port from the usual one on that no other listener has. */
export function newListener({ listeners }: Pick<OperationNeeds, 'listeners'>, protocol: PhoneProtocol): readonly string[] {
  const wanted = WANTED[protocol];
  let { port } = wanted;
  while (listeners.some((each) => each.port === port)) port++;
  return [`listener ${port}`, ...wanted.lines];
}

/** phoneAddress gives what a phone connects to. Throws OperationFailure when there is no such listener, or its certificate lacks the name. */
export function phoneAddress(needs: OperationNeeds, { host, protocol }: Asked): BrokerAddress {
  const listener = phoneListener(needs, protocol);
  return { host: hostOf(needs, listener, host), port: listener.port, protocol };
}

/** hostOf gives the name by which others find a listener: the one that is asked for, or the best there is. Throws OperationFailure when its certificate lacks the name. */
export function hostOf(needs: OperationNeeds, listener: OpenListener, asked: string | null, readers: Readers = 'phones'): string {
  if (asked !== null && isIP(asked) === 0 && !HOST_NAME.test(asked))
    throw badInput('host', `Cannot have others connect to "${asked}": it is neither the name of a machine nor an address`);
  const shown = certificateShown(needs, listener, readers);
  if (asked !== null && !shown.covers(asked)) throw badInput('host', shown.fault(asked));
  const found = asked ?? [...shown.trusted, ...ownNames(needs).filter(shown.covers), ...shown.chosen][0];
  if (found === undefined) throw badInput('host', 'Cannot find a name of this machine that is in the certificate: name the host');
  return found;
}

/** Readers look at certificates: brokers take the name of the subject where there is no other, as OpenSSL does. */
type Readers = 'phones' | 'brokers';

/** ShownCertificate is what a listener shows to who comes under a name. */
interface ShownCertificate {
  /** Names under which every machine trusts it. */
  readonly trusted: readonly string[];
  /** Names that the owner has had put into it; without those with *, which nobody can connect to. */
  readonly chosen: readonly string[];
  covers(name: string): boolean;
  /** fault says that it lacks a name, and what to do. */
  fault(name: string): string;
}

function certificateShown(needs: OperationNeeds, { name: listener, certificate }: OpenListener, readers: Readers): ShownCertificate {
  if (certificate === 'ours' && needs.certificates !== null) {
    const names = namesIn(new X509Certificate(needs.certificates.server().cert));
    return {
      trusted: publicNames(needs),
      chosen: [],
      covers: (name) => isPublic(needs, name) || names.includes(name.toLowerCase()),
      fault: (name) =>
        `Cannot have others connect to "${name}": the certificate does not name it, so that they would refuse it - midge config set certificate_names ${name}, or take one of ${names.join(', ')}`,
    };
  }
  const own = certificate === 'of files' ? needs.certificateOfFiles(listener) : null;
  if (own === null) return { trusted: [], chosen: [], covers: () => true, fault: () => '' };
  const read = new X509Certificate(own.pem);
  const names = namesIn(read);
  return {
    trusted: [],
    chosen: names.filter((each) => !each.includes('*')),
    covers: (name) => coversName(read, name, readers),
    fault: (name) =>
      names.length === 0
        ? `Cannot have others connect to "${name}": the certificate in "${own.file}" names no machine, so that they would refuse it - put one there that does`
        : `Cannot have others connect to "${name}": the certificate in "${own.file}" does not name it, so that they would refuse it - put one there that does, or take one of ${names.join(', ')}`,
  };
}

/** As RFC 9525 has it: * stands for one whole label. */
function coversName(certificate: X509Certificate, name: string, readers: Readers): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  const subject = readers === 'phones' ? 'never' : 'default';
  return certificate.checkHost(name.replace(/\.$/, ''), { subject, partialWildcards: false }) !== undefined;
}

/** PhoneHost is a name by which phones can find this box. */
export interface PhoneHost {
  readonly host: string;
  /** Phones trust its certificate without more, and find it from outside too. */
  readonly isPublic: boolean;
}

/** phoneHosts gives the names that phones can be given, the best first. Throws OperationFailure when there is no listener for phones. */
export function phoneHosts(needs: OperationNeeds, protocol: PhoneProtocol = 'mqtt'): readonly PhoneHost[] {
  const listener = phoneListener(needs, protocol);
  const { trusted, covers, chosen } = certificateShown(needs, listener, 'phones');
  const own = new Set([...ownNames(needs).filter(covers), ...chosen]);
  return [
    ...trusted.map((host) => ({ host, isPublic: true })),
    ...[...own].filter((each) => !trusted.includes(each.toLowerCase())).map((host) => ({ host, isPublic: false })),
  ];
}

/** namesOfListener gives the names by which devices of the network find a listener, the best first; none where only programs of this machine reach it. */
export function namesOfListener(needs: OperationNeeds, listener: OpenListener): readonly string[] {
  if (!isOpenToOthers(listener)) return [];
  const { trusted, covers, chosen } = certificateShown(needs, listener, 'phones');
  const isEverywhere = listener.addresses.some((each) => each === '0.0.0.0' || each === '::');
  const isThere = (name: string) => isEverywhere || !isIPv4(name) || listener.addresses.includes(name);
  return [...new Set([...trusted, ...ownNames(needs).filter((name) => covers(name) && isThere(name)), ...chosen])];
}

/** PageAddresses are the beginnings of the links. `plain` is for a phone that does not trust our authority yet; null = it need not, or no listener is there for it. */
export interface PageAddresses {
  readonly plain: string | null;
  readonly secure: string;
  /** Phones trust the certificate of the pages without more. */
  readonly isTrusted: boolean;
}

/** pageAddresses throws OperationFailure when no listener is there for the pages. */
export function pageAddresses(needs: OperationNeeds, host: string | null): PageAddresses {
  const pages = needs.listeners.filter((each) => each.protocol === 'http' && isOpenToOthers(each));
  const secure = pages.find(({ certificate, wantsCertificate }) => certificate !== null && !wantsCertificate);
  if (secure === undefined)
    throw new OperationFailure(
      'not possible',
      `Cannot make a link for a phone: no listener with "protocol http" and TLS is open to the network - add "${newListener(needs, 'http').join('", "')}" to the configuration`,
    );
  const name = nameForPages(needs, secure, host);
  const isTrusted = secure.certificate !== 'ours' || isPublic(needs, name);
  const plain = isTrusted ? undefined : pages.find(({ tls }) => !tls);
  return {
    plain: plain === undefined ? null : `http://${inUrl(name)}${plain.port === 80 ? '' : `:${plain.port}`}`,
    secure: `https://${inUrl(name)}${secure.port === 443 ? '' : `:${secure.port}`}`,
    isTrusted,
  };
}

/** The pages may have another certificate than MQTT. A phone can be made to trust ours, and no other. */
function nameForPages(needs: OperationNeeds, secure: OpenListener, host: string | null): string {
  if (secure.certificate === 'of files' && (host === null || !certificateShown(needs, secure, 'phones').covers(host)))
    return hostOf(needs, secure, null);
  return host ?? machineNames().addresses.find((each) => isIPv4(each)) ?? ownNames(needs)[0] ?? 'localhost';
}

/** isPublic tells whether every machine trusts the certificate that this box shows under a name. */
export function isPublic(needs: Pick<OperationNeeds, 'internet' | 'broker'>, name: string): boolean {
  return publicNames(needs).includes(name.toLowerCase());
}

/** Phones trust the certificate of a name that an authority of the Internet has signed (`acme_names`), until it ends. */
function publicNames({ internet, broker }: Pick<OperationNeeds, 'internet' | 'broker'>): readonly string[] {
  const state = internet?.certificateState ?? null;
  if (state === null || state.expires === null || state.expires <= broker.clock.now()) return [];
  return state.names.filter((each) => !each.startsWith('*'));
}

/** A name stays when the router gives another address. */
function ownNames({ certificateNames, announcedHost }: Pick<OperationNeeds, 'certificateNames' | 'announcedHost'>): readonly string[] {
  const { hostName, addresses } = machineNames();
  const written = certificateNames.filter((each) => isIP(each) === 0 && !each.startsWith('*'));
  return [...written, ...(announcedHost === null ? [] : [announcedHost]), ...addresses.filter((each) => isIPv4(each)), hostName];
}

function namesIn(certificate: X509Certificate): readonly string[] {
  const { dns, ip } = namesOf(certificate.subjectAltName);
  return [...dns, ...ip].map((each) => each.toLowerCase());
}

/** isOpenToOthers is false for a listener that only programs of this machine reach. */
export function isOpenToOthers({ addresses }: Pick<OpenListener, 'addresses'>): boolean {
  return addresses.some((each) => !each.startsWith('127.') && each !== '::1' && !each.startsWith('/'));
}

/** inUrl writes an address of IPv6 as it stands before a port. */
export function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
