// `midge bridge invite`: has the running broker make an account for another box, and passes on the invitation for that box.

import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { isLocalName } from '../base/network-label.ts';
import { visibleText } from '../logging/line.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { askWithRules } from './begin-rules.ts';
import { tell } from './control-client.ts';

/** Nobody else reads it. */
const SECRET_MODE = 0o600;

/** Made is the output of "invite bridge". */
interface Made {
  readonly name: string;
  readonly invitation: string;
  readonly host: string;
  readonly passwordFile: string;
  readonly rulesBegun: string | null;
}

/** invite writes the invitation to `--out`, else to standard output, and then what else is said goes to standard error. */
export async function invite(name: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const topics = flags.get('topics') ?? [];
  if (topics.length === 0) throw new OperatorError("Error: Which topics? Add --topics 'family/# both'.", { exitCode: 2 });
  const address = addressIn(flags.get('address')?.at(-1) ?? null);
  const out = flags.get('out')?.at(-1) ?? null;
  const file = out === null ? null : makeFile(out);
  try {
    const made = await askWithRules<Made>(invocation, 'invite bridge', { name, topics, ...address }).catch((error: unknown) => {
      if (out !== null) rmSync(out, { force: true });
      throw error;
    });
    if (file !== null) writeFileSync(file, made.invitation);
    tell(() => passOn(made, out, terminal));
    return 0;
  } finally {
    if (file !== null) closeSync(file);
  }
}

/** Before anything is asked for: an invitation that cannot be kept would be lost. */
function makeFile(path: string): number {
  if (existsSync(path)) throw new OperatorError(`Cannot write "${path}": it is there already`);
  try {
    return openSync(path, 'wx', SECRET_MODE);
  } catch (cause) {
    throw new OperatorError(`Cannot write "${path}": ${reasonOf(cause)}`, { cause });
  }
}

function addressIn(asked: string | null): { readonly host?: string; readonly port?: number } {
  if (asked === null) return {};
  const [, bracketed, name, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(asked) ?? [];
  const host = bracketed ?? name;
  if (host === undefined) throw new OperatorError(`Cannot read --address "${asked}": write HOST or HOST:PORT`);
  return { host, ...(port === undefined ? {} : { port: Number(port) }) };
}

function passOn({ name, invitation, host, passwordFile }: Made, out: string | null, { stdout, stderr }: Terminal): void {
  const file = visibleText(passwordFile);
  const say = (line: string) => (out === null ? stderr : stdout).write(`${line}\n`);
  if (out === null) stdout.write(invitation);
  say(`Added user ${name} to ${file}.`);
  if (out !== null) say(`The invitation is in ${out}. It holds a password: pass it on by a safe way.`);
  say(`On the other box: midge bridge accept FILE. It ends with: midge passwd -D ${file} ${name}`);
  if (isLocalName(host)) say(`${visibleText(host)} is found on this network only; name another address with --address.`);
}
