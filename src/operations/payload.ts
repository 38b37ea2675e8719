// Payloads in JSON: as text where the bytes are text, otherwise in base64.

import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { badInput } from './operation.ts';

const ENCODING = z.enum(['utf8', 'base64']).describe('how the payload is written');

/** PAYLOAD_OUTPUT are the fields of a payload that is told. */
export const PAYLOAD_OUTPUT = { payload: z.string(), encoding: ENCODING };

/** PAYLOAD_INPUT are the fields of a payload that is given. */
export const PAYLOAD_INPUT = { payload: z.string().default(''), encoding: ENCODING.default('utf8') };

/** writePayload makes the fields of bytes. */
export function writePayload(bytes: Buffer): { readonly payload: string; readonly encoding: 'utf8' | 'base64' } {
  const encoding = isUtf8(bytes) ? 'utf8' : 'base64';
  return { payload: bytes.toString(encoding), encoding };
}

/** readPayload makes bytes of the fields. Throws OperationFailure for text that is no base64. */
export function readPayload({ payload, encoding }: { readonly payload: string; readonly encoding: 'utf8' | 'base64' }): Buffer {
  const bytes = Buffer.from(payload, encoding);
  if (encoding === 'base64' && bytes.toString('base64') !== payload) throw badInput('payload', 'Cannot read the payload: it is no base64');
  return bytes;
}
