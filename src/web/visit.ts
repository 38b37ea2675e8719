// Where this visit stands: a new box to be claimed, somebody to sign in, or somebody at work.
//
//   loading -> claim ------> at-work <-> sign-in, which says why
//           -> sign-in -----^

import { signal } from '@preact/signals';
import type { Answer } from './api/answer.ts';
import { api, ask, Unreachable, useSession } from './api/client.ts';
import { isRestarting, onReconnect } from './connection.ts';

export type Session = NonNullable<Answer<'/api/v1/welcome'>['session']>;

/** Right is what a role may: each includes those before it, see ORDER. */
export type Right = Session['role'];

/** Ending says why somebody who was signed in is so no more. */
export type Ending = 'expired' | 'restarted' | 'restored' | 'restored-without-accounts' | 'other-tab' | 'by-you' | 'password';

/** Missing is what the configuration lacks before the box can make an account. */
export type Missing = NonNullable<Answer<'/api/v1/welcome'>['missing']>;

export type Visit =
  | { readonly kind: 'loading' }
  | { readonly kind: 'claim'; readonly missing: Missing | null }
  | { readonly kind: 'sign-in'; readonly why: Ending | null }
  | { readonly kind: 'at-work'; readonly session: Session };

const LOOK_MS = 500;

/** visit is where it stands. */
export const visit = signal<Visit>({ kind: 'loading' });

/** Tabs of one browser share a cookie: they tell each other when it changes. */
const tabs = new BroadcastChannel('midge.session');

/** Which run of the broker has answered last: a restart may be over before the page has noticed it. */
let run = '';

/** The next restart is that of a backup which takes its place. */
let restoring: Extract<Ending, 'restored' | 'restored-without-accounts'> | null = null;

/** expectRestore lets the next sign-in say that the box has gone back to a backup, and whose accounts it has. */
export function expectRestore(ending: NonNullable<typeof restoring>): void {
  restoring = ending;
}

/** awaitEnding asks until a restart that was asked for has begun: the page learns by the first request that fails that the box is away, or its session gone. */
export async function awaitEnding(): Promise<void> {
  isRestarting.value = true;
  try {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      await ask(api.GET('/api/v1/session'));
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) isRestarting.value = false; // it is back already; the rest of the page knows now
  }
}

/** startVisit asks the box who we are; it goes on until the box answers. */
export async function startVisit(): Promise<void> {
  tabs.onmessage = ({ data }) => void (data === 'signed-out' ? endedElsewhere() : look(null));
  onReconnect(() => void look(restoring ?? 'restarted'));
  await look(null);
}

/** lookAgain asks whether somebody has put right, outside of the page, what was in the way. */
export function lookAgain(): Promise<void> {
  return look(null);
}

/** begin starts the work of a session. */
export function begin(session: Session): void {
  restoring = null;
  useSession(session.csrfToken, () => void look(restoring ?? 'expired'));
  visit.value = { kind: 'at-work', session };
}

/** beganHere starts the work and tells the other tabs. */
export function beganHere(session: Session): void {
  begin(session);
  tabs.postMessage('signed-in');
}

/** signOut ends the session here, in the other tabs and at the box. */
export async function signOut(why: Ending = 'by-you'): Promise<void> {
  useSession(currentSession()?.csrfToken ?? '', () => {}); // one that has ended already is as good
  await ask(api.DELETE('/api/v1/session')).catch(() => {});
  visit.value = { kind: 'sign-in', why };
  tabs.postMessage('signed-out');
}

/** currentSession is that of who is at work; null = nobody is. */
export function currentSession(): Session | null {
  return visit.value.kind === 'at-work' ? visit.value.session : null;
}

/** mayNow tells whether who is at work has a right. */
export function mayNow(right: Right): boolean {
  const session = currentSession();
  return session !== null && ORDER.indexOf(session.role) >= ORDER.indexOf(right);
}

const ORDER: readonly Right[] = ['monitoring', 'viewer', 'operator', 'admin'];

/** A request of this tab may have been refused before the other one told why. */
function endedElsewhere(): void {
  const now = visit.value;
  if (now.kind === 'at-work' || (now.kind === 'sign-in' && now.why === 'expired')) visit.value = { kind: 'sign-in', why: 'other-tab' };
}

async function look(why: Ending | null): Promise<void> {
  try {
    const { isClaimed, session, missing, run: answering } = await ask(api.GET('/api/v1/welcome'));
    const reason = why === 'expired' && run !== answering ? 'restarted' : why;
    run = answering;
    const wasAtWork = visit.value.kind === 'at-work';
    if (session !== null) begin(session);
    else if (!isClaimed) visit.value = { kind: 'claim', missing };
    else if (wasAtWork || visit.value.kind !== 'sign-in') visit.value = { kind: 'sign-in', why: wasAtWork ? reason : null };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error; // it knocks, and we look again
  }
}
