// `midge phone locations` and `midge phone forget`: where phones are and were, and the end of what is kept.

import { OperatorError } from '../base/errors.ts';
import { visibleJson, visibleText } from '../logging/line.ts';
import { isWanted } from '../terminal/ask.ts';
import type { Invocation } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { askBroker, tell } from './control-client.ts';
import { isoTime } from './iso-time.ts';

const DAY_MS = 86_400_000;

/** Locations of one request. */
const PER_PAGE = 2000;

/** Where is the output of "location history" for one place, and Phone one row of "locations". */
interface Where {
  readonly kind: 'location' | 'encrypted';
  readonly at: string;
  readonly lat: number | null;
  readonly lon: number | null;
  readonly accuracy: number | null;
  readonly battery: number | null;
  readonly address: string | null;
  readonly regions: readonly string[];
}

interface Phone {
  readonly person: string;
  readonly device: string;
  readonly last: Where | null;
}

interface Page {
  readonly locations: readonly Where[];
  readonly cursor: string | null;
}

interface Deleted {
  readonly phones: readonly { readonly person: string; readonly device: string; readonly locations: number }[];
  readonly locations: number;
  readonly messages: number;
}

/** listLocations prints the last of each phone, or those of a person's phones of the last day, or between --from and --to. */
export async function listLocations(person: string | null, device: string | null, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const { phones } = (await askBroker(invocation, 'locations')) as { readonly phones: readonly Phone[] }; // the row's output
  if (person === null) {
    if (flags.has('json')) terminal.stdout.write(`${visibleJson(phones)}\n`);
    else if (phones.length === 0) terminal.stdout.write('No phone has told where it is yet.\n');
    else tell(() => writeTable(terminal, [['PERSON', 'DEVICE', ...COLUMNS], ...phones.map(rowOf)]));
    return 0;
  }
  const devices = device === null ? phones.filter((each) => each.person === person).map((each) => each.device) : [device];
  const span = spanIn(invocation);
  const found: (Where & { readonly device: string })[] = [];
  for (const each of devices)
    for (const where of await historyOf(invocation, { person, device: each, ...span })) found.push({ device: each, ...where });
  found.sort((one, other) => (one.at < other.at ? -1 : 1));
  if (flags.has('json')) terminal.stdout.write(`${visibleJson(found)}\n`);
  else if (found.length === 0) terminal.stdout.write('Nothing is kept of that time.\n');
  else tell(() => writeTable(terminal, [['DEVICE', ...COLUMNS], ...found.map((where) => [visibleText(where.device), ...cellsOf(where)])]));
  return 0;
}

/** forget deletes what is kept of a person or a phone, when somebody says yes. */
export async function forget(person: string, device: string | null, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const wanted = { person, device, ...spanOf(invocation) };
  const there = (await askBroker(invocation, 'delete locations', { ...wanted, preview: true })) as Deleted; // the row's output
  if (there.phones.length === 0) {
    terminal.stdout.write(`Nothing is kept of ${visibleText(person)}.\n`);
    return 0;
  }
  for (const each of there.phones)
    terminal.stdout.write(`${visibleText(`${each.person}/${each.device}`)}: ${count(each.locations, 'location')}\n`);
  if (!(await isWanted(terminal, flags.has('yes'), 'Delete them for good?'))) return 1;
  const { locations, messages } = (await askBroker(invocation, 'delete locations', wanted)) as Deleted; // the row's output
  terminal.stdout.write(`Deleted ${count(locations, 'location')} and ${count(messages, 'retained message')}.\n`);
  return 0;
}

const COLUMNS = ['AT', 'LAT', 'LON', 'ACCURACY', 'BATTERY', 'PLACE'];

function rowOf({ person, device, last }: Phone): readonly string[] {
  return [visibleText(person), visibleText(device), ...(last === null ? ['-', '-', '-', '-', '-', 'has told nothing yet'] : cellsOf(last))];
}

function cellsOf({ kind, at, lat, lon, accuracy, battery, address, regions }: Where): readonly string[] {
  const degrees = (value: number | null) => (value === null ? '-' : value.toFixed(5));
  const place = kind === 'encrypted' ? 'encrypted' : (address ?? (regions.length === 0 ? '-' : regions.join(', ')));
  const numbers = [accuracy === null ? '-' : `${Math.round(accuracy)} m`, battery === null ? '-' : `${Math.round(battery)} %`];
  return [isoTime(Date.parse(at)), degrees(lat), degrees(lon), ...numbers, visibleText(place)];
}

async function historyOf(invocation: Invocation, wanted: object): Promise<readonly Where[]> {
  const found: Where[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = (await askBroker(invocation, 'location history', { ...wanted, limit: PER_PAGE, cursor })) as Page; // the row's output
    found.push(...page.locations);
    cursor = page.cursor;
    if (cursor === null) return found;
  }
}

/** The last day, unless something else is said. */
function spanIn(invocation: Invocation): object {
  const span = spanOf(invocation);
  return 'from' in span ? span : { from: utc(Date.now() - DAY_MS), ...span };
}

function spanOf({ flags }: Invocation): object {
  return Object.fromEntries(
    (['from', 'to'] as const).flatMap((name) => {
      const text = flags.get(name)?.at(-1);
      return text === undefined ? [] : [[name, utc(timeIn(name, text))]];
    }),
  );
}

/** In the machine's own time, unless the text says another. A day without a time ends with its last second. */
function timeIn(name: 'from' | 'to', text: string): number {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(isDay ? `${text}T${name === 'from' ? '00:00:00' : '23:59:59'}` : text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new OperatorError(`Error: Cannot read --${name} "${text}": write a day or a time, such as 2026-01-31 or 2026-01-31T18:05.`, {
    exitCode: 2,
  });
}

function utc(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
