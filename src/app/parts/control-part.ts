// The control socket as a part: only where there is a state folder. A broker that can't be asked is still a broker.

import { reasonOf } from '../../base/errors.ts';
import type { Part } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { createControl } from '../../control/control.ts';
import type { Operations } from '../../operations/operations.ts';
import type { StateFolder } from '../../state/state-folder.ts';
import type { AppliancePart } from '../parts.ts';

export interface ControlPartSetup {
  readonly state: StateFolder;
  readonly operations: Operations;
  readonly log: Logger;
}

/** ControlPart opens the socket as the user that the broker has become. Its start can't fail. */
export class ControlPart implements AppliancePart {
  readonly name = 'control socket';
  readonly #setup: ControlPartSetup;
  #control: Part | null = null;

  constructor(setup: ControlPartSetup) {
    this.#setup = setup;
  }

  async start(): Promise<void> {
    const { state, operations, log } = this.#setup;
    if (!state.exists()) return;
    const control = createControl({ path: state.controlSocket, operations, log });
    try {
      await control.start();
      this.#control = control;
    } catch (error) {
      log.log('warning', `Warning: ${reasonOf(error)}. midge status and midge why will not work.`);
    }
  }

  async stop(): Promise<void> {
    await this.#control?.stop();
  }

  prepare(): null {
    return null;
  }
}
