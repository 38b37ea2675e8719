// The REST interface as a part: its code is loaded when a listener with `protocol http` wants it. Connections that come before wait.

import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Api } from '../../api/api.ts';
import type { ApiSetup } from '../../api/ports.ts';
import { OperatorError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { HttpVisit } from '../../listeners/acceptor.ts';
import type { AppliancePart, Step } from '../parts.ts';

export interface ApiPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly log: Logger;
  /** load makes what the API needs, with its roles read; throws OperatorError when they can't be. */
  readonly load: (code: string) => Promise<ApiSetup>;
}

/** ApiPart opens when the broker runs and has become its user. */
export class ApiPart implements AppliancePart {
  readonly name = 'REST interface';
  readonly #setup: ApiPartSetup;
  /** People type it: 128 bits in groups. */
  readonly #code = makeCode();
  #api: Api | null = null;
  /** A broker that can't be asked is still a broker. */
  #isBroken = false;
  #unclaimed: () => boolean = () => false;
  readonly #waiting: [stream: Duplex, visit: HttpVisit][] = [];

  constructor(setup: ApiPartSetup) {
    this.#setup = setup;
  }

  /** setupCode makes the first admin; null = nobody waits for one. */
  get setupCode(): string | null {
    return this.#unclaimed() ? this.#code : null;
  }

  serve(stream: Duplex, visit: HttpVisit): void {
    const { origin, isPrivate, clientOf } = visit;
    if (this.#isBroken) return void stream.destroy();
    if (this.#api === null) {
      this.#waiting.push([stream, visit]);
      return;
    }
    const signedIn = () => origin.signedIn?.();
    this.#api.serve(stream, { listener: origin.policy.name, isPrivate, hasTls: origin.tls !== null, signedIn, addressOf: clientOf });
  }

  async start(): Promise<void> {
    if (!wantsApi(this.#setup.configuration)) return;
    try {
      this.#open(await this.#make());
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      this.#setup.log.log('warning', `Warning: ${error.message}. The REST interface will not work.`);
      this.#isBroken = true;
      for (const [stream] of this.#waiting.splice(0)) stream.destroy();
    }
    const code = this.setupCode;
    if (code !== null) this.#setup.log.log('notice', `Nobody has claimed the REST interface yet. The set-up code is ${code}.`);
  }

  async stop(): Promise<void> {
    this.#api?.stop();
    for (const [stream] of this.#waiting) stream.destroy();
  }

  /** Once loaded it stays: what asks it are listeners, which open and close. */
  async prepare(next: Configuration): Promise<Step | null> {
    if (this.#api !== null || !wantsApi(next)) return null;
    const api = await this.#make();
    return { commit: () => this.#open(api), undo: () => api.stop() };
  }

  async #make(): Promise<Api> {
    const [{ createApi }, setup] = await Promise.all([import('../../api/api.ts'), this.#setup.load(this.#code)]);
    this.#unclaimed = () => !setup.roles.hasAdmin;
    return createApi(setup);
  }

  #open(api: Api): void {
    this.#isBroken = false;
    this.#api = api;
    for (const [stream, visit] of this.#waiting.splice(0)) if (!stream.destroyed) this.serve(stream, visit);
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
