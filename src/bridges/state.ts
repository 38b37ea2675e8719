// What a bridge tells about itself, for people and programs.

import type { LinkFault } from '../broker/client/link-error.ts';
import type { BridgeTopic } from './options.ts';

/** BridgeState is a moment of one bridge. Times are milliseconds since 1970; counts are since the program started. */
export interface BridgeState {
  readonly name: string;
  readonly topics: readonly BridgeTopic[];
  /** 'waiting' = it tries again later; 'idle' = it waits for messages (`start_type lazy`); 'stopped' = it does not try again (`start_type once`). */
  readonly phase: 'connecting' | 'connected' | 'waiting' | 'idle' | 'stopped';
  /** When this phase began. */
  readonly since: number;
  /** When it tries again; null = it is connected, or does not. */
  readonly nextAttempt: number | null;
  /** The address in use or tried last, or the first where none was. */
  readonly address: string;
  /** What ended the latest connection or kept it from being made; it stays when all is well again. */
  readonly lastError: BridgeError | null;
  /** Topic filters that the other broker does not let it subscribe to. */
  readonly refusedFilters: readonly string[];
  /** Messages that came over from the other broker, and that went there. */
  readonly received: number;
  readonly sent: number;
  /** Messages that did not: too large, refused over there, or stopped as an echo. */
  readonly dropped: number;
  /** Messages that wait for the other broker, and when the first of them came, to the second; after a restart: when the bridge was connected last. Null = none. */
  readonly queued: number;
  readonly oldestQueued: number | null;
}

export interface BridgeError {
  readonly fault: LinkFault;
  /** A clause without a full stop: `no broker listens at pi.local:1883`. */
  readonly words: string;
  /** What to do about it, without a full stop; null = nothing that is known. */
  readonly advice: string | null;
  readonly at: number;
}
