// Accounts and rules as a part.

import { type Access, createAccess, createBounds } from '../../access/access.ts';
import { PasswordAuthenticator } from '../../access/authenticator.ts';
import { DynamicSecurity, type DynamicSecuritySetup } from '../../access/dynamic-security/dynamic-security.ts';
import { KnownLogins } from '../../access/known-logins.ts';
import { LoginThrottle } from '../../access/login-throttle.ts';
import type { AccessOptions } from '../../access/options.ts';
import type { PasswordFile } from '../../access/password-file.ts';
import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Configuration } from '../../config/configuration.ts';
import { asOwnerNow } from '../../state/as-owner.ts';
import { type AppliancePart, type Step, whenReady } from '../parts.ts';

export interface AccessPartSetup {
  readonly options: AccessOptions;
  readonly log: Logger;
  /** Where the throttle remembers who has signed in from where; null = nowhere. */
  readonly knownLogins: string | null;
  /** What dynamic security needs of the broker. */
  readonly clients: Pick<DynamicSecuritySetup, 'addressesOf' | 'changed'>;
}

/** AccessPart reads password and ACL files when it is made; throws OperatorError when one is bad. */
export class AccessPart implements AppliancePart {
  readonly name = 'access';
  readonly throttle: LoginThrottle;
  readonly #setup: AccessPartSetup;
  readonly #knownLogins: KnownLogins;
  readonly #bounds = createBounds();
  #dynamic: DynamicSecurity | null;
  #access: Access;

  constructor(setup: AccessPartSetup) {
    const { options, log, knownLogins } = setup;
    this.#setup = setup;
    this.#knownLogins = new KnownLogins(knownLogins, log);
    this.throttle = new LoginThrottle(options.loginThrottle, { clock: systemClock, log, known: this.#knownLogins });
    this.#dynamic = this.#createDynamic(options);
    this.#access = createAccess(options, this.throttle, this.#dynamic, this.#bounds);
  }

  /** access is what is in force. */
  get access(): Access {
    return this.#access;
  }

  /** dynamic is dynamic security, or null where the configuration has none. */
  get dynamic(): DynamicSecurity | null {
    return this.#dynamic;
  }

  async start(): Promise<void> {
    if (this.#dynamic !== null) this.#dynamic.use(await this.#dynamic.read());
  }

  async stop(): Promise<void> {
    this.#knownLogins.save();
  }

  /** A file that was changed by hand is read anew: what commands have changed stands in it, too. */
  async prepare({ access: options }: Configuration): Promise<Step> {
    const file = options.dynamicSecurity?.file ?? null;
    const dynamic = file === (this.#dynamic?.file ?? null) ? this.#dynamic : this.#createDynamic(options);
    const model = (await dynamic?.read()) ?? null;
    const access = createAccess(options, this.throttle, dynamic, this.#bounds);
    return whenReady(() => {
      const before = this.#access;
      this.#dynamic = dynamic;
      this.#access = access;
      this.throttle.passwordsChanged((username) => access.hasOtherPassword(username, before));
      this.throttle.setOptions(options.loginThrottle);
      if (model !== null) dynamic?.use(model);
    });
  }

  #createDynamic({ dynamicSecurity }: AccessOptions): DynamicSecurity | null {
    if (dynamicSecurity === null) return null;
    const { log, clients } = this.#setup;
    const checkPasswords = (users: PasswordFile) => new PasswordAuthenticator(null, users, this.throttle, this.#bounds);
    const passwordsChanged = this.throttle.passwordsChanged.bind(this.throttle);
    return new DynamicSecurity({ ...dynamicSecurity, ...clients, log, checkPasswords, passwordsChanged, asOwner: asOwnerNow });
  }
}
