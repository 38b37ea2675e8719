// A change of the configuration that is in force for the time being: it goes back by itself unless somebody confirms it in time.
//
//   apply -> waiting, with a countdown -> confirmed
//                                      -> taken back: by hand, or when the time is over, also when this page cannot reach the box meanwhile

import { signal } from '@preact/signals';
import { api, ask, Refusal } from '../api/client.ts';
import { toast } from '../components/toast.tsx';
import { t } from '../i18n.ts';

/** Waiting is the change that waits. */
export interface Waiting {
  readonly confirm: string;
  /** By the clock of this page, in milliseconds since 1970: the box may have another one. */
  readonly until: number;
  /** Words that take effect at the next start. */
  readonly later: readonly string[];
  /** Where the page is meanwhile; null = where it was, or this page does not know. */
  readonly movedTo: string | null;
}

/** waiting is null where none waits. */
export const waiting = signal<Waiting | null>(null);

/** notingTrial adds to an answer whether a change was on trial when it was asked for: what stands by that change may be gone in a minute. */
export async function notingTrial<T extends object>(asked: Promise<T>): Promise<T & { readonly isOnTrial: boolean }> {
  const isOnTrial = waiting.value !== null;
  return { ...(await asked), isOnTrial };
}

/** ended is counted up when a change was confirmed or taken back: what was read before may be another text now. */
export const ended = signal(0);

/** Seconds after the end in which the box puts the old text in force. */
const GRACE_MS = 3000;

/** tryText puts a text in force for the time being, and gives its revision. `movedTo`: see Waiting. Throws Refusal or Unreachable, and nothing was changed. */
export async function tryText(text: string, revision: string, movedTo: string | null): Promise<string> {
  const sent = await api.PUT('/api/v1/configuration', { body: { text, revision }, headers: { 'if-match': `"${revision}"` } });
  const { confirm, until, later, revision: ours } = await ask(Promise.resolve(sent));
  waiting.value = { confirm, until: byOurClock(until, sent.response), later, movedTo };
  return ours;
}

/** noteWaiting is for a change that was made by another way, or before this page was loaded. */
export function noteWaiting(unconfirmed: { readonly confirm: string; readonly until: string } | null, response: Response): void {
  if (unconfirmed === null) return;
  if (waiting.value?.confirm === unconfirmed.confirm) return;
  waiting.value = { confirm: unconfirmed.confirm, until: byOurClock(unconfirmed.until, response), later: [], movedTo: null };
}

/** keep confirms the change; false = it has gone back before. Throws Refusal or Unreachable. */
export async function keep({ confirm }: Waiting): Promise<boolean> {
  await ask(api.POST('/api/v1/configuration/confirmation', { body: { confirm } })).catch(goneBack);
  if (waiting.value === null) return false;
  end();
  toast(t('trial.kept'));
  return true;
}

/** takeBack does not wait for the end. Throws Refusal or Unreachable. */
export async function takeBack(): Promise<void> {
  await ask(api.DELETE('/api/v1/configuration/unconfirmed')).catch(goneBack);
  if (waiting.value === null) return;
  end();
  toast(t('trial.takenBack'));
}

/** expire is called when the time is over. */
export function expire(): void {
  if (waiting.value === null || Date.now() < waiting.value.until + GRACE_MS) return;
  end();
  toast(t('trial.expired'), 'bad');
}

function end(): void {
  waiting.value = null;
  ended.value++;
}

/** Who comes too late learns that it has gone back. */
function goneBack(error: unknown): void {
  if (!(error instanceof Refusal) || error.status !== 404) throw error;
  end();
  toast(t('trial.expired'), 'bad');
}

/** A Pi has no clock of its own: what counts is how long it is from the moment of the answer. */
function byOurClock(until: string, response: Response): number {
  const theirs = Date.parse(response.headers.get('date') ?? '');
  return Date.now() + Date.parse(until) - (Number.isNaN(theirs) ? Date.now() : theirs);
}
