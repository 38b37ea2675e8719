// The REST interface as a part. Its roles and tokens are read at the start, its code is loaded when the first connection comes: until then it costs
// next to nothing. Connections that come before it is there wait.

import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Api } from '../../api/api.ts';
import type { ApiSetup } from '../../api/ports.ts';
import type { Roles } from '../../api/roles.ts';
import type { TokenFile } from '../../api/tokens.ts';
import { OperatorError, reasonOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { HttpVisit } from '../../listeners/acceptor.ts';
import type { AppliancePart, Step } from '../parts.ts';
import type { PhoneWatch } from '../phone-watch.ts';

export interface ApiPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly log: Logger;
  /** read throws OperatorError when they can't be read. */
  readonly read: () => Promise<KeptForApi>;
  /** hasAccount tells whether there is an account of a name, at any listener. */
  readonly hasAccount: (username: string) => boolean;
  /** load makes what the API needs. */
  readonly load: (kept: KeptForApi, code: string) => Promise<ApiSetup>;
}

/** KeptForApi is what the state folder holds for it. */
export interface KeptForApi {
  readonly roles: Roles;
  readonly tokens: TokenFile;
  readonly phones: PhoneWatch;
}

/** ApiPart opens when the broker runs and has become its user. */
export class ApiPart implements AppliancePart {
  readonly name = 'REST interface';
  readonly #setup: ApiPartSetup;
  /** People type it: 128 bits in groups. */
  readonly #code = makeCode();
  /** Null = no listener wants it, or it has not started, or they can't be read. */
  #kept: KeptForApi | null = null;
  #loading: Promise<void> | null = null;
  #api: Api | null = null;
  /** A broker that can't be asked is still a broker. */
  #isBroken = false;
  readonly #waiting: [stream: Duplex, visit: HttpVisit][] = [];

  constructor(setup: ApiPartSetup) {
    this.#setup = setup;
  }

  /** setupCode makes the first admin; null = nobody waits for one. */
  get setupCode(): string | null {
    return this.#kept === null || this.#kept.roles.hasAdmin ? null : this.#code;
  }

  /** tokens of programs; null = there is no such interface. */
  get tokens(): TokenFile | null {
    return this.#kept?.tokens ?? null;
  }

  /** roles of accounts; null = there is no such interface. */
  get roles(): Roles | null {
    return this.#kept?.roles ?? null;
  }

  /** phones that are set up by its pages; null = there is no such interface. */
  get phones(): PhoneWatch | null {
    return this.#kept?.phones ?? null;
  }

  /** accountsChanged ends the tokens of accounts that have gone. */
  accountsChanged(): void {
    const { log, hasAccount } = this.#setup;
    try {
      const ended = this.#kept?.tokens.keepAccounts(hasAccount) ?? [];
      if (ended.length > 0)
        log.log('notice', `Tokens have ended with the accounts that made them: ${ended.map((name) => JSON.stringify(name)).join(', ')}.`);
    } catch (error) {
      log.log('error', `Error: Tokens of accounts that have gone are still in the file: ${reasonOf(error)}`);
    }
  }

  serve(stream: Duplex, visit: HttpVisit): void {
    if (this.#isBroken) return void stream.destroy();
    if (this.#api !== null) return this.#hand(this.#api, stream, visit);
    this.#waiting.push([stream, visit]);
    if (this.#kept !== null) this.#loading ??= this.#load(this.#kept);
  }

  async start(): Promise<void> {
    const { configuration, log, read } = this.#setup;
    if (!wantsApi(configuration)) return;
    try {
      this.#use(await read());
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      this.#break('warning', `Warning: ${error.message}. The REST interface will not work.`);
    }
    const code = this.setupCode;
    if (code !== null) log.log('notice', `Nobody has claimed the REST interface and its page yet. The set-up code is ${code}.`);
  }

  async stop(): Promise<void> {
    this.#isBroken = true;
    await this.#loading;
    this.#api?.stop();
    this.#kept?.phones.stop();
    this.#turnAway();
  }

  /** Once there it stays: what asks it are listeners, which open and close. */
  async prepare(next: Configuration): Promise<Step | null> {
    const names = new Set(next.listeners.map(({ policy }) => policy.name));
    if (this.#kept !== null) return { commit: () => this.#takeOver(names), undo: () => {} };
    if (!wantsApi(next)) return null;
    const kept = await this.#setup.read();
    return { commit: () => this.#use(kept), undo: () => {} };
  }

  #takeOver(listeners: ReadonlySet<string>): void {
    this.#api?.keepListeners(listeners);
    this.accountsChanged();
  }

  #use(kept: KeptForApi): void {
    this.#kept = kept;
    this.accountsChanged();
    kept.phones.start();
    this.#isBroken = false;
    if (this.#waiting.length > 0) this.#loading ??= this.#load(kept);
  }

  async #load(kept: KeptForApi): Promise<void> {
    try {
      const [{ createApi }, setup] = await Promise.all([import('../../api/api.ts'), this.#setup.load(kept, this.#code)]);
      const api = createApi(setup);
      this.#api = api;
      for (const [stream, visit] of this.#waiting.splice(0)) if (!stream.destroyed) this.#hand(api, stream, visit);
    } catch (error) {
      this.#break('error', `Error: The REST interface does not work: ${reasonOf(error)}`);
    }
  }

  #hand(api: Api, stream: Duplex, { origin, isPrivate, clientOf }: HttpVisit): void {
    const signedIn = () => origin.signedIn?.();
    api.serve(stream, { listener: origin.policy.name, isPrivate, hasTls: origin.tls !== null, signedIn, addressOf: clientOf });
  }

  #break(type: 'warning' | 'error', line: string): void {
    this.#setup.log.log(type, line);
    this.#isBroken = true;
    this.#turnAway();
  }

  #turnAway(): void {
    for (const [stream] of this.#waiting.splice(0)) stream.destroy();
  }
}

/** wantsApi tells whether a listener needs it. */
export function wantsApi({ listeners }: Configuration): boolean {
  return listeners.some(({ protocol }) => protocol === 'http');
}

function makeCode(): string {
  const groups = randomBytes(16).toString('hex').match(/.{4}/g) ?? [];
  return groups.join('-');
}
