// Why somebody was turned away and what to do about it, in the language of the reader. The box tells it by codes and values.

import { day, type Key, t, type Values } from './i18n.ts';
import { ADVICE, REASONS } from './refusal-keys.ts';
import type { RefusalRow } from './refusal-rows.ts';

/** By codes that the box may not have told this page of. */
const REASON_KEYS: Readonly<Record<string, Key>> = REASONS;
const ADVICE_KEYS: Readonly<Record<string, Key>> = ADVICE;

/** What a certificate does not say. */
const UNKNOWN: Values = { name: '–', issuer: '–' };

/** What is tried in the place of a password, by the names under which wrong ones count. */
const SECRETS: Readonly<Record<string, Key>> = {
  'token\u0000': 'refusals.token',
  'set-up code\u0000': 'refusals.setupCode',
  'phone link\u0000': 'refusals.phoneLink',
};

/** Told is what the box says of a refusal. */
export interface Told {
  readonly cause: string;
  readonly what: string;
  readonly values: Values;
  readonly adviceCode: string | null;
  readonly adviceValues: Values;
}

/** reasonWords says why; null = this page has no words for it. */
export function reasonWords({ cause, what, values }: Told): string | null {
  const key = REASON_KEYS[`${cause}: ${what}`];
  return key === undefined ? null : t(key, { ...UNKNOWN, ...Object.fromEntries(Object.entries(values).map(shown)) });
}

/** adviceWords says what to do about it; null = nothing, or this page has no words for it. */
export function adviceWords({ adviceCode, adviceValues }: Told): string | null {
  const key = adviceCode === null ? undefined : ADVICE_KEYS[adviceCode];
  return key === undefined ? null : t(key, adviceValues);
}

/** whoIn names whom a row is about. Who came with a certificate that is refused never said a client id, but it has a name. */
export function whoIn({ refusal, held, clientIds }: RefusalRow): string {
  if (refusal === null) {
    if (held.username === null) return t('refusals.anyUser');
    const secret = SECRETS[held.username];
    return secret === undefined ? held.username : t(secret);
  }
  const { username, values } = refusal;
  const clientId = clientIds.length === 1 ? clientIds[0] : '';
  if (username === null) return clientId || String(values['name'] ?? t('refusals.unknown'));
  return clientId ? `${clientId} (${username})` : username;
}

/** A Unix socket has no address, and dates come as YYYY-MM-DD. */
function shown([name, value]: [string, string | number]): [string, string | number] {
  if (value === '') return [name, t('refusals.thisMachine')];
  return [name, name === 'date' ? day(value) : value];
}
