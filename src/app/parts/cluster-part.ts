// The cluster as a part. Its room, and NATS, are loaded when the configuration has one: nearly all brokers are without.

import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { readNamedFile } from '../../base/named-file.ts';
import { certificatesInFile } from '../../base/pem-files.ts';
import type { Broker } from '../../broker/broker.ts';
import { CLUSTER_LISTENER, type ConnectionOrigin } from '../../broker/options.ts';
import type { Authenticator, Authorizer } from '../../broker/ports.ts';
import type { Cluster, ClusterSettings } from '../../cluster/cluster.ts';
import { type ClusterOptions, idFromHost } from '../../cluster/options.ts';
import type { ClusterState } from '../../cluster/state.ts';
import { machineNames } from '../../host/host.ts';
import type { AppliancePart } from '../parts.ts';

export interface ClusterPartSetup {
  /** Null = this broker is on its own. */
  readonly options: ClusterOptions | null;
  broker(): Broker;
  readonly log: Logger;
  /** What the program calls itself, for example `midge version 0.1.0`. */
  readonly title: string;
  /** installed is called when there is a cluster: it wants a say in who may come and do what. */
  installed(): void;
}

/** ClusterPart stays as it was started: its words take effect at the next start. */
export class ClusterPart implements AppliancePart {
  readonly name = 'cluster';
  readonly #setup: ClusterPartSetup;
  #cluster: Cluster | null = null;

  constructor(setup: ClusterPartSetup) {
    this.#setup = setup;
  }

  get state(): ClusterState | null {
    return this.#cluster?.state ?? null;
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
    this.#cluster = await this.#create(options);
    this.#setup.installed();
    await this.#cluster.start();
  }

  async stop(): Promise<void> {
    await this.#cluster?.stop();
  }

  prepare(): null {
    return null;
  }

  async #create(options: ClusterOptions): Promise<Cluster> {
    const { createCluster } = await import('../../cluster/cluster.ts');
    const { broker, log, title } = this.#setup;
    const version = /version (\S+)/.exec(title)?.[1] ?? title;
    return createCluster(readFiles(options), { broker: broker(), clock: systemClock, log, version });
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

/** Throws OperatorError, or what the system says, for a file that cannot be read. */
function readFiles({ credentialsFile, tls, id, ...options }: ClusterOptions): ClusterSettings {
  return {
    ...options,
    id: id ?? idFromHost(machineNames().hostName),
    credentials: credentialsFile === null ? null : readNamedFile(credentialsFile),
    tls: tls === null ? null : { ca: tls.cafile === null ? null : certificatesInFile('cluster_cafile', tls.cafile).join('\n') },
  };
}
