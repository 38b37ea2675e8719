// What backups and restores need of the other rooms.

import { lstatSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { canSignIn } from '../access/dynamic-security/model.ts';
import { parseSecurityFile } from '../access/dynamic-security/security-file.ts';
import { looksHashed, passwordEntry } from '../access/password-file.ts';
import { passwordHashText } from '../access/password-hash.ts';
import { systemClock } from '../base/clock.ts';
import { OperatorError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { openAuthority } from '../certificates/authority.ts';
import { addRevoked, readRevoked } from '../certificates/revocation-records.ts';
import { treatLines } from '../config/config.ts';
import { isAnswered } from '../control/control.ts';
import type { DatabaseTools, StateNeeds } from '../state/needs.ts';
import { dryLoad, dryLoadText } from '../store/dry-load.ts';
import { faultOf } from '../store/faults.ts';
import { moveAside } from '../store/file-names.ts';
import { STORE_DEFAULTS } from '../store/options.ts';
import { openStore, type Store } from '../store/store.ts';

/** Words of the configuration that name a file. */
const FILE_WORDS = [
  'password_file',
  'acl_file',
  'dynamic_security_file',
  'plugin_opt_config_file',
  'auth_opt_config_file',
  'psk_file',
  'cafile',
  'certfile',
  'keyfile',
  'crlfile',
  'dhparamfile',
  'bridge_cafile',
  'bridge_certfile',
  'bridge_keyfile',
];

const DATABASE: DatabaseTools = { usualName: STORE_DEFAULTS.file, copy, check, isUsed, moveAside };

/** STATE_NEEDS are those of the program. */
export const STATE_NEEDS: StateNeeds = { database: DATABASE, namedFiles, accountsIn, keepRevoked, isBrokerThere: isAnswered };

function open(path: string): Promise<Store> {
  const options = { ...STORE_DEFAULTS, folder: dirname(path), file: basename(path) };
  return openStore(options, { clock: systemClock, log: silentLogger });
}

async function copy(path: string, to: string): Promise<void> {
  const store = await open(path);
  try {
    await store.backup(to);
  } finally {
    await store.stop();
  }
}

/** Every page is read, and every row as at a start. */
async function check(path: string): Promise<string | null> {
  try {
    return dryLoadText(dryLoad(path));
  } catch (error) {
    throw new OperatorError(`its database is not sound: ${faultOf(error).reason}`, { cause: error });
  }
}

async function isUsed(path: string): Promise<boolean> {
  try {
    await (await open(path)).stop();
  } catch (error) {
    const { kind } = faultOf(error instanceof Error ? error.cause : null);
    if (kind === 'forbidden') throw error;
    return kind === 'locked';
  }
  return false;
}

/** The main file first, then those that it includes or names. */
function namedFiles(main: string, workingFolder: string): readonly string[] {
  const lines = treatLines(main);
  const included = lines.map(({ place }) => resolve(place.file));
  const named = lines
    .filter(({ name, outcome }) => FILE_WORDS.includes(name) && outcome === 'taken')
    .map(({ text }) => resolve(workingFolder, text));
  return [...new Set([resolve(main), ...included, ...named])];
}

/** A file says what it is: by its lines, hashes of passwords or keys in hexadecimal, or as one of dynamic security. Its name and the word that names it may be others by now. */
function accountsIn(content: Buffer): ReadonlyMap<string, string | null> {
  const dynamic = dynamicAccountsIn(content.toString('utf8'));
  if (dynamic !== null) return dynamic;
  const entries = content.toString('utf8').split('\n').map(passwordEntry);
  const isSecret = (text: string) => looksHashed(text) || /^([0-9a-f]{2})+$/i.test(text);
  return new Map(
    entries.flatMap((entry) => (entry !== null && isSecret(entry.password) ? [[entry.user, entry.isLocked ? null : entry.password]] : [])),
  );
}

/** Null = it is no file of dynamic security. */
function dynamicAccountsIn(text: string): ReadonlyMap<string, string | null> | null {
  if (!/^\s*\{/.test(text)) return null;
  try {
    const clients = [...parseSecurityFile(text).clients.values()];
    return new Map(clients.map((client) => [client.username, canSignIn(client) ? passwordHashText(client.password) : null]));
  } catch {
    return null;
  }
}

/** Only where both are of the same authority: a backup that is older knows less. */
async function keepRevoked(then: string, today: string): Promise<number> {
  const [now, before] = [readIfFile(join(today, 'ca.crt')), readIfFile(join(then, 'ca.crt'))];
  if (now === null || now !== before) return 0;
  const issuer = await openAuthority(then, () => Promise.reject(new OperatorError('its authority is not whole')));
  const { revoked } = await readRevoked(today, now);
  const { revoked: known } = await readRevoked(then, now);
  const unknown = [...revoked.values()].filter(({ serial }) => !known.has(serial));
  if (unknown.length > 0) await addRevoked(then, issuer, unknown);
  return unknown.length;
}

function readIfFile(path: string): string | null {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'utf8') : null;
}
