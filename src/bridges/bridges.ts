// Door of the bridges: all `connection` blocks of a configuration, started, stopped and changed together.

import { isDeepStrictEqual } from 'node:util';
import type { Part } from '../base/lifecycle.ts';
import { exempting } from '../broker/authorizers.ts';
import type { ConnectionOrigin } from '../broker/options.ts';
import type { Authenticator, Authorizer } from '../broker/ports.ts';
import { Bridge } from './bridge.ts';
import type { BridgeDeps } from './connector.ts';
import type { BridgeOptions } from './options.ts';
import type { BridgeState } from './state.ts';

/** Bridges are those of one broker. */
export interface Bridges extends Part {
  /** states tells how each of them does, in the order of the configuration. */
  states(): readonly BridgeState[];
  /** use puts other options in force: a bridge that is in both as it was keeps its connection, a changed one is closed and made anew with its session (at once, or with `reload` 'lazy' when it connects the next time), and one that is gone is forgotten by both brokers. */
  use(next: readonly BridgeOptions[]): void;
  /** owns tells whether a connection of our own broker is a bridge's. */
  owns(origin: ConnectionOrigin): boolean;
  /** authenticator lets the bridges in, whose names stand in the configuration, keeps their client ids from everybody else, and asks the other about them. */
  authenticator(other: Authenticator): Authenticator;
  /** authorizer lets a bridge without a `local_username` carry all that its topics say, as mosquitto does, and asks the other for everybody else. */
  authorizer(other: Authorizer | null): Authorizer | null;
}

/** createBridges makes bridges without connecting; they do at `start`. */
export function createBridges(options: readonly BridgeOptions[], deps: BridgeDeps): Bridges {
  return new OwnBridges(options, deps);
}

class OwnBridges implements Bridges {
  readonly name = 'bridges';
  readonly #deps: BridgeDeps;
  #bridges: readonly Bridge[] = [];
  /** Client ids of theirs at our own broker. */
  #clientIds: ReadonlySet<string> = new Set();
  /** Names of the listeners of those that may do everything here. It is asked for each message. */
  #free: ReadonlySet<string> = new Set();
  #isStarted = false;
  /** What was asked for last. */
  #wanted: readonly BridgeOptions[];
  /** Changes come one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: readonly BridgeOptions[], deps: BridgeDeps) {
    this.#deps = deps;
    this.#wanted = options;
    this.#put(options.map((one) => new Bridge(one, deps)));
  }

  states(): readonly BridgeState[] {
    return this.#bridges.map(({ state }) => state);
  }

  async start(): Promise<void> {
    this.#isStarted = true;
    await Promise.all(this.#bridges.map((bridge) => bridge.start()));
  }

  async stop(): Promise<void> {
    this.#isStarted = false;
    await this.#turn;
    await Promise.all(this.#bridges.map((bridge) => bridge.stop()));
  }

  use(next: readonly BridgeOptions[]): void {
    const before = this.#bridges;
    this.#wanted = next;
    this.#put(next.map((options) => this.#kept(options, before) ?? new Bridge(options, this.#deps)));
    const gone = before.filter((bridge) => !this.#bridges.includes(bridge));
    const made = this.#bridges.filter((bridge) => !before.includes(bridge));
    if (this.#isStarted) this.#turn = this.#turn.then(() => this.#change(gone, made));
  }

  #put(bridges: readonly Bridge[]): void {
    this.#bridges = bridges;
    this.#clientIds = new Set(bridges.map(({ options }) => options.localClientId));
    this.#free = new Set(bridges.filter(({ origin }) => origin.identity === null).map(({ origin }) => origin.policy.name));
  }

  /** One that has not changed; or one that is connected, and takes its change over when it connects the next time. */
  #kept(options: BridgeOptions, before: readonly Bridge[]): Bridge | undefined {
    const same = before.find((one) => isDeepStrictEqual(one.options, options));
    if (same !== undefined || options.reload === 'immediate') return same;
    const former = before.find((one) => one.name === options.name && one.state.phase === 'connected');
    former?.whenAway(() => this.use(this.#wanted));
    return former;
  }

  /** What is gone has left before its successor comes: the two may have one client id. */
  async #change(gone: readonly Bridge[], made: readonly Bridge[]): Promise<void> {
    await Promise.all(gone.map((bridge) => (made.some((one) => isSameSession(one, bridge)) ? bridge.stop() : bridge.forget())));
    await Promise.all(made.map((bridge) => bridge.start()));
  }

  owns(origin: ConnectionOrigin): boolean {
    return this.#bridges.some((bridge) => bridge.origin === origin);
  }

  authenticator(other: Authenticator): Authenticator {
    return {
      authenticate: (credentials) => {
        if (this.owns(credentials.origin)) return 'accepted';
        return this.#clientIds.has(credentials.clientId) ? 'not authorised' : other.authenticate(credentials);
      },
      hasAccount: (listener, username) => other.hasAccount?.(listener, username) ?? false,
    };
  }

  authorizer(other: Authorizer | null): Authorizer | null {
    return exempting(other, ({ listener }) => this.#free.has(listener));
  }
}

function isSameSession(one: Bridge, other: Bridge): boolean {
  return one.options.localClientId === other.options.localClientId;
}
