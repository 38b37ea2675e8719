// `midge upgrade` on the image: rauc writes an update into the system that does not run, and the next start tries it once.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { OperatorError } from '../base/errors.ts';
import type { Terminal } from '../terminal/command.ts';
import { compareVersions, isVersion } from '../updates/semantic-version.ts';

/** SLOTS is the program of the image that knows which system is started. */
const SLOTS = '/usr/libexec/midge/slots';
const DATA = '/dev/disk/by-partuuid/4d494447-07';
/** The service that restarts with the system that waits. */
const TRY = 'midge-try.service';
/** Characters of what a program says that are kept. */
const MOST_WORDS = 4000;
const SYSTEM = '/etc/rauc/system.conf';
/** What rauc puts before the words of an error. */
const RAUC_PREFIX = /^(?:.*: )?(?:rauc-)?(?:CRITICAL|WARNING|ERROR|Message)[ *]*:?\s*/;

export interface CardUpgrade {
  /** Its path. */
  readonly bundle: string;
  readonly current: string;
  readonly allowDowngrade: boolean;
  readonly isDry: boolean;
  readonly terminal: Terminal;
  /** Is told the version before anything is written. */
  readonly onBegin?: (version: string) => void;
  /** The machine in earnest, and recorded commands in tests. */
  readonly machine: CardMachine;
}

export interface CardMachine {
  readonly hasSlots: () => boolean;
  /** compatible is the kind of machine that this card is for, by rauc's configuration. */
  readonly compatible: () => string | null;
  /** run gives the output; throws OperatorError with what the program said. */
  readonly run: (program: string, ...words: readonly string[]) => string;
  /** follow shows what the program says; throws OperatorError with its last words when it fails. */
  readonly follow: (program: string, ...words: readonly string[]) => Promise<void>;
}

/** CARD_MACHINE is this machine; `exists` looks for a file. */
export function cardMachine(exists: (path: string) => boolean): CardMachine {
  return {
    hasSlots: () => exists(SLOTS) && exists(DATA),
    compatible: () => /^compatible=(.*)$/m.exec(readFileSync(SYSTEM, 'utf8'))?.[1] ?? null,
    run: (program, ...words) => {
      try {
        return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      } catch (error) {
        const { stderr } = error as { readonly stderr?: string }; // of execFileSync
        throw new OperatorError((stderr ?? '').trim() || String(error));
      }
    },
    follow: async (program, ...words) => {
      const child = spawn(program, words, { stdio: ['inherit', 'pipe', 'pipe'] });
      let said = '';
      for (const [stream, out] of [
        [child.stdout, process.stdout],
        [child.stderr, process.stderr],
      ] as const)
        stream.setEncoding('utf8').on('data', (text: string) => {
          out.write(text);
          said = (said + text).slice(-MOST_WORDS);
        });
      const [status] = (await once(child, 'close')) as [number | null]; // the event's first argument
      if (status !== 0) throw new OperatorError(`${program} ended with status ${status}: ${lastError(said)}`);
    },
  };
}

/** isBundle tells whether a release is named by a file of rauc. */
export function isBundle(where: string): boolean {
  return where.endsWith('.raucb');
}

/** requireSpareSystem throws OperatorError where a card has one system only, or only one that is good because the one that runs is on trial. */
export function requireSpareSystem(machine: CardMachine): void {
  if (!machine.hasSlots())
    throw new OperatorError(
      'Cannot upgrade: this card has no room for a second system - make a backup, write the new image to the card, and restore the backup; docs/image.md says how',
    );
  const trial = machine.run(SLOTS, 'get-trial').trim();
  if (trial !== '' && trial === machine.run(SLOTS, 'get-current').trim())
    throw new OperatorError(
      'Cannot upgrade: the version that runs is on trial, and the one before is still needed for the way back - wait until it has been healthy for five minutes (midge status says so)',
    );
}

/** upgradeCard gives the exit status. It never starts the machine again: its owner says when, or startTrial does. */
export async function upgradeCard({ bundle, current, allowDowngrade, isDry, terminal, onBegin, machine }: CardUpgrade): Promise<number> {
  requireSpareSystem(machine);
  const { version, compatible } = readBundle(bundle, machine);
  const here = machine.compatible();
  if (compatible !== here) throw new OperatorError(`Cannot upgrade: the update is for "${compatible}", and this machine is "${here}"`);
  const order = compareVersions(version, current);
  if (order === 0) {
    terminal.stdout.write(`midge ${current} is in place already.\n`);
    return 0;
  }
  if (order < 0 && !allowDowngrade)
    throw new OperatorError(`Cannot upgrade: the update is midge ${version}, older than ${current} - to go back, add --allow-downgrade`);
  terminal.stdout.write(`The update to midge ${version} is signed. In place is ${current}.\n`);
  if (isDry) return 0;
  onBegin?.(version);
  await writeBundle(bundle, machine);
  terminal.stdout.write(
    `midge ${version} is on the card. Restart the Pi with it, once: ${SLOTS} try\nIf it is not healthy for five minutes, midge ${current} comes back.\n`,
  );
  return 0;
}

/** startTrial starts the machine with the system that waits for its trial, if one does. */
export async function startTrial(machine: CardMachine): Promise<void> {
  if (machine.run(SLOTS, 'get-primary') !== machine.run(SLOTS, 'get-current')) await machine.follow('systemctl', 'start', TRY);
}

/** A system that was written in part is bad by rauc's own word, and the one that runs stays. */
async function writeBundle(bundle: string, machine: CardMachine): Promise<void> {
  try {
    await machine.follow('rauc', 'install', bundle);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw new OperatorError(`Cannot upgrade: the update could not be written, and the system that runs stays (${error.message})`);
  }
}

/** rauc ends with the line "LastError: ...", rauc(1). */
function lastError(said: string): string {
  return /^LastError: (.+)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
}

interface Bundle {
  readonly version: string;
  readonly compatible: unknown;
}

/** The bundle's signature has been verified when rauc tells about it, rauc(1). */
function readBundle(path: string, machine: CardMachine): Bundle {
  let json: string;
  try {
    json = machine.run('rauc', 'info', '--output-format=json', path);
  } catch (error) {
    throw error instanceof OperatorError ? new OperatorError(`Cannot upgrade: ${whyRefused(error.message)}. Nothing was changed`) : error;
  }
  try {
    const { version, compatible } = JSON.parse(json) as { readonly version?: unknown; readonly compatible?: unknown };
    if (typeof version === 'string' && isVersion(version)) return { version, compatible };
  } catch {
    // said below
  }
  throw new OperatorError('Cannot upgrade: the update does not say which version it is');
}

/** What rauc says of a bundle that it does not take, in the words of its owner first. */
function whyRefused(said: string): string {
  const words = said.trim().split('\n').at(-1)?.replace(RAUC_PREFIX, '') ?? '';
  if (/signature (verification failed|could not)|verify error|issuer certificate|self.signed|unknown signer/i.test(said))
    return `nobody whom this card trusts has signed the update, or it was changed since (rauc: ${words})`;
  if (
    /invalid signature|signature size|failed to (read|seek)|not a (valid )?rauc bundle|invalid (bundle|identifier)|payload|CMS|asn1|squashfs/i.test(
      said,
    )
  )
    return `the file is not a whole update: it is truncated or damaged, or something else (rauc: ${words})`;
  return `rauc does not take the update: ${words}`;
}
