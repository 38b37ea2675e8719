// Reads the file of pre-shared keys: `identity:hexadecimal key` per line, `psk_file` of mosquitto.conf(5).

import { OperatorError, reasonOf } from '../base/errors.ts';
import { readNamedText } from '../base/named-file.ts';

/** OpenSSL takes no longer key: PSK_MAX_PSK_LEN. */
const MAX_KEY_BYTES = 512;

/** PskKeys holds the key of each identity. */
export type PskKeys = ReadonlyMap<string, Buffer>;

/** PskRemark is a mistake in a line of the file, counted from 1. */
export interface PskRemark {
  readonly severity: 'error';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint: string | null;
}

/** readPskFile gives the keys of a file; throws OperatorError with all its mistakes. */
export function readPskFile(path: string): PskKeys {
  const { keys, remarks } = parsePskFile(path);
  if (remarks.length > 0) throw new OperatorError(remarks.map(({ line, message }) => `${path}:${line}: ${message}`).join('\n'));
  return keys;
}

/** parsePskFile reads a file with its mistakes; throws OperatorError when it can't be read. Empty lines and those that begin with # are skipped. */
export function parsePskFile(path: string): { readonly keys: PskKeys; readonly remarks: readonly PskRemark[] } {
  const keys = new Map<string, Buffer>();
  const remarks: PskRemark[] = [];
  for (const [index, raw] of readText(path).split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const [identity, hex] = [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1)];
    const message = mistakeIn(identity, hex, keys);
    if (message === null) keys.set(identity, Buffer.from(hex, 'hex'));
    else remarks.push({ severity: 'error', file: path, line: index + 1, column: 1, message, hint: null });
  }
  return { keys, remarks };
}

/** It never shows the key. */
function mistakeIn(identity: string, hex: string, keys: PskKeys): string | null {
  if (identity === '') return 'Cannot read pre-shared key: the line is not identity:key';
  if (keys.has(identity)) return `Cannot read pre-shared key of "${identity}": the file has it twice`;
  if (!/^([0-9a-f]{2})+$/i.test(hex)) return `Cannot read pre-shared key of "${identity}": it is not hexadecimal, two digits a byte`;
  return hex.length > 2 * MAX_KEY_BYTES ? `Cannot read pre-shared key of "${identity}": it is longer than ${MAX_KEY_BYTES} bytes` : null;
}

function readText(path: string): string {
  try {
    return readNamedText(path);
  } catch (error) {
    throw new OperatorError(`Cannot read psk_file "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
