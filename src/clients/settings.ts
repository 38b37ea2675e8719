// What `midge pub`, `midge sub` and `midge rr` were told: filled flag by flag, read by the rest.

import type { PacketProperties } from './properties.ts';
import type { SocksProxy } from './socks.ts';

export type Qos = 0 | 1 | 2;

/** UNLIMITED is the session expiry interval that means "never", MQTT 5 3.1.2.11.2. */
export const UNLIMITED = 0xffffffff;

/** Payload of a publisher: where it comes from. */
export type PayloadSource =
  | { readonly kind: 'text'; readonly payload: Buffer }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdin lines' | 'stdin' };

/** ClientSettings of one run. `null` = not given. */
export interface ClientSettings {
  host: string | null;
  /** 0 = 1883, or 8883 with TLS. */
  port: number;
  webSocket: boolean;
  /** Path of the WebSocket. */
  path: string;
  unix: string | null;
  bindAddress: string | null;
  noDelay: boolean;
  username: string | null;
  password: string | null;
  id: string | null;
  idPrefix: string | null;
  keepalive: number;
  cleanSession: boolean;
  /** Seconds, null = not given. */
  sessionExpiry: number | null;
  version: 3 | 4 | 5;
  properties: PacketProperties;
  will: { topic: string | null; payload: string | null; qos: Qos; retain: boolean };
  tls: TlsSettings;
  proxy: SocksProxy | null;
  debug: boolean;
  quiet: boolean;
  qos: Qos;
  // mosquitto_pub
  topic: string | null;
  source: PayloadSource | null;
  retain: boolean;
  repeat: number;
  /** Milliseconds. */
  repeatDelay: number;
  maxInflight: number;
  // mosquitto_sub
  topics: string[];
  filterOut: string[];
  unsubscribe: string[];
  verbose: boolean;
  format: string | null;
  pretty: boolean;
  endOfLine: boolean;
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
  watch: boolean;
  messageRate: boolean;
  /** Percent, null = all. */
  randomFilter: number | null;
  // mosquitto_rr
  responseTopic: string | null;
  latency: boolean;
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

/** defaultSettings are those of mosquitto_pub(1), mosquitto_sub(1) and mosquitto_rr(1). */
export function defaultSettings(name: 'pub' | 'sub' | 'rr'): ClientSettings {
  return {
    host: null,
    port: 0,
    webSocket: false,
    path: '/mqtt',
    unix: null,
    bindAddress: null,
    noDelay: false,
    username: null,
    password: null,
    id: null,
    idPrefix: null,
    keepalive: 60,
    cleanSession: true,
    sessionExpiry: null,
    version: name === 'rr' ? 5 : 4,
    properties: new Map(),
    will: { topic: null, payload: null, qos: 0, retain: false },
    tls: {
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
    },
    proxy: null,
    debug: false,
    quiet: false,
    qos: 0,
    topic: null,
    source: null,
    retain: false,
    repeat: 1,
    repeatDelay: 0,
    maxInflight: 20,
    topics: [],
    filterOut: [],
    unsubscribe: [],
    verbose: false,
    format: null,
    pretty: false,
    endOfLine: true,
    messageCount: name === 'rr' ? 1 : 0,
    timeout: 0,
    exitAfterSubscribe: false,
    noRetained: false,
    retainedOnly: false,
    removeRetained: false,
    retainAsPublished: false,
    retainHandling: 0,
    watch: false,
    messageRate: false,
    randomFilter: null,
    responseTopic: null,
    latency: false,
  };
}
