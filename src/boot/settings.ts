// What a person can set on the boot partition, whoever wrote it there: midge.txt or Raspberry Pi Imager.

/** BootSettings are the wishes of the boot partition; null or empty = nothing was said. */
export interface BootSettings {
  readonly hostName: string | null;
  readonly wifi: WifiSettings;
  /** The networks of the Wi-Fi that are known are to be forgotten. */
  readonly isWifiForgotten: boolean;
  readonly network: NetworkSettings;
  /** Names or addresses of time servers; empty = those of the router, or of Debian. */
  readonly timeServers: readonly string[];
  /** Name of the zone database, for example 'Europe/Berlin'. */
  readonly timeZone: string | null;
  /** Lines of authorized_keys. */
  readonly sshKeys: readonly string[];
  /** Accounts to make or to give another password. Secret. */
  readonly accounts: readonly BootAccount[];
  /** Accounts to take away. */
  readonly removedAccounts: readonly string[];
  /** What accounts may do: nothing else, once there is a line for them. */
  readonly topics: readonly TopicGrant[];
  readonly certificateNames: readonly string[];
  readonly persistentLog: boolean;
  /** Port of the plain listener, or with `secure` of the TLS one. */
  readonly port: number | null;
  /** True = TLS only, false = plain only, null = both. */
  readonly secure: boolean | null;
  readonly persistenceFile: string | null;
}

export interface WifiSettings {
  /** ISO 3166 code in capitals. */
  readonly country: string | null;
  readonly name: string | null;
  /** 8 to 63 characters, or a key of 64 hexadecimal digits. Secret; null after it was taken. */
  readonly password: string | null;
  /** A network without a password. */
  readonly isOpen: boolean;
  readonly hidden: boolean;
}

export interface NetworkSettings {
  /** With prefix length, for example '192.168.1.5/24'; null = asked of the router. */
  readonly address: string | null;
  readonly gateway: string | null;
  readonly dns: readonly string[];
  /** Null = the Wi-Fi when one is named, otherwise the cable. */
  readonly link: 'cable' | 'wifi' | null;
}

export interface BootAccount {
  readonly user: string;
  readonly password: string;
}

/** TopicGrant lets an account read topics, and write them too unless it is `isReadOnly`. */
export interface TopicGrant {
  readonly user: string;
  readonly filters: readonly string[];
  readonly isReadOnly: boolean;
}

/** Secret is one that stands on the boot partition, and what it is for: a `login` is for Raspberry Pi OS, and of no use here. */
export interface Secret {
  readonly use: 'wifi' | 'accounts' | 'login';
  readonly value: string;
}

/** IsUsed tells of which secrets nothing need be left. */
export type IsUsed = (secret: Secret) => boolean;

/** FindTimeZone gives the name under which this machine has a time zone, or null. */
export type FindTimeZone = (name: string) => string | null;

/** Mistake is something on the boot partition that can't be followed, or that a person should think about. It never quotes a secret. */
export interface Mistake {
  readonly file: string;
  /** From 1; null when it is about the whole file. */
  readonly line: number | null;
  readonly text: string;
  /** It is followed all the same. */
  readonly isWarning?: boolean;
}

/** Draft is settings in the making. */
export type Draft = {
  -readonly [Key in keyof BootSettings]: BootSettings[Key] extends readonly (infer Item)[] ? Item[] : Mutable<BootSettings[Key]>;
};

type Mutable<T> = T extends WifiSettings | NetworkSettings ? { -readonly [Key in keyof T]: T[Key] } : T;

/** emptyDraft says nothing. */
export function emptyDraft(): Draft {
  return {
    hostName: null,
    wifi: { country: null, name: null, password: null, isOpen: false, hidden: false },
    isWifiForgotten: false,
    network: { address: null, gateway: null, dns: [], link: null },
    timeServers: [],
    timeZone: null,
    sshKeys: [],
    accounts: [],
    removedAccounts: [],
    topics: [],
    certificateNames: [],
    persistentLog: false,
    port: null,
    secure: null,
    persistenceFile: null,
  };
}

/** mergeSettings lets the first of two speak wherever it says something. Wi-Fi and address are taken whole. */
export function mergeSettings(first: BootSettings, second: BootSettings): BootSettings {
  return {
    hostName: first.hostName ?? second.hostName,
    wifi: mergeWifi(first.wifi, first.isWifiForgotten ? emptyDraft().wifi : second.wifi),
    isWifiForgotten: first.isWifiForgotten || (second.isWifiForgotten && first.wifi.name === null),
    network: first.network.address === null ? second.network : first.network,
    timeServers: first.timeServers.length > 0 ? first.timeServers : second.timeServers,
    timeZone: first.timeZone ?? second.timeZone,
    sshKeys: [...new Set([...first.sshKeys, ...second.sshKeys])],
    accounts: [...second.accounts, ...first.accounts],
    removedAccounts: first.removedAccounts,
    topics: first.topics,
    certificateNames: [...new Set([...first.certificateNames, ...second.certificateNames])],
    persistentLog: first.persistentLog || second.persistentLog,
    port: first.port ?? second.port,
    secure: first.secure ?? second.secure,
    persistenceFile: first.persistenceFile ?? second.persistenceFile,
  };
}

/** The password of a network may stand in the other file. */
function mergeWifi(first: WifiSettings, second: WifiSettings): WifiSettings {
  const country = first.country ?? second.country;
  if (first.name === null) return { ...second, country };
  return { ...first, country, password: first.password ?? (second.name === first.name ? second.password : null) };
}
