// The one plain result of reading a configuration: options of every room.

import type { AccessOptions } from '../access/options.ts';
import type { BridgeSettings } from '../bridges/options.ts';
import type { BrokerOptions } from '../broker/options.ts';
import type { ClusterOptions } from '../cluster/options.ts';
import type { DiscoveryOptions } from '../discovery/options.ts';
import type { InternetOptions } from '../internet/options.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import type { LogOptions } from '../logging/options.ts';
import type { UpdateOptions } from '../updates/options.ts';
import type { Place } from './diagnostic.ts';

export interface PersistenceOptions {
  readonly enabled: boolean;
  /** Absolute folder, or null = the state folder. */
  readonly location: string | null;
  /** Absolute, or relative to the location. */
  readonly file: string;
}

export interface ProcessOptions {
  /** User to become after the ports are open, when started as root. */
  readonly user: string | null;
  readonly pidFile: string | null;
}

/** LocationHistoryOptions say of which phones the past is kept, and how long. */
export interface LocationHistoryOptions {
  /** Those that were set up here, every one that publishes as OwnTracks does, or none. */
  readonly keep: 'phones' | 'all' | 'none';
  readonly days: number;
}

/** Configuration is immutable; a reload makes a new one. */
export interface Configuration {
  /** Main file as it was given, or null when there is none. */
  readonly file: string | null;
  /** Where a word of the whole program stands, by its name; where a listener is opened, by `listener INDEX`; a bridge, by `connection NAME`; `listener` is there when the file has such a line. */
  readonly places: ReadonlyMap<string, Place>;
  readonly broker: BrokerOptions;
  /** Never empty: without a `listener` it holds the embedded defaults. */
  readonly listeners: readonly ListenerOptions[];
  /** In the order of the file. */
  readonly bridges: readonly BridgeSettings[];
  /** Null = this broker is on its own. */
  readonly cluster: ClusterOptions | null;
  /** True when no listener was configured: loopback only. */
  readonly localOnly: boolean;
  /** True when nobody has named the ports: one that another program has is left out. */
  readonly hasDefaultPorts: boolean;
  readonly log: LogOptions;
  readonly access: AccessOptions;
  /** Requests on `$CONTROL/broker/v1` are answered. */
  readonly controlApi: boolean;
  /** True with `--lan` when the file names no users: an account has to be made at first start. */
  readonly makesAccount: boolean;
  readonly certificateNames: readonly string[];
  readonly internet: InternetOptions;
  readonly updates: UpdateOptions;
  /** Files and folders that were read; a reload reads them again. Absolute. */
  readonly filesRead: readonly string[];
  /** Those whose change is a reason to reload (`reload_on_change`). */
  readonly watched: readonly string[];
  readonly discovery: DiscoveryOptions;
  /** The broker shows itself as a device of Home Assistant. */
  readonly isHomeAssistantDevice: boolean;
  readonly locationHistory: LocationHistoryOptions;
  readonly persistence: PersistenceOptions;
  readonly process: ProcessOptions;
}
