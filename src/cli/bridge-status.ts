// What `midge status` says about a bridge.

import type { Status } from '../operations/status.ts';
import { isoTime } from './iso-time.ts';

type BridgeStatus = Status['bridges'][number];

/** bridgeRows gives its lines: how the connection is, what passes, and what went wrong last. */
export function bridgeRows(bridge: BridgeStatus): [string, string | null][] {
  const { name, address, received, sent, queued, oldestQueued, dropped, lastError } = bridge;
  const waiting = queued === 0 ? 'none queued' : `${queued} queued${oldestQueued === null ? '' : ` since ${time(oldestQueued)}`}`;
  const error = lastError === null ? null : `${time(lastError.at)}: ${lastError.words}`;
  return [
    ['Bridge', `${name}: ${phaseWords(bridge)}${address === null ? '' : `, ${address}`}`],
    ['', `${received} in, ${sent} out, ${waiting}, ${dropped} dropped`],
    ['', error && (bridge.phase === 'connected' ? `last trouble at ${error}` : `at ${error}`)],
  ];
}

/** bridgeTroubles gives what a person should look at. */
export function bridgeTroubles({ name, phase, lastError, refusedFilters }: BridgeStatus): string[] {
  const isDown = phase === 'waiting' || phase === 'stopped' || (phase === 'connecting' && lastError !== null);
  const advice = lastError?.advice == null ? '' : ` - ${lastError.advice}`;
  const why = lastError === null ? '' : `: ${lastError.words}${advice}`;
  return [
    ...(isDown ? [`Bridge ${name} is not connected${why}.`] : []),
    ...(refusedFilters.length > 0 ? [`The other broker of bridge ${name} refuses subscriptions: ${refusedFilters.join(', ')}.`] : []),
  ];
}

function phaseWords({ phase, since, nextAttempt }: BridgeStatus): string {
  switch (phase) {
    case 'connected':
      return `connected since ${time(since)}`;
    case 'connecting':
      return 'connecting';
    case 'waiting':
      return nextAttempt === null ? 'not connected' : `not connected, tries again at ${time(nextAttempt)}`;
    case 'idle':
      return 'not connected until there is something to send (start_type lazy)';
    case 'stopped':
      return 'not connected any more (start_type once)';
  }
}

function time(iso: string): string {
  return isoTime(Date.parse(iso));
}
