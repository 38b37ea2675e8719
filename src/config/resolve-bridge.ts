// The draft of a `connection` block -> BridgeSettings: defaults are filled in, and what is missing or contradicts itself is reported.

import type { BridgeAddress, BridgeSettings, BridgeTlsOptions } from '../bridges/options.ts';
import { NO_EXPIRY } from '../broker/session/expiry.ts';
import type { SaidAddress, SaidRestart } from './bridge-values.ts';
import type { Report } from './diagnostic.ts';
import type { BridgeDraft } from './draft.ts';

/** mosquitto.conf(5), and the limits of its src/conf.c. Seconds. */
const LEAST_KEEP_ALIVE = 5;
const MOST_RESTART = 3600;
const MOST_RESTART_CAP = 7200;
const DEFAULT_RESTART: SaidRestart = { base: 5, cap: 30, stable: 0 };

/** mosquitto.conf(5), except `reload` and the three words of our own. */
const DEFAULT_SETTINGS = {
  roundRobin: false,
  versions: [5, 4],
  remoteClientId: null,
  remoteUsername: null,
  remotePassword: null,
  localClientId: null,
  localUsername: null,
  localPassword: null,
  keepAlive: 60,
  startType: 'automatic',
  threshold: 10,
  idleTimeout: 60,
  notificationTopic: null,
  tryPrivate: true,
  attemptUnsubscribe: true,
  bindAddress: null,
  outgoingRetain: true,
  maxPacketSize: null,
  maxTopicAlias: 10,
  receiveMaximum: null,
  reload: 'immediate',
  queueExpiry: null,
  maxQueuedBytes: null,
} as const;

/** resolveBridges gives the settings of all blocks; those with a mistake are not to be used, as the report has an error. */
export function resolveBridges(drafts: readonly BridgeDraft[], report: Report): readonly BridgeSettings[] {
  const bridges = drafts.map((draft) => resolveBridge(draft, report));
  reportSharedIds(drafts, report);
  return bridges;
}

function resolveBridge(draft: BridgeDraft, report: Report): BridgeSettings {
  const { settings, name, topics } = draft;
  if (draft.addresses === undefined && !draft.places.has('address'))
    report.error(draft.place, 'Invalid bridge configuration: no remote addresses defined', 'write address host:port below it');
  if (topics.length === 0 && !draft.places.has('topic'))
    report.error(draft.place, 'Invalid bridge configuration: no topics defined', 'write for example topic # out 1 below it');
  const tls = resolveTls(draft, report);
  const cleanSession = settings.cleanSession ?? false;
  reportWithoutEffect(draft, report);
  return {
    ...DEFAULT_SETTINGS,
    ...settings,
    name,
    addresses: (draft.addresses ?? []).map((address) => resolveAddress(address, tls)),
    topics,
    cleanSession,
    localCleanSession: settings.localCleanSession ?? cleanSession,
    sessionExpiry: settings.sessionExpiry ?? (settings.versions === undefined && !cleanSession ? NO_EXPIRY : 0),
    keepAlive: atLeast(LEAST_KEEP_ALIVE, { draft, word: 'keepalive_interval', field: 'keepAlive' }, report),
    threshold: atLeast(1, { draft, word: 'threshold', field: 'threshold' }, report),
    idleTimeout: atLeast(1, { draft, word: 'idle_timeout', field: 'idleTimeout' }, report),
    restart: resolveRestart(draft, report),
    notifications: draft.notifications === false ? 'off' : draft.notificationsLocalOnly ? 'local' : 'both',
    tcpKeepalive: draft.tcpKeepalive === undefined ? null : { idle: draft.tcpKeepalive[0] },
    tls,
  };
}

interface Word {
  readonly draft: BridgeDraft;
  readonly word: string;
  readonly field: 'keepAlive' | 'threshold' | 'idleTimeout';
}

/** A number out of range is moved into it, as mosquitto does. */
function atLeast(least: number, { draft, word, field }: Word, report: Report): number {
  const value = draft.settings[field] ?? DEFAULT_SETTINGS[field];
  if (value >= least) return value;
  report.warning(draft.places.get(word) ?? draft.place, `${word} ${value} is too low, using ${least}`);
  return least;
}

function resolveRestart(draft: BridgeDraft, report: Report): BridgeSettings['restart'] {
  const { base, cap, stable } = draft.restart ?? DEFAULT_RESTART;
  const place = draft.places.get('restart_timeout') ?? draft.place;
  const from = Math.min(Math.max(base, 1), MOST_RESTART);
  const to = cap === null ? from : Math.min(Math.max(cap, from), MOST_RESTART_CAP);
  if (from !== base) report.warning(place, `restart_timeout ${base} is too ${base < from ? 'low' : 'high'}, using ${from} seconds`);
  if (cap !== null && cap > to) report.warning(place, `restart_timeout ${base} ${cap} is too high, using ${to} seconds at most`);
  return { base: from, cap: to, stable };
}

/** What Node.js does not let us set. */
function reportWithoutEffect({ places, tcpKeepalive }: BridgeDraft, report: Report): void {
  const [, interval, count] = tcpKeepalive ?? [];
  const keepalive = places.get('bridge_tcp_keepalive');
  if (keepalive !== undefined && tcpKeepalive !== undefined && (interval !== 1 || count !== 10))
    report.warning(
      keepalive,
      `The numbers ${interval} and ${count} of bridge_tcp_keepalive have no effect`,
      'Node.js always uses 1 second and 10 probes',
    );
}

function resolveAddress({ scheme, host, port, path }: SaidAddress, tls: BridgeTlsOptions | null): BridgeAddress {
  return { scheme: scheme ?? (tls === null ? 'mqtt' : 'mqtts'), host, port, path };
}

/** The words that mean nothing without TLS, with the fields they fill. */
const TLS_FIELDS = {
  bridge_certfile: 'certfile',
  bridge_keyfile: 'keyfile',
  bridge_insecure: 'checksName',
  bridge_tls_server_name: 'serverName',
  bridge_alpn: 'alpn',
  bridge_tls_version: 'minVersion',
  bridge_ciphers: 'ciphers',
  'bridge_ciphers_tls1.3': 'ciphersTls13',
} as const;

/** resolveTls gives null for a bridge without TLS, where every word about TLS is a mistake: it would protect nothing. */
function resolveTls(draft: BridgeDraft, report: Report): BridgeTlsOptions | null {
  const { tls, places, addresses = [] } = draft;
  const hasKey = tls.pskIdentity !== undefined || tls.pskKey !== undefined;
  const hasAuthority = tls.cafile !== undefined || tls.capath !== undefined || tls.usesOsCertificates === true;
  const isAsked = addresses.find(({ scheme }) => scheme === 'mqtts' || scheme === 'wss');
  if (!hasKey && !hasAuthority && isAsked === undefined) {
    for (const [word, field] of Object.entries(TLS_FIELDS))
      if (tls[field] !== undefined && !(word === 'bridge_insecure' && tls.checksName))
        reportAt(draft, word, `Cannot use ${word} here: the bridge has no TLS`, 'add bridge_cafile, or write address mqtts://HOST', report);
    return null;
  }
  reportPlainAddresses(draft, report);
  if (hasKey) reportKeyWords(draft, hasAuthority, report);
  else if (!hasAuthority && tls.usesOsCertificates === false)
    reportAt(
      draft,
      'bridge_tls_use_os_certs',
      'Cannot use TLS without an authority to trust',
      'add bridge_cafile, or remove this line',
      report,
    );
  if (tls.checksName === false && !hasKey)
    report.warning(
      places.get('bridge_insecure') ?? draft.place,
      `Bridge ${draft.name} using insecure mode`,
      'it accepts a certificate for another name; bridge_tls_server_name says which name is right',
    );
  const { pskIdentity, pskKey } = tls;
  return {
    cafile: tls.cafile ?? null,
    capath: tls.capath ?? null,
    usesOsCertificates: tls.usesOsCertificates ?? !(hasKey || hasAuthority),
    certificate: resolveCertificate(draft, report),
    psk: pskIdentity === undefined || pskKey === undefined ? null : { identity: pskIdentity, key: pskKey },
    checksName: tls.checksName ?? true,
    serverName: tls.serverName ?? null,
    alpn: tls.alpn ?? null,
    minVersion: tls.minVersion ?? 'TLSv1.2',
    ciphers: tls.ciphers ?? null,
    ciphersTls13: tls.ciphersTls13 ?? null,
  };
}

function reportPlainAddresses(draft: BridgeDraft, report: Report): void {
  const plain = draft.addresses?.find(({ scheme }) => scheme === 'mqtt' || scheme === 'ws');
  if (plain !== undefined)
    reportAt(
      draft,
      'address',
      `Cannot use address ${plain.text} here: it is without TLS, and the block has words about TLS`,
      `write ${plain.text.replace(/^[^:]+/, plain.scheme === 'ws' ? 'wss' : 'mqtts')}, or give it a block of its own`,
      report,
    );
}

function reportKeyWords(draft: BridgeDraft, hasAuthority: boolean, report: Report): void {
  const { tls, places } = draft;
  const word = places.has('bridge_psk') ? 'bridge_psk' : 'bridge_identity';
  if (tls.pskIdentity === undefined)
    reportAt(draft, word, 'Invalid bridge configuration: missing bridge_identity', 'add the name of the key', report);
  if (tls.pskKey === undefined && !places.has('bridge_psk'))
    reportAt(draft, word, 'Invalid bridge configuration: missing bridge_psk', 'add the key in hexadecimal', report);
  if (hasAuthority || tls.certfile !== undefined || tls.keyfile !== undefined)
    reportAt(draft, word, 'Cannot use both certificate and psk encryption in a single bridge', 'choose one', report);
  if (tls.minVersion === 'TLSv1.3')
    reportAt(
      draft,
      'bridge_tls_version',
      'Cannot use bridge_tls_version tlsv1.3 with bridge_psk',
      'Node.js has pre-shared keys for TLS 1.2 only',
      report,
    );
}

function resolveCertificate(draft: BridgeDraft, report: Report): BridgeTlsOptions['certificate'] {
  const { certfile, keyfile } = draft.tls;
  if (certfile !== undefined && keyfile !== undefined) return { certfile, keyfile };
  if (certfile !== undefined)
    reportAt(draft, 'bridge_certfile', 'Cannot use bridge_certfile without bridge_keyfile', 'add the key of this certificate', report);
  if (keyfile !== undefined)
    reportAt(draft, 'bridge_keyfile', 'Cannot use bridge_keyfile without bridge_certfile', 'add the certificate of this key', report);
  return null;
}

/** Two bridges of one client id would take the session from each other. */
function reportSharedIds(drafts: readonly BridgeDraft[], report: Report): void {
  const seen = new Map<string, BridgeDraft>();
  for (const draft of drafts) {
    const { localClientId, remoteClientId } = draft.settings;
    const id = localClientId ?? (remoteClientId === undefined ? null : `local.${remoteClientId}`);
    if (id === null) continue;
    const twin = seen.get(id);
    if (twin === undefined) seen.set(id, draft);
    else
      reportAt(
        draft,
        localClientId === undefined ? 'remote_clientid' : 'local_clientid',
        `Bridge local_clientid '${id}' is not unique`,
        `bridge ${twin.name} has it, too; set local_clientid for one of them`,
        report,
      );
  }
}

function reportAt(draft: BridgeDraft, word: string, message: string, hint: string, report: Report): void {
  report.error(draft.places.get(word) ?? draft.place, message, hint);
}
