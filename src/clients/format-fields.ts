// The fields of sub's formats: width, padding and precision as mosquitto_sub(1) has them.

/** Field is one conversion of a format. */
export interface Field {
  readonly letter: string;
  readonly left: boolean;
  readonly zero: boolean;
  readonly width: number;
  readonly precision: number | null;
  /** Stands between the digits of %x and %X, after every `precision` of them. */
  readonly separator: string;
}

/** numberField: what is not there is blank. */
export function numberField({ left, zero, width }: Field, value: unknown): string {
  if (value === undefined) return (zero ? '0' : ' ').repeat(width);
  const text = String(Number(value));
  return left ? text.padEnd(width) : text.padStart(width, zero ? '0' : ' ');
}

/** textField measures in bytes, as printf does. */
export function textField({ left, width, precision }: Field, value: unknown): string | Buffer {
  const bytes = Buffer.from(typeof value === 'string' ? value : '');
  const shown = precision === null ? bytes : bytes.subarray(0, precision);
  const padding = Buffer.alloc(Math.max(0, width - shown.length), ' ');
  return Buffer.concat(left ? [shown, padding] : [padding, shown]);
}

/** payloadField: a width is also the most that is shown. */
export function payloadField({ left, zero, width }: Field, payload: Buffer): Buffer {
  if (width === 0) return payload;
  const shown = payload.subarray(0, width);
  const padding = Buffer.alloc(width - shown.length, zero && !left ? '0' : ' ');
  return Buffer.concat(left ? [shown, padding] : [padding, shown]);
}

/** hexField shows two digits for each byte, of as many bytes as the width says. */
export function hexField({ left, zero, width, precision, separator }: Field, payload: Buffer): string {
  const shown = (width === 0 ? payload : payload.subarray(0, width)).toString('hex');
  const text = left ? shown : shown.padStart(width, zero ? '0' : ' ');
  const parted = precision === null || precision === 0 ? text : [...chunks(text, precision)].join(separator);
  return left ? parted + ' '.repeat(Math.max(0, width - shown.length)) : parted;
}

/** floatField reads IEEE 754 in the byte order of PCs and Pis; null when the payload has not the size of one. */
export function floatField({ letter, left, zero, width, precision }: Field, payload: Buffer): string | null {
  if (payload.length !== (letter === 'f' ? 4 : 8)) return null;
  const value = letter === 'f' ? payload.readFloatLE() : payload.readDoubleLE();
  const text = Number.isFinite(value)
    ? value.toFixed(Math.min(precision ?? 6, 100))
    : String(value).toLowerCase().replace('infinity', 'inf');
  if (left) return text.padEnd(width);
  if (!zero || !Number.isFinite(value)) return text.padStart(width);
  return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
}

function* chunks(text: string, size: number): Generator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}
