// `midge upgrade FILE.raucb` on the image: rauc writes the update into the system that does not run, and the next start tries it once.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { OperatorError } from '../base/errors.ts';
import type { Terminal } from '../terminal/command.ts';
import { compareVersions, isVersion } from '../updates/semantic-version.ts';

/** SLOTS is the program of the image that knows which system is started. */
const SLOTS = '/usr/libexec/midge/slots';
const DATA = '/dev/disk/by-partuuid/4d494447-07';

export interface CardUpgrade {
  /** Its path. */
  readonly bundle: string;
  readonly current: string;
  readonly allowDowngrade: boolean;
  readonly isDry: boolean;
  readonly terminal: Terminal;
  /** The machine in earnest, and recorded commands in tests. */
  readonly machine: CardMachine;
}

export interface CardMachine {
  readonly hasSlots: () => boolean;
  /** run gives the output; throws OperatorError with what the program said. */
  readonly run: (program: string, ...words: readonly string[]) => string;
  /** follow shows what the program says, and gives its exit status. */
  readonly follow: (program: string, ...words: readonly string[]) => Promise<number>;
}

/** CARD_MACHINE is this machine; `exists` looks for a file. */
export function cardMachine(exists: (path: string) => boolean): CardMachine {
  return {
    hasSlots: () => exists(SLOTS) && exists(DATA),
    run: (program, ...words) => {
      try {
        return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      } catch (error) {
        const { stderr } = error as { readonly stderr?: string }; // of execFileSync
        throw new OperatorError(`Cannot upgrade: ${(stderr ?? '').trim() || String(error)}`);
      }
    },
    follow: async (program, ...words) => {
      const [status] = (await once(spawn(program, words, { stdio: 'inherit' }), 'close')) as [number | null]; // the event's first argument
      return status ?? 1;
    },
  };
}

/** isBundle tells whether a release is named by a file of rauc. */
export function isBundle(where: string): boolean {
  return where.endsWith('.raucb');
}

/** upgradeCard gives the exit status. It never starts the machine again: its owner says when. */
export async function upgradeCard({ bundle, current, allowDowngrade, isDry, terminal, machine }: CardUpgrade): Promise<number> {
  if (!machine.hasSlots())
    throw new OperatorError(
      'Cannot upgrade: this card has no room for a second system - make a backup, write the new image to the card, and restore the backup; docs/image.md says how',
    );
  if (/^https?:/i.test(bundle)) throw new OperatorError('Cannot upgrade: the card takes an update from a file only - download it first');
  const version = bundleVersion(machine.run('rauc', 'info', '--output-format=json', bundle));
  const order = compareVersions(version, current);
  if (order === 0) {
    terminal.stdout.write(`midge ${current} is in place already.\n`);
    return 0;
  }
  if (order < 0 && !allowDowngrade)
    throw new OperatorError(`Cannot upgrade: the update is midge ${version}, older than ${current} - to go back, add --allow-downgrade`);
  terminal.stdout.write(`The update to midge ${version} is signed. In place is ${current}.\n`);
  if (isDry) return 0;
  const status = await machine.follow('rauc', 'install', bundle);
  if (status !== 0) return status;
  terminal.stdout.write(
    `midge ${version} is on the card. It is tried with the next start: ${SLOTS} try\nIf it is not healthy for five minutes, midge ${current} comes back.\n`,
  );
  return 0;
}

/** The bundle's signature has been verified when rauc says so. */
function bundleVersion(json: string): string {
  try {
    const { version } = JSON.parse(json) as { readonly version?: unknown }; // rauc(1), info
    if (typeof version === 'string' && isVersion(version)) return version;
  } catch {
    // said below
  }
  throw new OperatorError('Cannot upgrade: the update does not say which version it is');
}
