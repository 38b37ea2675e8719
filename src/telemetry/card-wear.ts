// What the bytes that the store writes mean for the card below it, in words that need no other page.

/** A cheap card bears 500 writes of each of its cells, and moves ten bytes for each that is written in small pieces: a careful guess, not a promise of its maker. */
const ENDURANCE = 500;
const AMPLIFICATION = 10;
const DAYS_PER_YEAR = 365;
/** Beyond this nobody asks. */
const MANY_YEARS = 50;
/** Below this something should be done. */
const FEW_YEARS = 2;

/** CardWear: `years` is null while nothing can be said. */
export interface CardWear {
  readonly years: number | null;
  readonly text: string;
}

/** cardWear tells how long a card of `size` bytes lasts when `bytesPerDay` are written; null for either = not known. */
export function cardWear(bytesPerDay: number | null, size: number | null): CardWear {
  if (bytesPerDay === null) return { years: null, text: 'It is too early to say what that means for the card: ask again in an hour.' };
  if (size === null) return { years: null, text: 'What that means for the card is not known: its size cannot be found out.' };
  const years = (size * ENDURANCE) / AMPLIFICATION / Math.max(bytesPerDay, 1) / DAYS_PER_YEAR;
  const card = `even a cheap card of this size (${Math.round(size / 1e9)} GB)`;
  if (years >= MANY_YEARS) return { years, text: `At this rate ${card} lasts for more than ${MANY_YEARS} years: nothing to worry about.` };
  if (years >= FEW_YEARS) return { years, text: `At this rate ${card} lasts for about ${Math.round(years)} years.` };
  const months = Math.max(1, Math.round(years * 12));
  return {
    years,
    text: `At this rate a cheap card of this size (${Math.round(size / 1e9)} GB) may be worn out in about ${months} ${months === 1 ? 'month' : 'months'}. Use a larger card or an SSD, or see which device publishes so often with QoS 1 or 2, or with "retain".`,
  };
}

/** isWearing tells whether something should be done. */
export function isWearing({ years }: CardWear): boolean {
  return years !== null && years < FEW_YEARS;
}
