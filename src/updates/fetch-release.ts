// Fetches from a release only what it has proved: the manifest by its signature, a file by its size and checksum.

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { MANIFEST_NAME, type Manifest, type ReleaseFile, readManifest, SIGNATURE_SUFFIX } from './manifest.ts';
import { type PublicKey, verifySignature } from './minisign.ts';
import type { ReleaseSource } from './release-source.ts';

/** Bytes of a manifest, and of a signature: a longer one is not read to its end. */
const MOST_MANIFEST = 1_048_576;
const MOST_SIGNATURE = 4096;

/** fetchManifest reads the manifest of a release and proves it; throws OperatorError when no key has signed it. */
export async function fetchManifest(source: ReleaseSource, keys: readonly PublicKey[]): Promise<Manifest> {
  const bytes = await gather(source.read(MANIFEST_NAME), MOST_MANIFEST);
  const signature = await gather(source.read(`${MANIFEST_NAME}${SIGNATURE_SUFFIX}`), MOST_SIGNATURE);
  try {
    verifySignature(bytes, signature.toString(), keys);
    return readManifest(bytes.toString());
  } catch (error) {
    throw new OperatorError(`Cannot trust the release: ${MANIFEST_NAME}: ${reasonOf(error)}`);
  }
}

/** fetchFile writes a file of a release to `path`, an executable for its owner only, and proves it; throws OperatorError when it is not what the manifest says, and leaves what it wrote. */
export async function fetchFile(source: ReleaseSource, file: ReleaseFile, path: string, progress: (bytes: number) => void): Promise<void> {
  const out = await open(path, 'wx', 0o700);
  try {
    await copyProved(source, file, out, progress);
    await out.sync();
  } finally {
    await out.close();
  }
}

/** fetchText gives a small file of a release as text, and proves it as fetchFile does. */
export async function fetchText(source: ReleaseSource, file: ReleaseFile): Promise<string> {
  const pieces: Uint8Array[] = [];
  await readProved(source, file, async (piece) => void pieces.push(piece));
  return Buffer.concat(pieces).toString();
}

function copyProved(source: ReleaseSource, file: ReleaseFile, out: FileHandle, progress: (bytes: number) => void): Promise<void> {
  return readProved(source, file, async (piece, bytes) => {
    await out.write(piece);
    progress(bytes);
  });
}

/** Each piece goes on before the whole is proved: what takes them must wait with using them. */
async function readProved(
  source: ReleaseSource,
  { name, size, sha256 }: ReleaseFile,
  take: (piece: Uint8Array, bytes: number) => Promise<void>,
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of source.read(name)) {
    bytes += piece.length;
    if (bytes > size) break;
    hash.update(piece);
    await take(piece, bytes);
  }
  if (bytes < size) throw new OperatorError(`Cannot use ${name}: it is truncated, ${bytes} of ${size} bytes came`);
  if (bytes > size || hash.digest('hex') !== sha256)
    throw new OperatorError(`Cannot use ${name}: it is not the file that was signed (its checksum differs)`);
}

async function gather(pieces: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > most) throw new OperatorError(`Cannot trust the release: its manifest or signature is longer than ${most} bytes`);
    gathered.push(piece);
  }
  return Buffer.concat(gathered);
}
