// Accounts and rules as a part.

import { type Access, createAccess } from '../../access/access.ts';
import { KnownLogins } from '../../access/known-logins.ts';
import { LoginThrottle } from '../../access/login-throttle.ts';
import type { AccessOptions } from '../../access/options.ts';
import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { AppliancePart, Step } from '../parts.ts';

export interface AccessPartSetup {
  readonly options: AccessOptions;
  readonly log: Logger;
  /** Where the throttle remembers who has signed in from where; null = nowhere. */
  readonly knownLogins: string | null;
}

/** AccessPart reads password and ACL files when it is made; throws OperatorError when one is bad. */
export class AccessPart implements AppliancePart {
  readonly name = 'access';
  readonly throttle: LoginThrottle;
  readonly #knownLogins: KnownLogins;
  #access: Access;

  constructor({ options, log, knownLogins }: AccessPartSetup) {
    this.#knownLogins = new KnownLogins(knownLogins, log);
    this.throttle = new LoginThrottle(options.loginThrottle, { clock: systemClock, log, known: this.#knownLogins });
    this.#access = createAccess(options, this.throttle);
  }

  /** access is what is in force. */
  get access(): Access {
    return this.#access;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#knownLogins.save();
  }

  prepare(next: Configuration): Step {
    const access = createAccess(next.access, this.throttle);
    return {
      commit: () => {
        this.#access = access;
        this.throttle.setOptions(next.access.loginThrottle);
      },
      undo: () => {},
    };
  }
}
