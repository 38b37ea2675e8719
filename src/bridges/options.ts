// What a bridge can be told; built by config/ from `connection` blocks. Words and defaults are those of mosquitto.conf(5), section "Configuring
// Bridges"; those that mosquitto does not have are marked *own*.

import { createHash } from 'node:crypto';
import type { ProtocolVersion, Qos } from '../mqtt/packet-types.ts';

/** BridgeAddress is one place where the other broker may be found: `host[:port]` or `SCHEME://host[:port][/path]` (*own*). */
export interface BridgeAddress {
  /** 'mqtts' and 'wss' are TLS; so is `host[:port]` with TLS words in the block. */
  readonly scheme: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  /** Name or IP address, without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** Of a WebSocket, with its `/`; '' for the others. */
  readonly path: string;
}

/** BridgeTopic is a `topic` line. Here the messages have the topics `localPrefix + pattern`, and at the other broker `remotePrefix + pattern`; both are valid topic filters, and an empty pattern has both prefixes. */
export interface BridgeTopic {
  readonly pattern: string;
  readonly direction: 'in' | 'out' | 'both';
  readonly qos: Qos;
  readonly localPrefix: string;
  readonly remotePrefix: string;
}

/** BridgeTlsOptions: paths are absolute. Nothing is read yet; `tls-material.ts` does. */
export interface BridgeTlsOptions {
  /** PEM file and folder of authorities. Without both, and with `usesOsCertificates` false, the pre-shared key vouches for the other broker. */
  readonly cafile: string | null;
  readonly capath: string | null;
  /** The authorities of this machine are trusted, too. */
  readonly usesOsCertificates: boolean;
  /** Our certificate for the other broker; null = none. */
  readonly certificate: { readonly certfile: string; readonly keyfile: string } | null;
  /** Identity and hexadecimal key of TLS-PSK; null = certificates. */
  readonly psk: { readonly identity: string; readonly key: string } | null;
  /** False = `bridge_insecure true`: the certificate may be for another name. Its authority is checked all the same. */
  readonly checksName: boolean;
  /** *own* Name to ask for (SNI) and to find in the certificate; null = the host of the address. */
  readonly serverName: string | null;
  readonly alpn: string | null;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string | null;
  readonly ciphersTls13: string | null;
}

/** BridgeSettings are a `connection` block with every default that does not depend on the machine; null = the block does not say it. */
export interface BridgeSettings {
  /** Of the block; two bridges never have the same. */
  readonly name: string;
  /** One at least. */
  readonly addresses: readonly BridgeAddress[];
  /** True = after a loss the next address, and it stays there; false = the first is the main one. */
  readonly roundRobin: boolean;
  readonly topics: readonly BridgeTopic[];
  /** In the order in which they are tried: the next one where the other broker does not speak the one before. One at least. */
  readonly versions: readonly ProtocolVersion[];
  readonly cleanSession: boolean;
  readonly localCleanSession: boolean;
  readonly remoteClientId: string | null;
  readonly remoteUsername: string | null;
  readonly remotePassword: string | null;
  readonly localClientId: string | null;
  /** Null = the bridge may publish and receive here what its topics say. */
  readonly localUsername: string | null;
  readonly localPassword: string | null;
  /** Seconds, 5 at least. */
  readonly keepAlive: number;
  readonly startType: 'automatic' | 'lazy' | 'once';
  /** Messages that wait before a lazy bridge connects. */
  readonly threshold: number;
  /** Seconds of silence after which a lazy bridge disconnects. */
  readonly idleTimeout: number;
  /** Seconds. Where `base` and `cap` are equal the time is constant; after `stable` seconds connected the back-off starts at `base` again. */
  readonly restart: { readonly base: number; readonly cap: number; readonly stable: number };
  /** 'local' = this broker only. */
  readonly notifications: 'off' | 'local' | 'both';
  readonly notificationTopic: string | null;
  /** MQTT 3.1 and 3.1.1: the bridge bit in CONNECT. */
  readonly tryPrivate: boolean;
  readonly attemptUnsubscribe: boolean;
  /** Own address of the connection. */
  readonly bindAddress: string | null;
  /** False = what goes out is never retained. */
  readonly outgoingRetain: boolean;
  /** Bytes of the largest packet that the bridge takes; null = any. */
  readonly maxPacketSize: number | null;
  /** Aliases that the other broker may use. MQTT 5 */
  readonly maxTopicAlias: number;
  /** QoS 1 and 2 messages that the other broker may send unacknowledged; null = `max_inflight_messages`. MQTT 5 */
  readonly receiveMaximum: number | null;
  /** Seconds that the session lives at the other broker; 4294967295 = for ever. MQTT 5 */
  readonly sessionExpiry: number;
  /** Seconds until TCP asks whether the other side is there; null = the kernel's. */
  readonly tcpKeepalive: { readonly idle: number } | null;
  /** Null = TLS on no address. */
  readonly tls: BridgeTlsOptions | null;
  /** 'lazy' = a changed block takes effect when the bridge connects the next time. */
  readonly reload: 'immediate' | 'lazy';
  /** *own* Seconds that a message waits for the other broker before it is dropped; null = for ever. It shortens a Message Expiry Interval, and never lengthens it. */
  readonly queueExpiry: number | null;
  /** *own* Bytes of messages that may wait for the other broker; null = `max_queued_bytes`. */
  readonly maxQueuedBytes: number | null;
}

/** BridgeOptions are settings with the names that depend on the machine. */
export interface BridgeOptions extends BridgeSettings {
  readonly remoteClientId: string;
  readonly localClientId: string;
  readonly notificationTopic: string;
}

/** BRIDGE_LISTENER begins the name under which our own broker sees a bridge come in; no listener is called like that. */
export const BRIDGE_LISTENER = 'bridge ';

/** bridgeBehind gives the bridge that a session of our own broker belongs to, by the name of its listener; null = it is a client's. */
export function bridgeBehind({ listener }: { readonly listener: string }): string | null {
  return listener.startsWith(BRIDGE_LISTENER) ? listener.slice(BRIDGE_LISTENER.length) : null;
}

/** MachineNames: `unique` is what no other machine has, such as the serial number of the board; a cloned card has another one. */
export interface MachineNames {
  readonly hostName: string;
  readonly unique: string;
}

/**
 * nameBridge fills in the names that a block leaves out. The default client id is mosquitto's `HOST.NAME` with eight digits behind the
 * host that a machine with a cloned card does not share: two clients of one id take the connection from each other for ever.
 */
export function nameBridge(settings: BridgeSettings, { hostName, unique }: MachineNames): BridgeOptions {
  const digits = createHash('sha256').update(`midge bridge\0${unique}`).digest('hex').slice(0, 8);
  const remoteClientId = settings.remoteClientId ?? `${hostName}-${digits}.${settings.name}`;
  return {
    ...settings,
    remoteClientId,
    localClientId: settings.localClientId ?? `local.${remoteClientId}`,
    notificationTopic: settings.notificationTopic ?? `$SYS/broker/connection/${remoteClientId}/state`,
  };
}
