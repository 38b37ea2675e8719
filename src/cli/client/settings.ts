// What `midge pub` and `midge sub` were told: filled flag by flag, read by the rest.

import type { PacketProperties } from './properties.ts';

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
  /** 0 = the default of the scheme. */
  port: number;
  scheme: 'mqtt' | 'ws' | 'wss';
  /** Path of a WebSocket URL. */
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
  proxy: string | null;
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
  /** Percent, null = all. */
  randomFilter: number | null;
}

/** TlsSettings: TLS is on when `wanted`, or when an authority or a key is named. */
export interface TlsSettings {
  wanted: boolean;
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
}

/** defaultSettings are those of mosquitto_pub(1) and mosquitto_sub(1). */
export function defaultSettings(): ClientSettings {
  return {
    host: null,
    port: 0,
    scheme: 'mqtt',
    path: '/',
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
    version: 4,
    properties: new Map(),
    will: { topic: null, payload: null, qos: 0, retain: false },
    tls: {
      wanted: false,
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
    messageCount: 0,
    timeout: 0,
    exitAfterSubscribe: false,
    noRetained: false,
    retainedOnly: false,
    removeRetained: false,
    retainAsPublished: false,
    randomFilter: null,
  };
}
