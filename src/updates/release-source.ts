// Where a release lies: a folder of this machine, or an address on the web.

import { createReadStream, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { MANIFEST_NAME } from './manifest.ts';

/** STALL_MS: a server that says nothing for so long is given up. */
const STALL_MS = 30_000;

/** ReleaseSource has the files of one release. */
export interface ReleaseSource {
  /** The file that a person has named, or null when they have named the release. */
  readonly name: string | null;
  /** read gives the bytes of a file, piece by piece; throws OperatorError when it can't be read. */
  read(name: string): AsyncIterable<Uint8Array>;
}

/**
 * releaseSource finds a release by what a person has given: the address or path of its manifest, of the folder (an address ends in /) with
 * the manifest, or of a file with the manifest beside it.
 */
export function releaseSource(where: string): ReleaseSource {
  return /^https?:\/\//i.test(where) ? webSource(new URL(where)) : folderSource(where);
}

function webSource(address: URL): ReleaseSource {
  const last = decodeURIComponent(address.pathname.slice(address.pathname.lastIndexOf('/') + 1));
  const base = new URL('.', address);
  return {
    name: last === '' || last === MANIFEST_NAME ? null : last,
    read: (name) => download(new URL(encodeURIComponent(name), base)),
  };
}

function folderSource(path: string): ReleaseSource {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === undefined) throw new OperatorError(`Cannot read "${path}": there is no such file or folder`);
  const name = isFolder || basename(path) === MANIFEST_NAME ? null : basename(path);
  const folder = isFolder ? path : dirname(path);
  return { name, read: (each) => readFileOf(join(folder, each)) };
}

async function* readFileOf(path: string): AsyncIterable<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>; // without an encoding it gives bytes
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'; // of node:fs
    throw new OperatorError(
      `Cannot read "${path}": ${isMissing ? 'it is not there; a release is checked with the manifest beside it' : reasonOf(error)}`,
    );
  }
}

async function* download(address: URL): AsyncIterable<Uint8Array> {
  const stall = new AbortController();
  const watch = () => setTimeout(() => stall.abort(new Error(`the server has said nothing for ${STALL_MS / 1000} s`)), STALL_MS);
  let timer = watch();
  try {
    const response = await fetch(address, { signal: stall.signal, headers: { 'accept-encoding': 'identity' } });
    if (!response.ok || response.body === null) throw new Error(`the server answers ${response.status} ${response.statusText}`);
    for await (const piece of response.body) {
      clearTimeout(timer);
      timer = watch();
      yield piece;
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new OperatorError(`Cannot fetch ${address.origin}${address.pathname}: ${reasonOf(cause)}`);
  } finally {
    clearTimeout(timer);
  }
}
