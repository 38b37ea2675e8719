// What a payload says to a person: JSON on several lines, and the numbers in it.

/** Numbers of one payload that a chart offers. */
const MOST_FIELDS = 50;

/** prettyJson gives a payload as JSON on several lines; null = it is none, or only a bare word. */
export function prettyJson(payload: string): string | null {
  if (!/^\s*[[{]/.test(payload)) return null;
  try {
    JSON.parse(payload);
  } catch {
    return null;
  }
  return indented(payload);
}

const OPENS: ReadonlySet<string> = new Set(['{', '[']);
const CLOSES: ReadonlySet<string> = new Set(['}', ']']);

/** Of valid JSON each string and number stays as it was sent: 9007199254740993 is no number of JavaScript. */
function indented(json: string): string {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let [text, depth, before] = ['', 0, ''];
  for (const token of tokens) {
    if (CLOSES.has(token)) depth--;
    const isInside = OPENS.has(before) !== CLOSES.has(token); // {} and [] stay together
    if (before === ',' || (isInside && before !== '')) text += `\n${'  '.repeat(depth)}`;
    text += token === ':' ? ': ' : token;
    if (OPENS.has(token)) depth++;
    before = token;
  }
  return text;
}

/** numbersIn gives the numbers of a payload by their place, such as `battery.level`; a payload that is one number has it at ''. True and false, on and off are 1 and 0. */
export function numbersIn(payload: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  const own = numberOf(payload.trim());
  if (own !== null) return numbers.set('', own);
  if (!/^\s*[[{]/.test(payload)) return numbers;
  try {
    collect(JSON.parse(payload), '', numbers);
  } catch {
    // it only begins like JSON
  }
  return numbers;
}

function collect(value: unknown, path: string, numbers: Map<string, number>): void {
  if (numbers.size >= MOST_FIELDS) return;
  if (typeof value === 'number') numbers.set(path, value);
  else if (typeof value === 'boolean') numbers.set(path, Number(value));
  else if (typeof value === 'object' && value !== null)
    for (const [key, each] of Object.entries(value)) collect(each, path === '' ? key : `${path}.${key}`, numbers);
}

const SWITCHES: Readonly<Record<string, number>> = { on: 1, off: 0, true: 1, false: 0, open: 1, closed: 0, online: 1, offline: 0 };

/** A unit may follow: `21.5 °C`. */
function numberOf(text: string): number | null {
  const [, digits] = /^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?:\s?[%°\p{L}][^\s\d]{0,5})?$/iu.exec(text) ?? [];
  return digits !== undefined ? Number(digits) : (SWITCHES[text.toLowerCase()] ?? null);
}

/** HEX_LINE bytes stand in a line of a phone. */
const HEX_LINE = 8;

/** hexDump writes bytes in base64 in lines, as people know them. */
export function hexDump(base64: string, most = 1024): string {
  const bytes = Uint8Array.from(atob(base64).slice(0, most), (character) => character.charCodeAt(0));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += HEX_LINE) {
    const part = [...bytes.subarray(at, at + HEX_LINE)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(3 * HEX_LINE - 1)}  ${text}`);
  }
  return lines.join('\n');
}
