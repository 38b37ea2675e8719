// The cluster as a part. Its room, and NATS, are loaded when the configuration has one: nearly all brokers are without.

import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../../base/clock.ts';
import { reasonOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { readNamedFile } from '../../base/named-file.ts';
import { certificatesInFile } from '../../base/pem-files.ts';
import type { Broker } from '../../broker/broker.ts';
import { CLUSTER_LISTENER, type ConnectionOrigin } from '../../broker/options.ts';
import type { Authenticator, Authorizer } from '../../broker/ports.ts';
import type { Cluster, ClusterSettings, Forgotten } from '../../cluster/cluster.ts';
import type { Figures } from '../../cluster/figures.ts';
import { type ClusterOptions, idFromHost } from '../../cluster/options.ts';
import type { ClusterState } from '../../cluster/state.ts';
import type { Configuration } from '../../config/configuration.ts';
import { machineNames } from '../../host/host.ts';
import { sysNumbers } from '../../telemetry/sys-tree.ts';
import type { AppliancePart, Step } from '../parts.ts';

export interface ClusterPartSetup {
  /** Null = this broker is on its own. */
  readonly options: ClusterOptions | null;
  broker(): Broker;
  readonly log: Logger;
  /** What the program calls itself, for example `midge version 0.1.0`. */
  readonly title: string;
  /** changed is called when there is another cluster, or none any more: it wants a say in who may come and do what. */
  changed(): void;
}

/** ClusterPart runs the cluster of the configuration in force. */
export class ClusterPart implements AppliancePart {
  readonly name = 'cluster';
  readonly #setup: ClusterPartSetup;
  #cluster: Cluster | null = null;
  #settings: ClusterSettings | null = null;
  /** One cluster ends before the next begins: both would have the same name. */
  #turn: Promise<void> = Promise.resolve();

  constructor(setup: ClusterPartSetup) {
    this.#setup = setup;
  }

  get state(): ClusterState | null {
    return this.#cluster?.state ?? null;
  }

  /** forget: null = there is no cluster. */
  forget(id: string): Forgotten | null {
    return this.#cluster?.forget(id) ?? null;
  }

  /** kick ends a client at the other broker where it is, and gives the address that it came from; null = it is at none. */
  async kick(clientId: string): Promise<string | null> {
    return (await this.#cluster?.kick(clientId))?.address ?? null;
  }

  owns(origin: ConnectionOrigin): boolean {
    return this.#cluster?.owns(origin) ?? false;
  }

  authenticator(other: Authenticator): Authenticator {
    return this.#cluster?.authenticator(other) ?? other;
  }

  authorizer(other: Authorizer | null): Authorizer | null {
    return this.#cluster === null ? other : this.#cluster.authorizer(other);
  }

  async start(): Promise<void> {
    const { options } = this.#setup;
    if (options === null) return this.#forgetPeers();
    this.#settings = readFiles(options);
    this.#cluster = await this.#create(this.#settings);
    this.#setup.changed();
    await this.#cluster.start();
  }

  async stop(): Promise<void> {
    await this.#turn;
    await this.#cluster?.stop();
  }

  /** Its files are read again, so that credentials can be replaced. */
  async prepare({ cluster: options }: Configuration): Promise<Step | null> {
    const settings = options === null ? null : readFiles(options);
    if (isDeepStrictEqual(settings, this.#settings)) return null;
    const next = settings === null ? null : await this.#create(settings);
    return {
      commit: () => {
        const before = this.#cluster;
        this.#cluster = next;
        this.#settings = settings;
        this.#setup.changed();
        this.#turn = this.#turn.then(() => this.#replace(before, next));
      },
      undo: () => {},
    };
  }

  async #replace(before: Cluster | null, next: Cluster | null): Promise<void> {
    try {
      await before?.stop();
      if (next !== null) return await next.start();
      this.#forgetPeers();
      this.#setup.broker().heldWills?.finish(new Set()); // nobody else says any
    } catch (error) {
      this.#setup.log.log('error', `Error: The cluster could not be changed by the reload: ${reasonOf(error)}.`);
    }
  }

  async #create(settings: ClusterSettings): Promise<Cluster> {
    const { createCluster } = await import('../../cluster/cluster.ts');
    const { broker, log, title } = this.#setup;
    const version = /version (\S+)/.exec(title)?.[1] ?? title;
    return createCluster(settings, { broker: broker(), clock: systemClock, log, version, figures: () => figuresOf(broker()) });
  }

  /** A cluster that was taken out of the configuration has left its sessions, which would gather messages for ever. */
  #forgetPeers(): void {
    const { broker, log } = this.#setup;
    const { sessions } = broker();
    for (const session of [...sessions]) {
      if (session.listener !== CLUSTER_LISTENER) continue;
      log.log('notice', `The configuration has no cluster any more: session ${session.clientId} is forgotten.`);
      sessions.end(session);
    }
  }
}

/** What `$SYS/broker/` has too, without its root. */
function figuresOf(broker: Broker): Figures {
  return Object.fromEntries(sysNumbers(broker, process.uptime()).map(([topic, value]) => [topic.replace(/^\$SYS\/broker\//, ''), value]));
}

/** Throws OperatorError, or what the system says, for a file that cannot be read. */
function readFiles({ credentialsFile, tls, id, ...options }: ClusterOptions): ClusterSettings {
  return {
    ...options,
    id: id ?? idFromHost(machineNames().hostName),
    credentials: credentialsFile === null ? null : readNamedFile(credentialsFile),
    tls: tls === null ? null : { ca: tls.cafile === null ? null : certificatesInFile('cluster_cafile', tls.cafile).join('\n') },
  };
}
