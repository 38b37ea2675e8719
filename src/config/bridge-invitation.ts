// An invitation: a `connection` block as one box prints it and another adds it, with the certificate of the authority in its comments. It is
// a whole configuration file of mosquitto.conf's language, so that a mosquitto can use it too.
//
//   # midge bridge accept FILE ...
//   connection anna
//   address pi.local:8883
//   ...
//   #-----BEGIN CERTIFICATE-----
//   #MIIB...
//   #-----END CERTIFICATE-----

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import type { BridgeTopic } from '../bridges/options.ts';
import { addresses as addressKind, topic as topicKind } from './bridge-values.ts';
import { isMistake } from './values.ts';
import { addBlock, type ChangedFile } from './writer.ts';

/** Invitation is what the other box needs. */
export interface Invitation {
  /** Of the block, and of the account. */
  readonly name: string;
  readonly password: string;
  /** `host:port`, and others with blanks between them. */
  readonly address: string;
  /** PEM of the authority to trust; 'public' = those that every machine trusts; null = no TLS. */
  readonly authority: string | 'public' | null;
  /** As the inviting box sees them. */
  readonly topics: readonly BridgeTopic[];
  /** Who invites, for people. */
  readonly from: string;
}

/** The other side keeps what waits for it so long: a week. Seconds. */
const SESSION_LIFE_S = 604_800;

const TURNED = { in: 'out', out: 'in', both: 'both' } as const;

/** writeInvitation gives the text. It holds the password. */
export function writeInvitation({ name, password, address, authority, topics, from }: Invitation): string {
  const tls =
    authority === null ? [] : authority === 'public' ? ['bridge_tls_use_os_certs true'] : [`bridge_cafile ${authorityFileOf(name)}`];
  const lines = [
    `# An invitation to the broker of ${from}. It holds a password: pass it on by a safe way, and delete it when it is used.`,
    '# On the page of the other box: Bridges, Accept an invitation. In its terminal: midge bridge accept FILE',
    ...(authority === null || authority === 'public'
      ? []
      : [`# For mosquitto: copy the block, and write the certificate at the end, without the #, into ${authorityFileOf(name)}.`]),
    `connection ${name}`,
    `address ${address}`,
    ...tls,
    `remote_username ${name}`,
    `remote_password ${password}`,
    'bridge_protocol_version mqttv50',
    `bridge_session_expiry_interval ${SESSION_LIFE_S}`,
    'notifications_local_only true',
    ...topics.map((topic) => `topic ${topicWords(turned(topic))}`),
    ...(authority === null || authority === 'public'
      ? []
      : authority
          .trim()
          .split('\n')
          .map((line) => `#${line.trim()}`)),
  ];
  return `${lines.join('\n')}\n`;
}

/** authorityFileOf names the file with the authority's certificate. */
export function authorityFileOf(name: string): string {
  return `bridge-${name}.crt`;
}

/** blockFileOf names the file with the block. */
export function blockFileOf(name: string): string {
  return `bridge-${name}.conf`;
}

/** ADDED_BY_MIDGE is the first line of that file: nobody else has written it. */
export const ADDED_BY_MIDGE = '# Added by midge.';

/** readTopics reads topics as a `topic` line has them; throws OperatorError. */
export function readTopics(texts: readonly string[]): readonly BridgeTopic[] {
  return texts.map((text) => {
    const reading = topicKind.read(text, 'topic');
    if (isMistake(reading)) throw new OperatorError(`${reading.problem}${reading.hint === null ? '' : ` - ${reading.hint}`}`);
    return reading.value;
  });
}

/** What goes out here comes in there. */
function turned({ direction, localPrefix, remotePrefix, ...rest }: BridgeTopic): BridgeTopic {
  return { ...rest, direction: TURNED[direction], localPrefix: remotePrefix, remotePrefix: localPrefix };
}

/** topicWords writes a topic as it stands in a file. */
export function topicWords({ pattern, direction, qos, localPrefix, remotePrefix }: BridgeTopic): string {
  const prefixes = localPrefix === '' && remotePrefix === '' ? [] : [quoted(localPrefix), quoted(remotePrefix)];
  return [quoted(pattern), direction, String(qos), ...prefixes].join(' ');
}

function quoted(text: string): string {
  return text === '' || /\s/.test(text) ? `"${text}"` : text;
}

/** The only words of an invitation: it comes from somebody else, and names no file of this machine, no user here, and nothing but a bridge. */
const ALLOWED = new Set([
  'connection',
  'address',
  'addresses',
  'topic',
  'remote_username',
  'remote_password',
  'remote_clientid',
  'bridge_protocol_version',
  'bridge_session_expiry_interval',
  'bridge_cafile',
  'bridge_tls_use_os_certs',
  'bridge_tls_server_name',
  'bridge_tls_version',
  'bridge_alpn',
  'cleansession',
  'keepalive_interval',
  'notifications',
  'notifications_local_only',
  'try_private',
]);

const CERTIFICATES = /(?:^#?-----BEGIN CERTIFICATE-----$\n(?:^#?[A-Za-z0-9+/=]+$\n)+^#?-----END CERTIFICATE-----$\n?)+/m;

/** Invited is an invitation that has been looked at. */
export interface Invited {
  readonly name: string;
  /** The box that invites, as its invitation calls it; null = it does not say. */
  readonly from: string | null;
  /** Lines of the block, `connection` first and without `bridge_cafile`. */
  readonly lines: readonly string[];
  readonly authority: string | null;
  /** All of them, as they stand. */
  readonly addresses: string;
  /** Nothing goes to one of them without TLS. */
  readonly tls: boolean;
  readonly topics: readonly BridgeTopic[];
}

const FROM = /^# An invitation to the broker of (\S{1,255})\. /m;

/** readInvitation takes it apart; throws OperatorError for what is none, or wants more than a bridge. */
export function readInvitation(text: string): Invited {
  const normal = text.replaceAll('\r\n', '\n');
  const authority = CERTIFICATES.exec(normal)?.[0].replaceAll(/^#/gm, '') ?? null;
  const words = normal
    .replace(CERTIFICATES, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => /^(\S+)\s*(.*)$/.exec(line) ?? [line, line, '']) // it is not empty
    .map(([, word = '', rest = '']) => [word, rest] as const);
  const [first, ...others] = words;
  if (first?.[0] !== 'connection') throw new OperatorError('Cannot accept this file: it does not begin with a connection line');
  const strange = words.find(([word], index) => !ALLOWED.has(word) || (word === 'connection' && index > 0));
  if (strange !== undefined)
    throw new OperatorError(`Cannot accept this file: "${strange[0]}" has no place in an invitation - it holds one connection block`);
  const name = first[1];
  if (!isInvitationName(name))
    throw new OperatorError(`Cannot accept this file: "${name}" is no name for a bridge - letters, digits, - and _`);
  const wantsFile = others.some(([word]) => word === 'bridge_cafile');
  if (wantsFile && authority === null) throw new OperatorError('Cannot accept this file: the certificate at its end is missing');
  const addresses = others.filter(([word]) => word === 'address' || word === 'addresses').map(([, rest]) => rest);
  const asksForTls = wantsFile || others.some(([word, rest]) => word === 'bridge_tls_use_os_certs' && rest === 'true');
  return {
    name,
    from: FROM.exec(normal)?.[1] ?? null,
    lines: words.filter(([word]) => word !== 'bridge_cafile').map(([word, rest]) => `${word} ${rest}`.trimEnd()),
    authority: wantsFile ? authority : null,
    addresses: addresses.join(' '),
    tls: goesByTls(addresses.join(' '), asksForTls),
    topics: readTopics(others.filter(([word]) => word === 'topic').map(([, rest]) => rest)),
  };
}

/** calledHere gives an invitation whose bridge has another name. Throws OperatorError. */
export function calledHere(invited: Invited, name: string): Invited {
  if (!isInvitationName(name)) throw new OperatorError(`Cannot call the bridge "${name}": use letters, digits, - and _`);
  return { ...invited, name, lines: [`connection ${name}`, ...invited.lines.slice(1)] };
}

/** An address with a scheme of TLS asks for it, too; what cannot be read is refused later. */
function goesByTls(said: string, asksForTls: boolean): boolean {
  const reading = addressKind.read(said, 'address');
  const schemes = isMistake(reading) ? ['mqtt' as const] : reading.value.map(({ scheme }) => scheme);
  return (
    (asksForTls || schemes.some((scheme) => scheme === 'mqtts' || scheme === 'wss')) &&
    !schemes.some((scheme) => scheme === 'mqtt' || scheme === 'ws')
  );
}

/** InvitationFiles are what an invitation adds to a configuration. */
export interface InvitationFiles {
  /** The file of the block first; where the main file names no folder for more, it comes second. */
  readonly block: readonly ChangedFile[];
  /** Of the authority; it is no secret. */
  readonly certificate: readonly ChangedFile[];
}

/** invitationFiles works out where the block goes, and the certificate beside it. Throws OperatorError where there is such a file. */
export function invitationFiles(main: string, { name, lines, authority }: Invited): InvitationFiles {
  const textWith = (more: readonly string[]) => `${ADDED_BY_MIDGE}\n${[...lines, ...more].join('\n')}\n`;
  const plain = addBlock(main, blockFileOf(name), textWith([]));
  if (authority === null) return { block: plain, certificate: [] };
  const path = join(dirname(plain[0]!.path), authorityFileOf(name)); // the block's file is the first
  if (existsSync(path)) throw new OperatorError(`Cannot make "${path}": it exists already`);
  return {
    block: addBlock(main, blockFileOf(name), textWith([`bridge_cafile ${path}`])),
    certificate: [{ path, before: null, after: authority }],
  };
}

/** isInvitationName: the name becomes part of a file's name, and a user's. */
export function isInvitationName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name);
}
