// Which release is the newest at an address, whether it is newer than what runs, and what it says about itself.

import { chooseUpgrade } from './choose-upgrade.ts';
import { fetchManifest, fetchText } from './fetch-release.ts';
import type { FileKind, Manifest } from './manifest.ts';
import type { PublicKey } from './minisign.ts';
import type { ReleaseSource } from './release-source.ts';
import { compareVersions } from './semantic-version.ts';

/** Bytes of notes that are kept. */
const MOST_NOTES = 16_384;

/** NewestRelease is what its signed manifest says. */
export interface NewestRelease {
  readonly version: string;
  /** ISO 8601 in UTC. */
  readonly date: string;
  /** What has changed, as Markdown; '' = the release does not say. */
  readonly notes: string;
}

export interface NewestQuestion {
  readonly source: ReleaseSource;
  readonly keys: readonly PublicKey[];
  /** The version that runs, the architecture and the kind of file as for chooseUpgrade. */
  readonly current: string;
  readonly architecture: string;
  readonly kind: FileKind;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** findNewest fetches the manifest and proves it; throws OperatorError when it can't be had, is not signed, is no longer fresh, or has nothing for this machine. */
export async function findNewest({ source, keys, current, architecture, kind, now }: NewestQuestion): Promise<NewestRelease> {
  const manifest = await fetchManifest(source, keys);
  // An older release is no mistake here: it is only not newer.
  chooseUpgrade(manifest, { current, architecture, kind, name: null, now, allowDowngrade: true, allowStale: false });
  const isNewer = compareVersions(manifest.version, current) > 0;
  return { version: manifest.version, date: manifest.date, notes: isNewer ? await notesOf(source, manifest) : '' };
}

async function notesOf(source: ReleaseSource, { version, files }: Manifest): Promise<string> {
  const file = files.find(({ name, size }) => name === `midge-${version}-notes.md` && size <= MOST_NOTES);
  return file === undefined ? '' : fetchText(source, file);
}
