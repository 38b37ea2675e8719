// Updates of a test's own: small ones that are refused before anything is written, and the system of the image with another midge in it.

import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Card } from './card.ts';

const ROOT = join(import.meta.dirname, '../..');
/** As bundle.sh takes them. */
const [BOOT, FILES] = ['boot.fat', 'root.ext4'] as const;
const SMALL_BYTES = 2 ** 16;

/** Signer is a certificate and its key, in files. */
export interface Signer {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** RELEASE signed the image's updates: the variables of `make image`, or the keys that .ci/run makes. null = there are none. */
export const RELEASE: Signer | null = releaseSigner();

function releaseSigner(): Signer | null {
  const usual = signerIn('.cache/image/keys');
  const signer = {
    authority: resolve(ROOT, process.env['AUTHORITY'] ?? usual.authority),
    certificate: resolve(ROOT, process.env['CERTIFICATE'] ?? usual.certificate),
    key: resolve(ROOT, process.env['BUNDLE_KEY'] ?? usual.key),
  };
  return Object.values(signer).every((file) => existsSync(file)) ? signer : null;
}

/** As keys.sh names them. */
function signerIn(folder: string): Signer {
  return { authority: join(folder, 'authority.pem'), certificate: join(folder, 'release.pem'), key: join(folder, 'release.key') };
}

/** makeSigner makes an authority that no card trusts by itself, with the recipe of `make image`. */
export function makeSigner(folder: string): Signer {
  execFileSync(join(ROOT, 'build/image/keys.sh'), [folder]);
  return signerIn(folder);
}

/** keyringName is the name under which the card looks for an authority, openssl-rehash(1). */
export function keyringName({ authority }: Signer): string {
  return `${execFileSync('openssl', ['x509', '-hash', '-noout', '-in', authority], { encoding: 'utf8' }).trim()}.0`;
}

export interface BundleOptions {
  readonly version: string;
  readonly signer: Signer;
  /** Another kind of machine than that of the image. */
  readonly compatible?: string;
  /** Folder of the system that it carries, of takeSystem; without one it is small, and no system. */
  readonly system?: string;
}

/** makeBundle makes an update in `folder`, with the recipe of `make image`, and gives its path. */
export function makeBundle(folder: string, { version, signer, compatible, system }: BundleOptions): string {
  const work = system ?? mkdtempSync(join(folder, 'small-'));
  if (system === undefined) for (const name of [BOOT, FILES]) writeFileSync(join(work, name), randomBytes(SMALL_BYTES));
  const path = join(folder, `${randomUUID()}.raucb`);
  const env = { ...process.env, COMPRESSION: '1', ...(compatible === undefined ? {} : { COMPATIBLE: compatible }) };
  execFileSync(join(ROOT, 'build/image/bundle.sh'), [work, version, path, signer.certificate, signer.key], { env, stdio: 'pipe' });
  return path;
}

/** firstHalf makes a bundle of which the end is missing. */
export function firstHalf(bundle: string): string {
  const path = `${bundle}.half`;
  copyFileSync(bundle, path);
  truncateSync(path, Math.floor(statSync(bundle).size / 2));
  return path;
}

/** takeSystem copies the system of slot A off a card into a folder, which it gives; `midge` is a script that stands in for the program in it. */
export function takeSystem(card: Card, folder: string, midge: string | null): string {
  mkdirSync(folder, { recursive: true });
  const root = join(folder, FILES);
  card.copyOut('bootA', join(folder, BOOT));
  card.copyOut('rootA', root);
  if (midge === null) return folder;
  const [program, script] = [join(folder, 'midge'), join(folder, 'commands')];
  writeFileSync(program, midge);
  const commands = ['rm /usr/local/bin/midge', `write ${program} /usr/local/bin/midge`, 'sif /usr/local/bin/midge mode 0100755'];
  writeFileSync(script, `${commands.join('\n')}\n`);
  execFileSync('debugfs', ['-w', '-f', script, root], { stdio: 'pipe' });
  return folder;
}
