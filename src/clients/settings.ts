// What `midge pub`, `midge sub` and `midge rr` were told: filled flag by flag, read by the rest.

import type { PacketProperties } from './properties.ts';
import type { SocksProxy } from './socks.ts';

/** ClientName: which of the programs. */
export type ClientName = 'pub' | 'sub' | 'rr' | 'ctrl';

export type Qos = 0 | 1 | 2;

/** UNLIMITED is the session expiry interval that means "never", MQTT 5 3.1.2.11.2. */
export const UNLIMITED = 0xffffffff;

/** Payload of a publisher: where it comes from. */
export type PayloadSource =
  | { readonly kind: 'text'; readonly payload: Buffer }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdin lines' | 'stdin' };

/** ConnectionSettings: the broker, and how to come to it. `null` = not given, here and below. */
export interface ConnectionSettings {
  host: string | null;
  /** 0 = 1883, or 8883 with TLS. */
  port: number;
  webSocket: boolean;
  /** Path of the WebSocket. */
  path: string;
  unix: string | null;
  bindAddress: string | null;
  noDelay: boolean;
  tls: TlsSettings;
  proxy: SocksProxy | null;
  debug: boolean;
  quiet: boolean;
}

/** TlsSettings: TLS is on when an authority or a key is named, or by the port; a URL says it, too (`wanted`), and `never` overrules all. */
export interface TlsSettings {
  never: boolean;
  /** null = no URL says so. */
  wanted: boolean | null;
  cafile: string | null;
  capath: string | null;
  useOsCerts: boolean;
  cert: string | null;
  key: string | null;
  insecure: boolean;
  version: string | null;
  ciphers: string | null;
  alpn: string | null;
  psk: string | null;
  pskIdentity: string | null;
  keylog: string | null;
}

/** SessionSettings are what CONNECT says. */
export interface SessionSettings {
  username: string | null;
  password: string | null;
  id: string | null;
  idPrefix: string | null;
  keepalive: number;
  cleanSession: boolean;
  /** Seconds. */
  sessionExpiry: number | null;
  version: 3 | 4 | 5;
  properties: PacketProperties;
  will: { topic: string | null; payload: string | null; qos: Qos; retain: boolean };
}

/** PublishSettings of pub, and of the request of rr. */
export interface PublishSettings {
  topic: string | null;
  source: PayloadSource | null;
  retain: boolean;
  repeat: number;
  /** Milliseconds. */
  repeatDelay: number;
  maxInflight: number;
}

/** SubscribeSettings of sub, and of the response of rr: what is wanted, and when it is enough. */
export interface SubscribeSettings {
  topics: string[];
  filterOut: string[];
  unsubscribe: string[];
  /** 0 = no end. */
  messageCount: number;
  /** Seconds, 0 = no end. */
  timeout: number;
  exitAfterSubscribe: boolean;
  noRetained: boolean;
  retainedOnly: boolean;
  removeRetained: boolean;
  retainAsPublished: boolean;
  retainHandling: 0 | 1 | 2;
  /** Percent, null = all. */
  randomFilter: number | null;
  responseTopic: string | null;
}

/** OutputSettings: how sub and rr print what comes. */
export interface OutputSettings {
  verbose: boolean;
  format: string | null;
  pretty: boolean;
  endOfLine: boolean;
  watch: boolean;
  messageRate: boolean;
  latency: boolean;
}

/** ClientSettings of one run. */
export interface ClientSettings extends ConnectionSettings, SessionSettings, PublishSettings, SubscribeSettings, OutputSettings {
  qos: Qos;
  /** A file of dynamic security that ctrl changes, in the place of a broker. */
  dataFile: string | null;
}

/** defaultSettings are those of mosquitto_pub(1), mosquitto_sub(1), mosquitto_rr(1) and mosquitto_ctrl(1). */
export function defaultSettings(name: ClientName): ClientSettings {
  const settings = {
    ...connectionDefaults(),
    ...sessionDefaults(),
    ...publishDefaults(),
    ...subscribeDefaults(),
    ...outputDefaults(),
    qos: 0 as Qos,
    dataFile: null,
  };
  if (name === 'rr') return { ...settings, version: 5, messageCount: 1 };
  return name === 'ctrl' ? { ...settings, version: 5, qos: 1 } : settings;
}

function connectionDefaults(): ConnectionSettings {
  return {
    host: null,
    port: 0,
    webSocket: false,
    path: '/mqtt',
    unix: null,
    bindAddress: null,
    noDelay: false,
    tls: tlsDefaults(),
    proxy: null,
    debug: false,
    quiet: false,
  };
}

function tlsDefaults(): TlsSettings {
  return {
    never: false,
    wanted: null,
    cafile: null,
    capath: null,
    useOsCerts: false,
    cert: null,
    key: null,
    insecure: false,
    version: null,
    ciphers: null,
    alpn: null,
    psk: null,
    pskIdentity: null,
    keylog: null,
  };
}

function sessionDefaults(): SessionSettings {
  return {
    username: null,
    password: null,
    id: null,
    idPrefix: null,
    keepalive: 60,
    cleanSession: true,
    sessionExpiry: null,
    version: 4,
    properties: new Map(),
    will: { topic: null, payload: null, qos: 0, retain: false },
  };
}

function publishDefaults(): PublishSettings {
  return { topic: null, source: null, retain: false, repeat: 1, repeatDelay: 0, maxInflight: 20 };
}

function subscribeDefaults(): SubscribeSettings {
  return {
    topics: [],
    filterOut: [],
    unsubscribe: [],
    messageCount: 0,
    timeout: 0,
    exitAfterSubscribe: false,
    noRetained: false,
    retainedOnly: false,
    removeRetained: false,
    retainAsPublished: false,
    retainHandling: 0,
    randomFilter: null,
    responseTopic: null,
  };
}

function outputDefaults(): OutputSettings {
  return { verbose: false, format: null, pretty: false, endOfLine: true, watch: false, messageRate: false, latency: false };
}
