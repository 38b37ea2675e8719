// Aedes with the members that its type declarations leave out or type for its own Client.

import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Aedes } from 'aedes';
import type { AedesPacket, Listener } from './aedes-packet.ts';
import type { ConnectionOrigin } from './options.ts';

/** HubClient is what Aedes itself needs of a client: our Connection. */
export interface HubClient {
  readonly id: string;
  readonly closed: boolean;
  close(done?: () => void): void;
}

/** Hub is the part of Aedes that we stand on. */
export interface Hub extends EventEmitter {
  readonly id: string;
  readonly connectedClients: number;
  readonly closed: boolean;
  readonly clients: Readonly<Record<string, HubClient>>;
  handle: (stream: Duplex, origin: ConnectionOrigin) => unknown;
  listen(): Promise<void>;
  close(done: () => void): void;
  publish(packet: AedesPacket, client?: unknown, done?: (error?: Error) => void): void;
  subscribe(topicFilter: string, listener: Listener, done: () => void): void;
  unsubscribe(topicFilter: string, listener: Listener, done: () => void): void;
  registerClient(client: HubClient): void;
  unregisterClient(client: HubClient): void;
}

/** AedesHub is the Aedes class itself, typed as Hub. */
export const AedesHub = Aedes as unknown as new (options: { mq: unknown; persistence: unknown }) => Hub; // its .d.ts omits registerClient and unregisterClient
