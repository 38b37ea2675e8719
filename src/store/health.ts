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
    this.#health = { state: 'ok', since: clock.now(), text: 'What is acknowledged is on disk.', damage: null };
  }

  get now(): StoreHealth {
    return this.#health;
  }

  well(): void {
    const { state, since, damage } = this.#health;
    if (state === 'ok') return;
    const now = this.#clock.now();
    this.#health = { state: 'ok', since: now, text: 'What is acknowledged is on disk.', damage };
    const seconds = Math.max(0, Math.round((now - since) / 1000));
    this.#log.log('notice', `Database "${this.#path}" is written again after ${seconds} s. What changed meanwhile is written too.`);
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
        ? 'nothing could be read from it, so the broker starts without sessions and retained messages'
        : `kept from it: ${salvaged.sessions} sessions, ${salvaged.deliveries} waiting messages, ${salvaged.retained} retained messages; what is missing is lost`;
    const text = `Database "${this.#path}" is damaged (${reason}). It was moved to "${aside}"; ${kept}.`;
    this.#add(text);
  }

  /** rescued says that the database lost its place, and that nothing was lost by it. */
  rescued({ aside }: Rewrite): void {
    const kept = aside === null ? '' : ` What stood in its place was moved to "${aside}".`;
    this.#add(`Database "${this.#path}" was deleted or replaced while the broker runs. All that it held was written there anew.${kept}`);
  }

  /** setAside names what was not loaded. */
  setAside({ found, stuck }: SetAside): void {
    const kept =
      stuck === null
        ? 'They were not loaded, and are kept in its tables set_aside_*.'
        : `They were not loaded, and stay where they are: they could not be moved to its tables set_aside_* (${stuck}). That comes before anything else is written.`;
    this.#add(`Database "${this.#path}" holds rows that make no sense (${unsoundList(found)}). ${kept}`);
  }

  /** upgraded says where the way back is. */
  upgraded({ version, copy }: Upgrade): void {
    const change = `Database "${this.#path}" was brought from version ${version} to the one of this midge.`;
    if (copy === null)
      this.#log.log('warning', `Warning: ${change} There was no space to keep a copy: the older midge cannot use it any more.`);
    else this.#log.log('notice', `${change} As it was before it is kept in "${copy}" for a week, for the way back.`);
  }

  /** restarted says that the worker was made anew and nothing was lost by it. */
  restarted(reason: string): void {
    this.#log.log('warning', `Store was restarted: ${reason}. What was not yet on disk was written again.`);
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
    return 'It was deleted or replaced while the broker runs, and could not be written anew. What is kept is lost at a restart: save it with "midge backup" first. QoS 1 and 2 to kept sessions is refused; it is tried again every minute.';
  switch (state) {
    case 'full':
      return 'The disk is full. QoS 1 and 2 to kept sessions and retained QoS 1 and 2 are refused until there is space; what was acknowledged is not lost.';
    case 'read-only':
      return 'The disk is read-only. Nothing that changes now survives a restart, so QoS 1 and 2 to kept sessions is refused until it can be written.';
    case 'failed':
      return `The database cannot be written (${reason}). Nothing that changes now survives a restart, so QoS 1 and 2 to kept sessions is refused; it is tried again every minute.`;
  }
}
