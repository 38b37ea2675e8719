// The bridges as a part. Their room is loaded when a configuration has one: most brokers are without.

import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Bridges } from '../../bridges/bridges.ts';
import { type BridgeOptions, type BridgeSettings, bridgeBehind, nameBridge } from '../../bridges/options.ts';
import type { BridgeState } from '../../bridges/state.ts';
import type { BridgeTls } from '../../bridges/tls-material.ts';
import type { Broker } from '../../broker/broker.ts';
import type { ConnectionOrigin } from '../../broker/options.ts';
import type { Authenticator, Authorizer } from '../../broker/ports.ts';
import type { Configuration } from '../../config/configuration.ts';
import { machineNames, uniqueMark } from '../../host/host.ts';
import type { AppliancePart, Step } from '../parts.ts';

export interface BridgesPartSetup {
  readonly settings: readonly BridgeSettings[];
  broker(): Broker;
  readonly log: Logger;
  /** changed is called when there are bridges, and before there were none: they want a say in who may do what. */
  changed(): void;
}

/** Ready are bridges whose files have been read. */
interface Ready {
  readonly options: readonly BridgeOptions[];
  readonly tls: ReadonlyMap<string, BridgeTls>;
}

/** BridgesPart connects the bridges of the configuration. */
export class BridgesPart implements AppliancePart {
  readonly name = 'bridges';
  readonly #setup: BridgesPartSetup;
  #bridges: Bridges | null = null;
  #tls: Ready['tls'] = new Map();

  constructor(setup: BridgesPartSetup) {
    this.#setup = setup;
  }

  /** states are those of the bridges, in the order of the configuration. */
  states(): readonly BridgeState[] {
    return this.#bridges?.states() ?? [];
  }

  /** owns tells whether a connection of our own broker is a bridge's. */
  owns(origin: ConnectionOrigin): boolean {
    return this.#bridges?.owns(origin) ?? false;
  }

  authenticator(other: Authenticator): Authenticator {
    return this.#bridges?.authenticator(other) ?? other;
  }

  authorizer(other: Authorizer | null): Authorizer | null {
    return this.#bridges === null ? other : this.#bridges.authorizer(other);
  }

  async start(): Promise<void> {
    const ready = await this.#read(this.#setup.settings);
    this.#forgetOthers(ready.options);
    if (ready.options.length === 0) return;
    await this.#make(ready);
    this.#setup.changed();
    await this.#bridges?.start();
  }

  async stop(): Promise<void> {
    await this.#bridges?.stop();
  }

  async prepare(next: Configuration): Promise<Step> {
    const ready = await this.#read(next.bridges);
    const isFirst = this.#bridges === null && ready.options.length > 0;
    const made = isFirst ? await this.#create([]) : this.#bridges;
    if (isFirst) await made?.start();
    return {
      commit: () => {
        this.#bridges = made;
        this.#tls = ready.tls;
        made?.use(ready.options);
        if (isFirst) this.#setup.changed();
      },
      undo: async () => {
        if (isFirst) await made?.stop();
      },
    };
  }

  /** A block that was taken out while the broker did not run has left its session, which would gather messages for ever. */
  #forgetOthers(options: readonly BridgeOptions[]): void {
    const { broker, log } = this.#setup;
    const { sessions } = broker();
    const ours = new Set(options.map(({ localClientId }) => localClientId));
    for (const session of [...sessions]) {
      const name = bridgeBehind(session);
      if (name === null || ours.has(session.clientId)) continue;
      log.log('notice', `Bridge ${name} is not in the configuration any more: its session ${session.clientId} is forgotten.`);
      sessions.end(session);
    }
  }

  async #make({ options, tls }: Ready): Promise<void> {
    this.#tls = tls;
    this.#bridges = await this.#create(options);
  }

  async #create(options: readonly BridgeOptions[]): Promise<Bridges> {
    const { createBridges } = await import('../../bridges/bridges.ts');
    const { broker, log } = this.#setup;
    return createBridges(options, {
      broker: broker(),
      log,
      clock: systemClock,
      tlsFor: ({ name }, address) => this.#tls.get(name)?.for(address) ?? null,
    });
  }

  async #read(settings: readonly BridgeSettings[]): Promise<Ready> {
    if (settings.length === 0) return { options: [], tls: new Map() };
    const { readBridgeTls } = await import('../../bridges/tls-material.ts');
    const machine = { hostName: machineNames().hostName, unique: uniqueMark() };
    return {
      options: settings.map((each) => nameBridge(each, machine)),
      tls: new Map(settings.map(({ name, tls }) => [name, readBridgeTls(tls)])),
    };
  }
}
