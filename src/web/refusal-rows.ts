// One row for one cause: wrong passwords of an account at an address, those that were refused unseen after them, and the hold that they began belong together.

import type { Answer } from './api/answer.ts';

export type Why = Answer<'/api/v1/why'>;
export type Refused = Why['refusals'][number];
export type Held = Why['held'][number];

interface Row {
  /** Tells it apart. */
  readonly key: string;
  /** Client ids that it came with; '' = it did not say. */
  readonly clientIds: readonly string[];
  /** Of all refusals in it. */
  readonly count: number;
}

/** RefusedRow is one cause that nothing holds. */
export type RefusedRow = Row & { readonly refusal: Refused; readonly held: null };

/** HeldRow is one cause that a hold keeps out; `refusal` null = the box remembers none. */
export type HeldRow = Row & { readonly held: Held } & ({ readonly refusal: Refused } | { readonly refusal: null });

export type RefusalRow = RefusedRow | HeldRow;

/** isRestless tells whether it was let in each time. */
export function isRestless({ cause }: Refused): boolean {
  return cause === 'flapping';
}

/** isCalm tells whether nothing is to be done: it came in since, the rules allow it now, or is a browser whose person goes on past the warning. */
export function isCalm({ settled, isBrowser }: Refused): boolean {
  return settled !== null || isBrowser;
}

/** isOpen tells whether somebody may have to put it right. */
export function isOpen(refusal: Refused): boolean {
  return !isRestless(refusal) && !isCalm(refusal);
}

/** openRowsOf gives what somebody may have to put right. */
export function openRowsOf({ refusals, held }: Pick<Why, 'refusals' | 'held'>): readonly RefusalRow[] {
  return rowsOf(refusals.filter(isOpen), held);
}

/** rowsOf gives holds first, then the latest first. */
export function rowsOf(refusals: readonly Refused[], held: readonly Held[]): readonly RefusalRow[] {
  const rows = refusedRowsOf(refusals);
  const begun = held.map((hold) => ({ hold, row: rowOf(hold, rows) }));
  const taken = new Set(begun.map(({ row }) => row));
  return [
    ...begun.map(({ hold, row }) => (row === undefined ? ofHold(hold) : { ...row, held: hold })),
    ...rows.filter((row) => !taken.has(row)),
  ];
}

/** refusedRowsOf gives the latest first, without holds. */
export function refusedRowsOf(refusals: readonly Refused[]): readonly RefusedRow[] {
  const groups = groupsOf(refusals.toSorted((one, other) => other.last - one.last));
  return groups.map(([key, group]) => ({ key, ...summed(group), held: null }));
}

/** The group whose latest is the latest comes first, as a Map keeps the order. */
function groupsOf(latestFirst: readonly Refused[]): [string, Refused[]][] {
  const groups = new Map<string, Refused[]>();
  for (const refusal of latestFirst) {
    const key = keyOf(refusal);
    groups.set(key, [...(groups.get(key) ?? []), refusal]);
  }
  return [...groups];
}

/** isOfPassword tells whether wrong passwords are the cause, of devices or at the sign-in of the page. */
function isOfPassword({ cause, what, username }: Refused): boolean {
  return username !== null && (cause === 'credentials' || cause === 'held' || (cause === 'page' && what !== 'no role'));
}

function keyOf(refusal: Refused): string {
  const { cause, address, clientId, username, topicName, reason } = refusal;
  if (isOfPassword(refusal)) return JSON.stringify([cause === 'page', address, username]);
  return JSON.stringify([cause, address, clientId, username, topicName, reason]);
}

/** What was refused unseen says nothing about its cause. */
function summed(group: readonly Refused[]): { refusal: Refused; clientIds: readonly string[]; count: number } {
  const [latest] = group as [Refused];
  const refusal = group.find((each) => !isUnseen(each)) ?? latest;
  const count = group.reduce((sum, each) => sum + each.count, 0);
  return { refusal: { ...refusal, last: latest.last }, clientIds: [...new Set(group.map(({ clientId }) => clientId))], count };
}

function ofHold(held: Held): HeldRow {
  return { key: `held ${held.address} ${held.username}`, refusal: null, clientIds: [], count: 0, held };
}

/** Of several it is one whose refusal says more than that it was held. */
function rowOf(hold: Held, rows: readonly RefusedRow[]): RefusedRow | undefined {
  const begun = rows.filter(({ refusal }) => isBegunBy(hold, refusal));
  return begun.find(({ refusal }) => !isUnseen(refusal)) ?? begun[0];
}

/** isSecret tells of a name that stands for a token, the set-up code or a link, and not for an account. */
export function isSecret(username: string): boolean {
  return username.endsWith('\u0000');
}

/** isUnseen tells whether it was refused because of a hold. */
export function isUnseen({ cause, what }: Refused): boolean {
  return cause === 'held' || what === 'held';
}

function isBegunBy({ address, username }: Held, refusal: Refused): boolean {
  return isOfPassword(refusal) && address === refusal.address && username === refusal.username;
}
