// How the store fares, in words for a person, and the log lines when that changes.

import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Upgrade } from './earlier-version.ts';
import type { Fault, FaultKind } from './faults.ts';
import type { Rewrite } from './rewrite-file.ts';
import { unsoundList } from './set-aside.ts';
import type { Damage, SetAside } from './worker-store.ts';

export type StoreState = 'ok' | 'full' | 'read-only' | 'failed';

/** StoreHealth says what can be kept now, in words that need no other page. */
export interface StoreHealth {
  readonly state: StoreState;
  /** Milliseconds since 1970; for 'ok' the start, or the end of the last trouble. */
  readonly since: number;
  readonly text: string;
  /** What was moved aside or written anew since the start, null = nothing. */
  readonly damage: string | null;
}

/** HealthRecord is told every outcome and logs changes only: once per trouble, however often it is tried again. */
export class HealthRecord {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #health: StoreHealth;

  constructor(path: string, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#health = { state: 'ok', since: clock.now(), text: 'All acknowledged messages are on disk.', damage: null };
  }

  get now(): StoreHealth {
    return this.#health;
  }

  well(): void {
    const { state, since, damage } = this.#health;
    if (state === 'ok') return;
    const now = this.#clock.now();
    this.#health = { state: 'ok', since: now, text: 'All acknowledged messages are on disk.', damage };
    const seconds = Math.max(0, Math.round((now - since) / 1000));
    this.#log.log('notice', `Database "${this.#path}" is written again after ${seconds} s, with all changes that came meanwhile.`);
  }

  troubled(fault: Fault): void {
    const state = stateOf(fault.kind);
    if (state === this.#health.state) return;
    this.#health = { ...this.#health, state, since: this.#clock.now(), text: textOf(state, fault) };
    this.#log.log('error', `Cannot write database "${this.#path}": ${fault.reason} - ${this.#health.text}`);
  }

  damaged({ reason, aside, salvaged }: Damage): void {
    const kept =
      salvaged === null
        ? 'nothing could be read from it, so the broker starts without sessions, retained messages and locations of phones'
        : `kept from it: ${salvaged.sessions} sessions, ${salvaged.deliveries} waiting messages, ${salvaged.retained} retained messages, ${salvaged.locations} locations of phones; the rest is lost`;
    const text = `Database "${this.#path}" is damaged (${reason}). It was moved to "${aside}"; ${kept}.`;
    this.#add(text);
  }

  /** rescued says that the database lost its place, and that nothing was lost by it. */
  rescued({ aside }: Rewrite): void {
    const kept = aside === null ? '' : ` The file in its place was moved to "${aside}".`;
    this.#add(
      `Database "${this.#path}" was deleted or replaced while the broker runs. midge has written all of its content there again.${kept}`,
    );
  }

  /** setAside names what was not loaded. */
  setAside({ found, stuck }: SetAside): void {
    const kept =
      stuck === null
        ? 'midge did not load them and keeps them in its tables set_aside_*.'
        : `midge did not load them. They could not be moved to its tables set_aside_* (${stuck}); midge writes nothing else before they are.`;
    this.#add(`Database "${this.#path}" holds invalid rows (${unsoundList(found)}). ${kept}`);
  }

  /** upgraded says where the way back is. */
  upgraded({ version, copy }: Upgrade): void {
    const change = `Database "${this.#path}" was converted from version ${version} to the version of this midge.`;
    if (copy === null) this.#log.log('warning', `Warning: ${change} There was no space for a copy: an older midge cannot use it any more.`);
    else this.#log.log('notice', `${change} midge keeps the old database in "${copy}" for a week, so that you can go back.`);
  }

  /** restarted says that the worker was made anew and nothing was lost by it. */
  restarted(reason: string): void {
    this.#log.log('warning', `The store was restarted: ${reason}. midge has written again what was not yet on disk.`);
  }

  #add(text: string): void {
    const { damage } = this.#health;
    this.#health = { ...this.#health, damage: damage === null ? text : `${damage} ${text}` };
    this.#log.log('error', text);
  }
}

function stateOf(kind: FaultKind): Exclude<StoreState, 'ok'> {
  return kind === 'full' || kind === 'read-only' ? kind : 'failed';
}

function textOf(state: Exclude<StoreState, 'ok'>, { kind, reason }: Fault): string {
  if (kind === 'deleted')
    return 'It was deleted or replaced while the broker runs, and midge could not write it again. A restart loses all sessions and messages: save them with "midge backup" first. Until then midge refuses QoS 1 and 2 to kept sessions, and tries again every minute.';
  switch (state) {
    case 'full':
      return 'The disk is full. midge refuses QoS 1 and 2 to kept sessions and retained QoS 1 and 2 until there is space. No acknowledged message is lost.';
    case 'read-only':
      return 'The disk is read-only. Changes do not survive a restart, so midge refuses QoS 1 and 2 to kept sessions until it can write.';
    case 'failed':
      return `The database cannot be written (${reason}). Changes do not survive a restart, so midge refuses QoS 1 and 2 to kept sessions. It tries again every minute.`;
  }
}
