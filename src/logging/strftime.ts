// strftime(3) for `log_timestamp_format` and for `@` in the formats of `midge sub`, in local time and English names.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const MS_PER_DAY = 86_400_000;

/** CONVERSIONS are the letters that may follow %; any other stands as it is written. */
const CONVERSIONS: Readonly<Record<string, (time: Date) => string>> = {
  a: (time) => DAYS[time.getDay()]!.slice(0, 3),
  A: (time) => DAYS[time.getDay()]!,
  b: (time) => MONTHS[time.getMonth()]!.slice(0, 3),
  B: (time) => MONTHS[time.getMonth()]!,
  c: (time) => strftime('%a %b %e %H:%M:%S %Y', time),
  C: (time) => two(Math.floor(time.getFullYear() / 100)),
  d: (time) => two(time.getDate()),
  D: (time) => strftime('%m/%d/%y', time),
  e: (time) => String(time.getDate()).padStart(2),
  F: (time) => strftime('%Y-%m-%d', time),
  g: (time) => two(isoWeek(time).year % 100),
  G: (time) => String(isoWeek(time).year),
  h: (time) => strftime('%b', time),
  H: (time) => two(time.getHours()),
  I: (time) => two(time.getHours() % 12 || 12),
  j: (time) => String(dayOfYear(time)).padStart(3, '0'),
  k: (time) => String(time.getHours()).padStart(2),
  l: (time) => String(time.getHours() % 12 || 12).padStart(2),
  m: (time) => two(time.getMonth() + 1),
  M: (time) => two(time.getMinutes()),
  n: () => '\n',
  p: (time) => (time.getHours() < 12 ? 'AM' : 'PM'),
  P: (time) => (time.getHours() < 12 ? 'am' : 'pm'),
  r: (time) => strftime('%I:%M:%S %p', time),
  R: (time) => strftime('%H:%M', time),
  s: (time) => String(Math.floor(time.getTime() / 1000)),
  S: (time) => two(time.getSeconds()),
  t: () => '\t',
  T: (time) => strftime('%H:%M:%S', time),
  u: (time) => String(time.getDay() || 7),
  U: (time) => two(Math.floor((dayOfYear(time) + 6 - time.getDay()) / 7)),
  V: (time) => two(isoWeek(time).week),
  w: (time) => String(time.getDay()),
  W: (time) => two(Math.floor((dayOfYear(time) + 6 - ((time.getDay() + 6) % 7)) / 7)),
  x: (time) => strftime('%m/%d/%y', time),
  X: (time) => strftime('%H:%M:%S', time),
  y: (time) => two(time.getFullYear() % 100),
  Y: (time) => String(time.getFullYear()),
  z: (time) => zoneOffset(time),
  Z: (time) => zoneName(time),
  '%': () => '%',
};

/** strftime formats a time by strftime(3): all of C99's conversions, glibc's %k %l %P %s, and the modifiers E and O. What is none stands as it is written. */
export function strftime(format: string, time: Date): string {
  return format.replace(/%[EO]?(.)/gs, (whole, letter: string) => CONVERSIONS[letter]?.(time) ?? whole);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function dayOfYear(time: Date): number {
  const midnight = Date.UTC(time.getFullYear(), time.getMonth(), time.getDate());
  return (midnight - Date.UTC(time.getFullYear(), 0, 1)) / MS_PER_DAY + 1;
}

/** isoWeek is ISO 8601's: the week of a day is that of its Thursday. */
function isoWeek(time: Date): { year: number; week: number } {
  const thursday = new Date(time.getFullYear(), time.getMonth(), time.getDate() + 4 - (time.getDay() || 7));
  return { year: thursday.getFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}

function zoneOffset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** zoneName: American English has the letters of America's zones, British those of Europe's, Australian and Indian their own. */
function zoneName(time: Date): string {
  for (const locale of ['en-US', 'en-GB', 'en-AU', 'en-IN']) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(time);
    const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]+$/.test(name)) return name;
  }
  return zoneOffset(time).replace(/00$/, '');
}
