// One listener's draft -> ListenerOptions, with its TLS settings checked against each other.

import { isLocal, type ListenerOptions, listenerName, type TlsOptions } from '../listeners/options.ts';
import { APPLIANCE_TLS, plainListener } from './built-in-listeners.ts';
import type { Place, Report } from './diagnostic.ts';
import type { ListenerDraft, SecurityDraft } from './draft.ts';

/** ListenerDefaults are what a listener has that does not say otherwise; `security` are the words that are in force for it. */
export interface ListenerDefaults {
  readonly allowAnonymous: boolean;
  readonly tcpNoDelay?: boolean | undefined;
  readonly security: SecurityDraft;
}

/** resolveListener fills in the defaults and reports contradictions at the word that makes them. */
export function resolveListener(draft: ListenerDraft, { security, ...defaults }: ListenerDefaults, report: Report): ListenerOptions {
  const { port = 0, address = null } = draft.socket;
  const { pskFile = null, allowZeroLengthClientid, autoIdPrefix } = security;
  const plain = plainListener(port, address, { ...defaults, allowZeroLengthClientid, autoIdPrefix });
  const protocol = draft.socket.protocol ?? plain.protocol;
  if (protocol !== 'websockets' && draft.origins.length > 0) {
    const message = 'Cannot use websockets_origin here: the listener does not speak WebSocket';
    reportAt(draft, 'websockets_origin', message, 'add protocol websockets', report);
  }
  if (protocol === 'mqtt' && draft.trustedProxies.length > 0) {
    const hint = 'add protocol websockets; a proxy for MQTT itself speaks enable_proxy_protocol';
    reportAt(draft, 'trusted_proxies', 'Cannot use trusted_proxies here: the listener does not speak WebSocket', hint, report);
  }
  if (protocol === 'http' || protocol === 'http_api') reportWordsOfMqtt(draft, protocol, report);
  if (protocol !== 'http_api' && draft.places.has('http_dir'))
    reportAt(draft, 'http_dir', 'Cannot use http_dir here: the listener does not speak http_api', 'add protocol http_api', report);
  if (protocol !== 'http' && draft.places.has('http_origin'))
    reportAt(draft, 'http_origin', 'Cannot use http_origin here: the listener does not speak http', 'add protocol http', report);
  if (draft.socket.proxyRequiresTls && draft.socket.proxyProtocol !== 2) {
    reportAt(
      draft,
      'proxy_protocol_v2_require_tls',
      'Cannot use proxy_protocol_v2_require_tls without enable_proxy_protocol 2',
      'version 1 does not say it',
      report,
    );
  }
  return {
    ...plain,
    ...draft.socket,
    tls: resolveTls(protocol === 'http' ? withHttps(draft) : draft, pskFile, report),
    proxyCertificate: proxyCertificateOf(draft),
    trustedProxies: draft.trustedProxies,
    websocketsOrigins: draft.origins,
    policy: { ...plain.policy, ...draft.policy, name: listenerName({ ...plain, ...draft.socket }) },
  };
}

/** Passwords come by HTTP: on the network nobody may read along. */
function withHttps(draft: ListenerDraft): ListenerDraft {
  const { address = null, unixPath = null } = draft.socket;
  return { ...draft, tls: { ...draft.tls, secure: draft.tls.secure ?? !isLocal({ address, unixPath }) } };
}

/** What only clients of the broker have. */
const WORDS_OF_MQTT = [
  'listener_allow_anonymous',
  'listener_auto_id_prefix',
  'accept_protocol_versions',
  'max_qos',
  'max_topic_alias',
  'max_topic_alias_broker',
  'mount_point',
  'use_username_as_clientid',
  'use_identity_as_username',
  'use_subject_as_username',
  'psk_hint',
];

/** Who may use http_api is decided as for clients of the broker. */
const WORDS_OF_HTTP_API: ReadonlySet<string> = new Set(['listener_allow_anonymous', 'use_identity_as_username', 'use_subject_as_username']);

function reportWordsOfMqtt(draft: ListenerDraft, protocol: 'http' | 'http_api', report: Report): void {
  for (const word of WORDS_OF_MQTT)
    if (draft.places.has(word) && !(protocol === 'http_api' && WORDS_OF_HTTP_API.has(word)))
      reportAt(draft, word, `Cannot use ${word} here: the listener speaks HTTP`, 'remove it', report);
}

/** resolveTls gives null for a listener without TLS, on which every word about TLS is a mistake: it would protect nothing. */
function resolveTls(draft: ListenerDraft, pskFile: string | null, report: Report): TlsOptions | null {
  const { tls } = draft;
  const certificate = resolveCertificate(draft, report);
  const psk = resolvePsk(draft, { pskFile, hasCertificate: certificate !== null }, report);
  if (certificate === null && psk === null) {
    for (const name of TLS_ONLY_WORDS) {
      if (isAskedFor(draft, name) && !(isForProxy(draft) && PROXY_WORDS.has(name))) {
        reportAt(draft, name, `Cannot use ${name} here: the listener has no TLS`, 'add certfile and keyfile, or secure true', report);
      }
    }
    if (isForProxy(draft) && tls.commonNameAsUsername && !tls.requireCertificate)
      reportMissingRequirement(draft, 'use_identity_as_username', report);
    return null;
  }
  const options = {
    ...APPLIANCE_TLS,
    certificate,
    cafile: tls.cafile ?? null,
    capath: tls.capath ?? null,
    crlfile: tls.crlfile ?? null,
    requireCertificate: tls.requireCertificate ?? false,
    checksClientDates: tls.checksClientDates ?? true,
    identity: identityOf(draft),
    psk,
    minVersion: tls.minVersion ?? APPLIANCE_TLS.minVersion,
    ciphers: tls.ciphers ?? null,
    ciphersTls13: tls.ciphersTls13 ?? null,
  };
  reportClientCertificates(draft, options, report);
  return options;
}

/** Words that are about the client's TLS with the proxy where the listener has none: version 2 of the PROXY protocol tells of it. */
const PROXY_WORDS: ReadonlySet<string> = new Set(['require_certificate', 'use_identity_as_username']);

function isForProxy({ socket, tls }: ListenerDraft): boolean {
  return socket.proxyProtocol === 2 && !tls.secure && tls.certfile === undefined && tls.keyfile === undefined && tls.pskHint === undefined;
}

function proxyCertificateOf(draft: ListenerDraft): ListenerOptions['proxyCertificate'] {
  if (!isForProxy(draft) || !draft.tls.requireCertificate) return 'not asked';
  return draft.tls.commonNameAsUsername ? 'names the user' : 'required';
}

/** The words that mean nothing without TLS, with the fields they fill. */
const TLS_FIELDS = {
  cafile: 'cafile',
  capath: 'capath',
  crlfile: 'crlfile',
  require_certificate: 'requireCertificate',
  disable_client_cert_date_checks: 'checksClientDates',
  use_identity_as_username: 'commonNameAsUsername',
  use_subject_as_username: 'subjectAsUsername',
  tls_version: 'minVersion',
  ciphers: 'ciphers',
  'ciphers_tls1.3': 'ciphersTls13',
} as const;

type TlsWord = keyof typeof TLS_FIELDS;

const TLS_ONLY_WORDS = Object.keys(TLS_FIELDS) as TlsWord[]; // its keys

function isAskedFor({ tls }: ListenerDraft, name: TlsWord): boolean {
  const value = tls[TLS_FIELDS[name]];
  if (name === 'disable_client_cert_date_checks') return value === false;
  return value !== undefined && value !== false;
}

interface PskFacts {
  readonly pskFile: string | null;
  readonly hasCertificate: boolean;
}

function resolvePsk(draft: ListenerDraft, { pskFile, hasCertificate }: PskFacts, report: Report): TlsOptions['psk'] {
  const { pskHint, requireCertificate } = draft.tls;
  if (pskHint === undefined) return null;
  if (pskFile === null) reportAt(draft, 'psk_hint', 'Cannot use psk_hint without psk_file', 'add the file with the keys', report);
  if (hasCertificate) reportAt(draft, 'psk_hint', 'Cannot use psk_hint with a certificate', 'give each a listener of its own', report);
  if (requireCertificate) reportAt(draft, 'require_certificate', 'Cannot use require_certificate with psk_hint', 'choose one', report);
  return { file: pskFile ?? '', hint: pskHint };
}

function resolveCertificate(draft: ListenerDraft, report: Report): TlsOptions['certificate'] | null {
  const { secure, certfile, keyfile } = draft.tls;
  if (secure === false && (certfile !== undefined || keyfile !== undefined)) {
    reportAt(draft, 'secure', 'Cannot use secure false with certfile and keyfile: they turn TLS on', 'remove one of them', report);
  }
  if (certfile !== undefined && keyfile !== undefined) return { certfile, keyfile };
  if (certfile !== undefined)
    reportAt(draft, 'certfile', 'Cannot use certfile without keyfile', 'add the keyfile of this certificate', report);
  else if (keyfile !== undefined) reportAt(draft, 'keyfile', 'Cannot use keyfile without certfile', 'add the certfile of this key', report);
  return secure || certfile !== undefined || keyfile !== undefined ? 'appliance' : null;
}

/** identityOf prefers the common name, as mosquitto does when both are asked for. */
function identityOf({ tls }: ListenerDraft): TlsOptions['identity'] {
  if (tls.commonNameAsUsername) return 'common name';
  return tls.subjectAsUsername ? 'subject' : 'none';
}

function reportClientCertificates(draft: ListenerDraft, tls: TlsOptions, report: Report): void {
  const hasAuthority = tls.cafile !== null || tls.capath !== null;
  if (tls.requireCertificate && !hasAuthority && tls.certificate !== 'appliance') {
    reportAt(
      draft,
      'require_certificate',
      'Cannot use require_certificate with certfile, but without cafile or capath',
      'say which authority signs the client certificates',
      report,
    );
  }
  if (tls.crlfile !== null && !hasAuthority)
    reportAt(draft, 'crlfile', 'Cannot use crlfile without cafile or capath', 'add the authority that signed it', report);
  if (draft.tls.commonNameAsUsername && draft.tls.subjectAsUsername) {
    reportAt(draft, 'use_subject_as_username', 'Cannot use use_subject_as_username with use_identity_as_username', 'choose one', report);
  }
  const word = draft.tls.commonNameAsUsername ? 'use_identity_as_username' : 'use_subject_as_username';
  if (tls.identity !== 'none' && !tls.requireCertificate && tls.psk === null) reportMissingRequirement(draft, word, report);
}

function reportMissingRequirement(draft: ListenerDraft, word: string, report: Report): void {
  reportAt(draft, word, `Cannot use ${word} without require_certificate true`, 'clients are only asked for a certificate with it', report);
}

function reportAt(draft: ListenerDraft, name: string, message: string, hint: string, report: Report): void {
  const place: Place | null = draft.places.get(name) ?? draft.place;
  report.error(place, message, hint);
}
