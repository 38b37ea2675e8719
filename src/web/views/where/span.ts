// The times of which a reader can ask, in the days of the reader.

/** Stretch: a week is today and the six days before. */
export type Stretch = 'today' | 'week' | 'range';

/** Span is in ISO 8601; null = without an end there. */
export interface Span {
  readonly from: string | null;
  readonly to: string | null;
}

/** spanOf works it out; `days` are dates such as 2026-01-31, both included, '' = none. */
export function spanOf(stretch: Stretch, days: { readonly from: string; readonly to: string }, now = new Date()): Span {
  if (stretch === 'today') return { from: midnight(now, 0), to: null };
  if (stretch === 'week') return { from: midnight(now, -6), to: null };
  return {
    from: days.from === '' ? null : midnight(new Date(`${days.from}T00:00`), 0),
    to: days.to === '' ? null : new Date(Date.parse(midnight(new Date(`${days.to}T00:00`), 1)) - 1000).toISOString(),
  };
}

/** The beginning of a day, which may have 23 or 25 hours. */
function midnight(day: Date, later: number): string {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + later).toISOString();
}
