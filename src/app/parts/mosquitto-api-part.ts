// mosquitto's `protocol http_api` as a part: its code is loaded when the first connection comes.

import type { Duplex } from 'node:stream';
import type { MosquittoApi, MosquittoApiGuest, MosquittoApiSetup, ShownListener } from '../../api/mosquitto-api.ts';
import { reasonOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { HttpVisit } from '../../listeners/acceptor.ts';
import type { Listener } from '../../listeners/listeners.ts';
import { sysNumbers } from '../../telemetry/sys-tree.ts';
import type { Appliance } from '../app.ts';
import { MOSQUITTO_VERSION } from '../mosquitto-version.ts';
import type { AppliancePart } from '../parts.ts';

/** The client id that mosquitto gives to whoever asks. */
const CLIENT_ID = 'http-api';

export interface MosquittoApiPartSetup {
  readonly appliance: Pick<Appliance, 'access' | 'broker' | 'listeners'>;
  readonly log: Logger;
}

/** MosquittoApiPart serves what listeners with `protocol http_api` let in. */
export class MosquittoApiPart implements AppliancePart {
  readonly name = 'HTTP API of mosquitto';
  readonly #setup: MosquittoApiPartSetup;
  #loading: Promise<MosquittoApi | null> | null = null;
  #hasStopped = false;

  constructor(setup: MosquittoApiPartSetup) {
    this.#setup = setup;
  }

  serve(stream: Duplex, visit: HttpVisit): void {
    this.#loading ??= this.#load();
    void this.#loading.then((api) => {
      if (api === null || this.#hasStopped) stream.destroy();
      else if (!stream.destroyed) api.serve(stream, this.#guestOf(visit));
    });
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#hasStopped = true;
    (await this.#loading)?.stop();
  }

  prepare(): null {
    return null; // it asks what is in force
  }

  async #load(): Promise<MosquittoApi | null> {
    try {
      const { createMosquittoApi } = await import('../../api/mosquitto-api.ts');
      return createMosquittoApi(this.#apiSetup());
    } catch (error) {
      this.#setup.log.log('error', `Error: The HTTP API of mosquitto does not work: ${reasonOf(error)}`);
      return null;
    }
  }

  #apiSetup(): MosquittoApiSetup {
    const { appliance } = this.#setup;
    return {
      version: MOSQUITTO_VERSION,
      listeners: () => appliance.listeners.map(shown),
      systree: () => Object.fromEntries(sysNumbers(appliance.broker, process.uptime())),
    };
  }

  #guestOf({ origin, httpDir, clientOf }: HttpVisit): MosquittoApiGuest {
    const { appliance } = this.#setup;
    const listener = origin.policy.name;
    return {
      httpDir,
      async allows({ username: given, password }, { path, forwardedFor }) {
        const { authenticator, authorizer } = appliance.access;
        const username = origin.identity ?? given;
        const from = { ...origin, address: clientOf(forwardedFor) };
        const secret = password === null ? null : Buffer.from(password);
        const verdict = await authenticator.authenticate({ clientId: CLIENT_ID, username, password: secret, origin: from });
        if (verdict !== 'accepted') return false;
        origin.signedIn?.();
        return authorizer === null || authorizer.mayReceive({ clientId: CLIENT_ID, username, listener }, path);
      },
    };
  }
}

const PROTOCOLS = { mqtt: 'mqtt', websockets: 'websockets', http_api: 'httpapi', http: 'http' } as const;

function shown({ options, port }: Pick<Listener, 'options' | 'port'>): ShownListener {
  const { unixPath, protocol, tls, policy } = options;
  const facts = {
    protocol: PROTOCOLS[protocol],
    tls: tls !== null,
    mtls: tls?.requireCertificate ?? false,
    allow_anonymous: policy.allowAnonymous,
  };
  return unixPath === null ? { port, ...facts } : { path: unixPath, ...facts };
}
