// Which file of a release a machine takes, or why it takes none. Pure: the machine and the time are given.

import { OperatorError } from '../base/errors.ts';
import type { FileKind, Manifest, ReleaseFile } from './manifest.ts';
import { compareVersions } from './semantic-version.ts';

/** UpgradeQuestion is what the choice depends on beside the manifest. */
export interface UpgradeQuestion {
  /** The version that is in place. */
  readonly current: string;
  /** As Node names it. */
  readonly architecture: string;
  readonly kind: FileKind;
  /** Name of the file that a person has chosen; null = midge chooses. */
  readonly name: string | null;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly allowDowngrade: boolean;
  readonly allowStale: boolean;
}

/** chooseUpgrade gives the file to install, or null when this version is in place already; throws OperatorError with the reason when it may not be installed. */
export function chooseUpgrade(manifest: Manifest, question: UpgradeQuestion): ReleaseFile | null {
  const { current, architecture, kind, name, now, allowDowngrade, allowStale } = question;
  const refuse = (reason: string) => new OperatorError(`Cannot upgrade to midge ${manifest.version}: ${reason}`);
  const file = manifest.files.find((each) =>
    name === null ? each.kind === kind && each.architecture === architecture : each.name === name,
  );
  if (file === undefined)
    throw refuse(name === null ? `the release has no ${kind} for ${architecture}` : `the manifest beside "${name}" does not name it`);
  if (file.kind !== kind) throw refuse(`${file.name} is a ${file.kind}, and this machine takes the ${kind}`);
  if (file.architecture !== architecture)
    throw refuse(`${file.name} is for ${file.architecture ?? 'no machine'}, and this machine is ${architecture}`);
  if (now > Date.parse(manifest.freshUntil) && !allowStale)
    throw refuse(
      `its manifest was good until ${manifest.freshUntil.slice(0, 10)}, and this machine says that it is ${new Date(now).toISOString().slice(0, 10)}: there may be a newer release that somebody keeps from you - fetch the manifest anew, or use --allow-stale`,
    );
  const order = compareVersions(manifest.version, current);
  if (order === 0) return null;
  if (order < 0 && !allowDowngrade) throw refuse(`it is older than ${current}, which is in place - use --allow-downgrade if you mean it`);
  return file;
}
