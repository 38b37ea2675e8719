// What a release consists of: the manifest, which is signed and names each file with its size and checksum.

import { OperatorError } from '../base/errors.ts';
import { isVersion } from './semantic-version.ts';

/** MANIFEST_NAME is the name of the manifest beside the files of a release. Its signature is the same with SIGNATURE_SUFFIX. */
export const MANIFEST_NAME = 'manifest.json';
export const SIGNATURE_SUFFIX = '.minisig';

/** FORMAT is raised when an older midge could misread a manifest. */
const FORMAT = 1;

/** FileKind says what a file of a release is for. */
export const FILE_KINDS = ['executable', 'debian package', 'container image', 'card image', 'update bundle', 'document'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** ReleaseFile is a file beside the manifest. */
export interface ReleaseFile {
  readonly name: string;
  readonly kind: FileKind;
  /** `x64` or `arm64` as Node names them; null = for all. */
  readonly architecture: string | null;
  /** Bytes. */
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Manifest of a release. Times are ISO 8601 in UTC. */
export interface Manifest {
  readonly format: number;
  readonly program: 'midge';
  readonly version: string;
  readonly commit: string;
  readonly date: string;
  /** Until then nobody needs to ask whether there is a newer one: a copy that is shown later may hide it. */
  readonly freshUntil: string;
  readonly files: readonly ReleaseFile[];
}

/** writeManifest gives the text that is signed. */
export function writeManifest(manifest: Omit<Manifest, 'format' | 'program'>): string {
  const { version, commit, date, freshUntil, files } = manifest;
  return `${JSON.stringify({ format: FORMAT, program: 'midge', version, commit, date, freshUntil, files }, null, 1)}\n`;
}

/** readManifest reads a text whose signature has been verified; throws OperatorError when it is none of a release, or of a format to come. */
export function readManifest(text: string): Manifest {
  const value = parse(text);
  if (!isRecord(value) || value['program'] !== 'midge')
    throw new OperatorError('it is signed, but it is not the manifest of a release of midge');
  if (value['format'] !== FORMAT)
    throw new OperatorError(
      `the manifest has format ${String(value['format'])}, and this version reads format ${FORMAT}: install the release by hand`,
    );
  const { version, commit, date, freshUntil, files } = value;
  if (typeof version !== 'string' || !isVersion(version)) throw new OperatorError('the manifest has no version');
  if (typeof commit !== 'string' || !isTime(date) || !isTime(freshUntil)) throw new OperatorError('the manifest has no commit or dates');
  if (!Array.isArray(files) || !files.every(isFile)) throw new OperatorError('the manifest has no list of files');
  return { format: FORMAT, program: 'midge', version, commit, date, freshUntil, files };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isFile(value: unknown): value is ReleaseFile {
  if (!isRecord(value)) return false;
  const { name, kind, architecture, size, sha256 } = value;
  return (
    typeof name === 'string' &&
    /^[A-Za-z0-9_+~][\w.+~-]*$/.test(name) &&
    typeof kind === 'string' &&
    (architecture === null || typeof architecture === 'string') &&
    Number.isSafeInteger(size) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256)
  );
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
