// An answer that is kept compressed: sent as it is to who takes gzip, and not at all to who has it.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Context } from 'hono';

/** packedAnswer gives a handler for what `read` gives, compressed with gzip and always the same. */
export function packedAnswer(
  read: () => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>,
  headers: Readonly<Record<string, string>>,
): (context: Context) => Promise<Response> {
  let tag: string | null = null;
  return async (context) => {
    const bytes = await read();
    tag ??= `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const all = { ...headers, etag: tag, vary: 'Accept-Encoding' };
    if (isKnown(context.req.header('if-none-match'), tag)) return context.body(null, 304, all);
    if (!takesGzip(context.req.header('accept-encoding'))) return context.body(new Uint8Array(gunzipSync(bytes)), 200, all);
    return context.body(bytes, 200, { ...all, 'content-encoding': 'gzip' });
  };
}

/** RFC 9110 13.1.2: a weak tag counts as well. */
function isKnown(header: string | undefined, tag: string): boolean {
  return (header ?? '').split(',').some((each) => ['*', tag].includes(each.trim().replace(/^W\//, '')));
}

/** RFC 9110 12.5.3 */
function takesGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some((each) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(each));
}
