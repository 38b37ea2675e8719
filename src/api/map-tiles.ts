// The bytes of the map in the state folder, whole or by a range (RFC 9110 14): PMTiles is read a few kilobytes at a time.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { Problem } from './problems.ts';

const MEDIA_TYPE = 'application/vnd.pmtiles';

/** answerMapTiles gives what the request asks for of a file. Throws Problem when there is none. */
export async function answerMapTiles(context: Context, path: string): Promise<Response> {
  const file = await openTiles(path);
  const { size, mtimeMs } = await file.stat();
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'content-type': MEDIA_TYPE,
    etag: `"${size.toString(36)}-${Math.trunc(mtimeMs).toString(36)}"`,
  };
  const range = rangeIn(context.req.header('range'), size);
  if (range === 'beyond') {
    await file.close();
    return context.body(null, 416, { ...headers, 'content-range': `bytes */${size}` });
  }
  const { first, last } = range ?? { first: 0, last: size - 1 };
  headers['content-length'] = String(last - first + 1);
  if (range !== null) headers['content-range'] = `bytes ${first}-${last}/${size}`;
  const status = range === null ? 200 : 206;
  if (context.req.method === 'HEAD' || last < first) {
    await file.close();
    return context.body(null, status, headers);
  }
  const stream = file.createReadStream({ start: first, end: last }); // closes the file when it ends, or is given up
  return context.body(Readable.toWeb(stream) as ReadableStream<Uint8Array>, status, headers); // of Node's types
}

async function openTiles(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    throw noMap();
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw noMap();
}

function noMap(): Problem {
  return new Problem(404, 'There is no map in the state folder');
}

/** One range only; null = the whole, as for whatever else stands there (RFC 9110 14.2). */
function rangeIn(header: string | undefined, size: number): { readonly first: number; readonly last: number } | 'beyond' | null {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return null;
  if (from === '') return to === '0' || size === 0 ? 'beyond' : { first: Math.max(0, size - Number(to)), last: size - 1 };
  const [first, last] = [Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1)];
  if (to !== '' && Number(to) < first) return null;
  return first >= size ? 'beyond' : { first, last };
}
