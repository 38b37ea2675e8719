// `midge passwd`: mosquitto_passwd(1), the editor of password files.

import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readAccessFile } from '../access/file-diagnostic.ts';
import { passwordEntry, writePasswordFile } from '../access/password-file.ts';
import {
  hashPlainPasswords,
  hasUser,
  lockedUsers,
  passwordFault,
  removeUser,
  setLock,
  setUser,
  usernameFault,
} from '../access/password-file-edit.ts';
import { HASH_KINDS, type HashKind, hashPassword, MAX_ROUNDS } from '../access/password-hash.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { nameOf } from '../base/system-users.ts';
import { asOwnerNow, foreignOwner } from '../state/as-owner.ts';
import { askSecrets, askYesNo, isTerminal } from '../terminal/ask.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { hideArguments } from '../terminal/passwords.ts';
import { reloadBroker } from './reload-broker.ts';

/** Exit status of mosquitto_passwd for a password that is not typed the same twice. */
const NO_MATCH = 2;

type Hasher = (password: string) => Promise<string>;

/** run changes the file; throws OperatorError with mosquitto_passwd's sentence where it has one. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, operands, program, terminal } = invocation;
  if (flags.has('b')) hideArguments(program);
  const hash = hasherOf(flags);
  checkFlags(invocation);
  const [file, user, password] = operands;
  if (file === undefined) throw new OperatorError(`Error: No file and user given. Use '${program} FILE USER'.`);
  if (flags.has('U')) {
    writePasswords(file, await hashPlainPasswords(readPasswords(file), file, hash));
    return reloadBroker(file, invocation);
  }
  if (user === undefined) throw new OperatorError(`Error: Which user? Use '${program} ${file} USER'.`);
  checkUser(user);
  if (flags.has('D')) return changeKnown(file, user, removeUser, invocation);
  if (flags.has('lock') || flags.has('unlock'))
    return changeKnown(file, user, (text) => setLock(text, user, flags.has('lock')), invocation);
  if (file === '-' && flags.has('c')) return show(user, flags.has('b') ? password : null, hash, terminal);
  const text = flags.has('c') ? await startAnew(file, flags.has('b'), terminal) : readPasswords(file);
  if (text === null) return 1;
  const chosen = flags.has('b') ? password : await askTwice(terminal);
  writePasswords(file, setUser(text, user, await hash(checkPassword(chosen))));
  terminal.stdout.write(`${hasUser(text, user) ? 'Updating' : 'Adding'} password for user ${user}\n`);
  if (lockedUsers(text).has(user)) terminal.stderr.write(`User ${user} stays locked: ${program} --unlock ${file} ${user}\n`);
  return reloadBroker(file, invocation);
}

/** show writes the user's line to standard output, for a file that is made elsewhere; questions are kept out of it. */
async function show(user: string, given: string | undefined | null, hash: Hasher, { stdin, stdout, stderr }: Terminal): Promise<number> {
  const password = given === null ? await askTwice({ stdin, stdout: stderr }) : given;
  stdout.write(setUser('', user, await hash(checkPassword(password))));
  return 0;
}

function checkFlags({ flags, operands }: Invocation): void {
  const refuse = (message: string) => new OperatorError(`Error: ${message}.`);
  const [create, batch, remove, update] = ['c', 'b', 'D', 'U'].map((letter) => flags.has(letter));
  const lock = ['lock', 'unlock'].filter((word) => flags.has(word)).map((word) => `--${word}`);
  const other = [...['c', 'b', 'D', 'U'].filter((letter) => flags.has(letter)).map((letter) => `-${letter}`), ...lock.slice(1)][0];
  if (lock[0] !== undefined && other !== undefined) throw refuse(`${lock[0]} and ${other} cannot be used together`);
  if (create && remove) throw refuse('-c and -D cannot be used together');
  if (create && update) throw refuse('-c and -U cannot be used together');
  if (batch && remove) throw refuse('-b and -D cannot be used together');
  if (batch && update) throw refuse('-b and -U cannot be used together');
  if (remove && update) throw refuse('-D and -U cannot be used together');
  const most = batch ? 3 : update ? 1 : 2;
  if (operands.length > most)
    throw refuse(`Too many words, from "${operands[most]}" on${most === 2 ? '; a password is only taken with -b' : ''}`);
  if (update && operands.length < 1) throw refuse('-U argument given but password file missing');
  if (batch && operands.length < 3) throw refuse(`${create ? '-c' : '-b'} argument given but password file, username, or password missing`);
  if (create && operands.length < 2) throw refuse('-c argument given but password file or username missing');
  if (remove && operands.length < 2) throw refuse('-D argument given but password file or username missing');
}

function hasherOf(flags: Invocation['flags']): Hasher {
  const kind = (flags.get('H')?.at(-1) ?? HASH_KINDS[0]) as HashKind; // checked in the next line
  if (!HASH_KINDS.includes(kind)) throw new OperatorError(`Error: Unknown hash type '${kind}': there are ${HASH_KINDS.join(', ')}.`);
  const asked = flags.get('I')?.at(-1);
  if (asked === undefined) return (password) => hashPassword(password, kind);
  const rounds = Number(asked);
  const most = MAX_ROUNDS[kind];
  if (most === 1) throw new OperatorError(`Error: -I is not for ${kind}: it has one round.`);
  if (/^-?\d+$/.test(asked) && rounds < 1) throw new OperatorError('Error: Number of iterations must be > 0.');
  if (!/^\d+$/.test(asked) || rounds > most)
    throw new OperatorError(`Error: Invalid number of iterations '${asked}': ${kind} takes 1 to ${most}.`);
  return (password) => hashPassword(password, kind, rounds);
}

function checkUser(user: string): void {
  const fault = usernameFault(user);
  if (fault !== null) throw new OperatorError(`Error: ${fault}.`);
}

function checkPassword(password = ''): string {
  const fault = passwordFault(password);
  if (fault !== null) throw new OperatorError(`Error: ${fault}.`);
  return password;
}

/** readPasswords gives the text of a password file that is to be changed; throws OperatorError. */
export function readPasswords(file: string): string {
  try {
    return inFolderOf(file, () => readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof OperatorError && !(error.cause instanceof Error)) throw error;
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const why = missing ? 'No such file or directory - make it with -c' : reasonOf(error);
    throw new OperatorError(`Error: Unable to open password file ${file}. ${why}`, { cause: error });
  }
}

/** writePasswords replaces a password file, as the user of its folder. */
export function writePasswords(file: string, text: string): void {
  inFolderOf(file, () => writePasswordFile(file, text));
}

/** Root acts as the user of a folder that is not its own, and follows no link there: who owns it may have planted one. */
function inFolderOf<T>(file: string, action: () => T): T {
  const folder = dirname(resolve(file));
  const owner = foreignOwner(folder);
  const found = owner === null ? undefined : lstatSync(file, { throwIfNoEntry: false });
  if (owner !== null && found !== undefined && !found.isFile()) {
    const what = found.isSymbolicLink() ? 'is a link, which root does not follow there' : 'is no regular file';
    throw new OperatorError(`Error: Unable to open password file ${file}. It ${what}: the folder belongs to user ${nameOf(owner)}.`);
  }
  return asOwnerNow(folder, action);
}

/** startAnew gives the text of a new file, or null when a person does not want to lose the users of the old one. */
async function startAnew(file: string, isBatch: boolean, { stdin, stdout, stderr }: Terminal): Promise<string | null> {
  const old = inFolderOf(file, () => (existsSync(file) ? readAccessFile('password file', file) : ''));
  const users = old.split('\n').filter((line) => passwordEntry(line) !== null).length;
  if (users === 0) return '';
  const what = `${file} has ${users === 1 ? 'a user' : `${users} users`} already, and -c starts anew`;
  if (isBatch || !isTerminal(stdin)) {
    stderr.write(`Warning: ${what}: without -c they stay.\n`);
    return '';
  }
  return (await askYesNo({ stdin, stdout }, `${what}. Overwrite it?`)) ? '' : null;
}

async function askTwice(terminal: Pick<Terminal, 'stdin' | 'stdout'>): Promise<string> {
  const [first = '', second] = await askSecrets(terminal, ['Password: ', 'Reenter password: ']);
  if (first !== second) throw new OperatorError('Error: Passwords do not match.', { exitCode: NO_MATCH });
  return first;
}

type Edit = (text: string, user: string) => string;

async function changeKnown(file: string, user: string, edit: Edit, invocation: Invocation): Promise<number> {
  const text = readPasswords(file);
  if (!hasUser(text, user)) {
    invocation.terminal.stderr.write(`Warning: User ${user} not found in password file.\n`);
    return 1;
  }
  writePasswords(file, edit(text, user));
  return reloadBroker(file, invocation);
}
