// A configuration while it is being read: what the files say so far, nothing decided yet. `resolve.ts` makes the Configuration of it.

import type { LogType } from '../base/logger.ts';
import type { BridgeSettings, BridgeTlsOptions, BridgeTopic } from '../bridges/options.ts';
import type { BrokerOptions, ListenerPolicy } from '../broker/options.ts';
import type { ListenerOptions, TlsOptions } from '../listeners/options.ts';
import type { LogDestination, LogOptions } from '../logging/options.ts';
import type { UpdateOptions } from '../updates/options.ts';
import type { SaidAddress, SaidRestart } from './bridge-values.ts';
import type { SaidCluster } from './cluster-values.ts';
import type { LocationHistoryOptions, PersistenceOptions, ProcessOptions } from './configuration.ts';
import type { Place } from './diagnostic.ts';

type Draft<T> = { -readonly [Key in keyof T]?: T[Key] };

/** Places remember, by directive name, where a setting was made last. */
export type Places = Map<string, Place>;

/** SecurityDraft holds who may connect and what they may do: for all listeners, or with `per_listener_settings true` for each. */
export interface SecurityDraft {
  passwordFile?: string;
  aclFile?: string;
  pskFile?: string;
  allowAnonymous?: boolean;
  allowZeroLengthClientid?: boolean;
  autoIdPrefix?: string;
}

/** GlobalDraft holds what is said for the whole program. */
export interface GlobalDraft {
  readonly places: Places;
  readonly broker: Draft<BrokerOptions>;
  readonly log: Draft<Omit<LogOptions, 'types' | 'destinations'>> & { types?: LogType[]; destinations?: LogDestination[] };
  /** An empty `file` = nothing is kept. */
  readonly persistence: Draft<PersistenceOptions>;
  readonly process: Draft<ProcessOptions>;
  readonly access: {
    username?: string;
    password?: string;
    loginThrottle?: boolean;
    loginThrottleExempt: string[];
    dynamicSecurityFile?: string;
    /** Word of the line that loads mosquitto's plugin. */
    dynamicSecurityPlugin?: string;
    dynamicSecurityPasswordFile?: string;
  };
  readonly security: SecurityDraft;
  perListenerSettings?: boolean;
  enableControlApi?: boolean;
  readonly discovery: { advertise?: boolean; name?: string };
  readonly certificateNames: string[];
  readonly internet: InternetDraft;
  readonly updates: Draft<UpdateOptions>;
  readonly cluster: { said?: SaidCluster; name?: string; id?: string; credentialsFile?: string; cafile?: string };
  reloadOnChange?: boolean;
  homeAssistant?: boolean;
  readonly locationHistory: Draft<LocationHistoryOptions>;
  /** What a listener has that does not say otherwise. */
  readonly everyListener: { tcpNoDelay?: boolean };
}

/** InternetDraft holds what the box is to do towards the Internet. */
export interface InternetDraft {
  readonly acmeNames: string[];
  acmeChallenge?: 'http' | 'dns';
  acmePort?: number;
  acmeDirectory?: string;
  acmeContact?: string;
  acmeCafile?: string;
  readonly dynamicNames: string[];
  dynamicUrl?: string;
  dynamicUsername?: string;
  dynamicPassword?: string;
  dnsServer?: { readonly host: string; readonly port: number };
  dnsKey?: string;
}

/** ListenerDraft holds what is said for one listener. */
export interface ListenerDraft {
  /** Where its `listener` line stands, null for the default listener. */
  readonly place: Place | null;
  readonly places: Places;
  readonly socket: Draft<Omit<ListenerOptions, 'tls' | 'policy' | 'websocketsOrigins' | 'trustedProxies'>>;
  readonly origins: string[];
  readonly trustedProxies: string[];
  readonly policy: Draft<Omit<ListenerPolicy, 'name' | 'port'>>;
  readonly security: SecurityDraft;
  readonly tls: Draft<Omit<TlsOptions, 'certificate' | 'identity' | 'psk'>> & {
    secure?: boolean;
    pskHint?: string;
    certfile?: string;
    keyfile?: string;
    commonNameAsUsername?: boolean;
    subjectAsUsername?: boolean;
  };
}

/** BridgeDraft holds what a `connection` block says. */
export interface BridgeDraft {
  readonly name: string;
  /** Where its `connection` line stands. */
  readonly place: Place;
  readonly places: Places;
  readonly settings: Draft<Omit<BridgeSettings, 'name' | 'addresses' | 'topics' | 'restart' | 'notifications' | 'tcpKeepalive' | 'tls'>>;
  readonly topics: BridgeTopic[];
  readonly tls: Draft<Omit<BridgeTlsOptions, 'certificate' | 'psk'>> & {
    certfile?: string;
    keyfile?: string;
    pskIdentity?: string;
    pskKey?: string;
  };
  addresses?: readonly SaidAddress[];
  restart?: SaidRestart;
  tcpKeepalive?: readonly [idle: number, interval: number, count: number];
  notifications?: boolean;
  notificationsLocalOnly?: boolean;
}

/** createGlobalDraft starts with nothing said. */
export function createGlobalDraft(): GlobalDraft {
  return {
    places: new Map(),
    broker: {},
    log: {},
    persistence: {},
    process: {},
    access: { loginThrottleExempt: [] },
    security: {},
    discovery: {},
    certificateNames: [],
    internet: { acmeNames: [], dynamicNames: [] },
    updates: {},
    locationHistory: {},
    cluster: {},
    everyListener: {},
  };
}

/** createListenerDraft starts a listener with nothing said. */
export function createListenerDraft(place: Place | null): ListenerDraft {
  return { place, places: new Map(), socket: {}, origins: [], trustedProxies: [], policy: {}, security: {}, tls: {} };
}

/** createBridgeDraft starts a bridge with nothing said but its name. */
export function createBridgeDraft(name: string, place: Place): BridgeDraft {
  return { name, place, places: new Map(), settings: {}, topics: [], tls: {} };
}
