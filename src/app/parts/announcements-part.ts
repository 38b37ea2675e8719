// mDNS as a part: the listeners are announced once everything else runs.

import type { Logger } from '../../base/logger.ts';
import { advertisedListeners, reachableAddresses } from '../../discovery/advertised.ts';
import type { Advertiser } from '../../discovery/discovery.ts';
import type { DiscoveryOptions } from '../../discovery/options.ts';
import { machineModel, machineNames } from '../../host/host.ts';
import type { Listener } from '../../listeners/listeners.ts';
import type { AppliancePart } from '../parts.ts';

export interface AnnouncementsSetup {
  readonly options: DiscoveryOptions;
  readonly log: Logger;
  /** Those that are open now. */
  readonly listeners: () => readonly Listener[];
  /** Fingerprint of our authority, or null. */
  readonly caFingerprint: () => string | null;
  /** Called when the machine has another name on the network. */
  readonly renamed: () => void;
}

/** AnnouncementsPart begins to announce, if the configuration wants it. Its start waits for nothing and can't fail. */
export class AnnouncementsPart implements AppliancePart {
  readonly name = 'announcements';
  readonly #setup: AnnouncementsSetup;
  #advertiser: Promise<Advertiser> | null = null;
  #host: string | null = null;

  constructor(setup: AnnouncementsSetup) {
    this.#setup = setup;
  }

  /** host is `HOST.local` as mDNS tells it, another than that of the machine's own name where that one was taken; null = it is not announced. */
  get host(): string | null {
    return this.#host;
  }

  async start(): Promise<void> {
    if (this.#setup.options.advertise && this.#advertiser === null) this.#advertiser = this.#advertise();
  }

  async stop(): Promise<void> {
    const advertiser = await this.#advertiser;
    await advertiser?.stop();
  }

  prepare(): null {
    return null;
  }

  async #advertise(): Promise<Advertiser> {
    const { options, log, listeners, caFingerprint } = this.#setup;
    const { createAdvertiser } = await import('../../discovery/discovery.ts');
    const advertiser = createAdvertiser({
      options,
      listeners: () => advertisedListeners(listeners()),
      hostName: machineNames().hostName,
      machine: await machineModel(),
      caFingerprint: caFingerprint(),
      addresses: () => reachableAddresses(listeners(), machineNames().addresses),
      onHost: (host) => this.#onHost(host),
      log,
    });
    await advertiser.start();
    return advertiser;
  }

  #onHost(host: string | null): void {
    this.#host = host;
    this.#setup.renamed();
  }
}
