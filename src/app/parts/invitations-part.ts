// The invitations to bridges as a part: it notes when an invited box comes for the first time.

import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { InvitationBook } from '../../bridges/invitation-book.ts';
import type { Broker } from '../../broker/broker.ts';
import type { Connection } from '../../broker/connection/connection.ts';
import type { StateFolder } from '../../state/state-folder.ts';
import type { AppliancePart } from '../parts.ts';

export interface InvitationsPartSetup {
  readonly broker: () => Broker;
  readonly state: StateFolder;
  readonly log: Logger;
}

/** InvitationsPart costs a look at a table for each client that comes. */
export class InvitationsPart implements AppliancePart {
  readonly name = 'invitations to bridges';
  readonly book: InvitationBook;
  readonly #setup: InvitationsPartSetup;
  readonly #ready = (connection: unknown): void => {
    const username = (connection as Connection).session?.username ?? null; // ours, in the place of Aedes' Client
    if (username !== null) this.book.noteSignIn(username);
  };

  constructor(setup: InvitationsPartSetup) {
    this.#setup = setup;
    this.book = new InvitationBook(setup.state.bridgeInvitations, setup.log, systemClock.now);
  }

  async start(): Promise<void> {
    const { broker, state } = this.#setup;
    if (state.exists()) this.book.read();
    broker().on('clientReady', this.#ready);
  }

  async stop(): Promise<void> {
    this.#setup.broker().off('clientReady', this.#ready);
  }

  prepare(): null {
    return null;
  }
}
