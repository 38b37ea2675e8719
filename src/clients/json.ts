// JSON as mosquitto_sub prints it: keys in the order they came, numbers and white space as cJSON does.

/** JsonText is a piece of finished JSON: its two spellings. */
export interface JsonText {
  readonly compact: string;
  /** pretty gives it in lines; `depth` is that of the object around it. */
  pretty(depth: number): string;
}

/** jsonString, jsonNumber, jsonObject and jsonArray build pieces. */
export function jsonString(text: string): JsonText {
  return leaf(JSON.stringify(text));
}

export function jsonNumber(value: number): JsonText {
  return leaf(numberText(value));
}

export function jsonObject(entries: readonly (readonly [string, JsonText])[]): JsonText {
  return {
    compact: `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value.compact}`).join(',')}}`,
    pretty: (depth) => {
      const rows = entries.map(([key, value]) => `${'\t'.repeat(depth + 1)}${JSON.stringify(key)}:\t${value.pretty(depth + 1)}`);
      return `{\n${rows.join(',\n')}${rows.length > 0 ? '\n' : ''}${'\t'.repeat(depth)}}`;
    },
  };
}

export function jsonArray(items: readonly JsonText[]): JsonText {
  return {
    compact: `[${items.map((item) => item.compact).join(',')}]`,
    pretty: (depth) => `[${items.map((item) => item.pretty(depth + 1)).join(', ')}]`,
  };
}

/**
 * readJson takes JSON text apart, keeping the order of keys (also of 1, 2, ... and of keys that come twice, which JSON.parse moves or drops).
 * Gives null when it is none.
 */
export function readJson(text: string): JsonText | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[-\d][\d.eE+-]*|true|false|null|[{}[\]:,]/g) ?? [];
  return readValue(tokens, { at: 0 });
}

interface Cursor {
  at: number;
}

function readValue(tokens: readonly string[], cursor: Cursor): JsonText {
  const token = tokens[cursor.at++]!;
  if (token === '{') return jsonObject(readItems(tokens, cursor, '}', readEntry));
  if (token === '[') return jsonArray(readItems(tokens, cursor, ']', readValue));
  if (token.startsWith('"')) return jsonString(JSON.parse(token));
  return /^[-\d]/.test(token) ? jsonNumber(Number(token)) : leaf(token);
}

function readItems<T>(tokens: readonly string[], cursor: Cursor, end: string, read: (tokens: readonly string[], cursor: Cursor) => T): T[] {
  const items: T[] = [];
  while (tokens[cursor.at] !== end) {
    items.push(read(tokens, cursor));
    if (tokens[cursor.at] === ',') cursor.at++;
  }
  cursor.at++;
  return items;
}

function readEntry(tokens: readonly string[], cursor: Cursor): readonly [string, JsonText] {
  const key = JSON.parse(tokens[cursor.at]!) as string; // JSON.parse took the whole text: a key is a string
  cursor.at += 2; // the key and its colon
  return [key, readValue(tokens, cursor)];
}

/** JSON_NULL is the payload that is not there. */
export const JSON_NULL: JsonText = leaf('null');

function leaf(text: string): JsonText {
  return { compact: text, pretty: () => text };
}

/** numberText is C's %1.15g, and %1.17g where that loses something. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const short = general(value, 15);
  return Number(short) === value ? short : general(value, 17);
}

/** general is C's %.Ng. */
function general(value: number, digits: number): string {
  const exponent = Number(value.toExponential(digits - 1).split('e')[1]);
  if (exponent >= -4 && exponent < digits) return trim(value.toFixed(Math.max(0, digits - 1 - exponent)));
  const [mantissa = '', power = ''] = value.toExponential(digits - 1).split('e');
  return `${trim(mantissa)}e${power[0]}${power.slice(1).padStart(2, '0')}`;
}

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
