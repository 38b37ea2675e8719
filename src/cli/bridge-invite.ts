// `midge bridge invite`: an account for another box on this one, with rules for its topics only, and the `connection` block for that box.

import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseAclFile } from '../access/acl-file.ts';
import { makePassword } from '../access/first-account.ts';
import { hasUser, setUser } from '../access/password-file-edit.ts';
import { hashPassword } from '../access/password-hash.ts';
import { OperatorError } from '../base/errors.ts';
import type { BridgeTopic } from '../bridges/options.ts';
import { ruleForOther } from '../bridges/topics.ts';
import { ClientRegister } from '../certificates/client-certificates.ts';
import { isInvitationName, readTopics, writeInvitation } from '../config/bridge-invitation.ts';
import type { Configuration } from '../config/configuration.ts';
import type { ChangedFile } from '../config/writer.ts';
import { machineNames } from '../host/host.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import { isRoot } from '../service/user.ts';
import { asOwner, asOwnerNow } from '../state/as-owner.ts';
import { findState } from '../state/state-folder.ts';
import type { Invocation } from '../terminal/command.ts';
import { changeFiles } from './change-files.ts';
import { configurationFile, readConfiguration } from './configuration-file.ts';
import { readPasswords, writePasswords } from './passwd.ts';
import { reloadBroker } from './reload-broker.ts';
import { startRules } from './start-rules.ts';

/** Nobody else reads it. */
const SECRET_MODE = 0o600;
/** invite makes the account, has the running broker take it over, and writes the invitation to `--out`, else to standard output, and then what else is said goes to standard error. */
export async function invite(name: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const main = configurationFile({ flags });
  const configuration = readConfiguration(main);
  const topics = readTopics(flags.get('topics') ?? []);
  const passwordFile = asOwnerNow(main, () => checkRequest(name, topics, configuration));
  const asked = flags.get('address')?.at(-1) ?? null;
  const listener = listenerFor(configuration, asked !== null);
  const [host, port] = addressOf(listener, asked);
  const invitation = {
    name,
    topics,
    password: makePassword(),
    address: `${host}:${port}`,
    authority: listener.tls === null ? null : await asOwner(main, () => authorityOf(listener, configuration, invocation)),
    from: machineNames().hostName,
  };
  const text = writeInvitation(invitation);
  const out = flags.get('out')?.at(-1) ?? null;
  if (out !== null && existsSync(out)) throw new OperatorError(`Cannot write "${out}": it is there already`);
  const aside = out === null ? { ...invocation, terminal: { ...terminal, stdout: terminal.stderr } } : invocation; // standard output is for the invitation
  const status = await asOwner(main, () => makeAccount({ main, passwordFile, configuration, ...invitation }, aside));
  if (status !== 0) return status;
  if (out === null) terminal.stdout.write(text);
  else writeFileSync(out, text, { flag: 'wx', mode: SECRET_MODE });
  advise(host, listener, { configuration, out, name }, aside);
  return 0;
}

function checkRequest(name: string, topics: readonly BridgeTopic[], { access }: Configuration): string {
  if (!isInvitationName(name)) throw new OperatorError(`Cannot invite "${name}": use letters, digits, - and _`);
  if (topics.length === 0) throw new OperatorError("Error: Which topics? Add --topics 'family/# both'.", { exitCode: 2 });
  if (access.listeners !== null)
    throw new OperatorError(
      'Cannot invite with per_listener_settings true: add the account and its rules by hand, midge passwd and acl_file',
    );
  if (access.passwordFile === null)
    throw new OperatorError('Cannot invite: the configuration has no password_file - midge config set password_file FILE');
  if (hasUser(readPasswords(access.passwordFile), name))
    throw new OperatorError(
      `Cannot invite "${name}": there is such an account - end it with: midge passwd -D ${access.passwordFile} ${name}`,
    );
  return access.passwordFile;
}

/** One that others reach, with TLS where there is one. Whoever names an address may have something in front of a listener of this machine only. */
function listenerFor({ listeners, localOnly }: Configuration, isForwarded: boolean): ListenerOptions {
  const open = listeners.filter(
    ({ protocol, unixPath, tls }) => protocol === 'mqtt' && unixPath === null && tls?.requireCertificate !== true,
  );
  const usable = open.filter(({ tls, address }) => !tls?.psk && (isForwarded || !/^(127\.|::1$|localhost$)/.test(address ?? '')));
  const best = usable.find(({ tls }) => tls !== null) ?? usable[0];
  if (best !== undefined && !localOnly) return best;
  throw new OperatorError(
    'Cannot invite: no listener is open for another box, with a password - add for example: listener 8883, secure true',
  );
}

function addressOf(listener: ListenerOptions, asked: string | null): readonly [host: string, port: number] {
  const own = `${machineNames().hostName.split('.')[0]}.local`;
  const [, host = own, port] = asked === null ? [] : (/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(asked) ?? []);
  if (asked !== null && host === own && !asked.startsWith(own))
    throw new OperatorError(`Cannot read --address "${asked}": write HOST or HOST:PORT`);
  return [host, port === undefined ? listener.port : Number(port)];
}

async function authorityOf({ tls }: ListenerOptions, { persistence }: Configuration, { flags, terminal }: Invocation): Promise<string> {
  const certificate = tls?.certificate ?? 'appliance';
  if (certificate !== 'appliance') return issuerIn(certificate.certfile);
  const state = findState({ asked: flags.get('state')?.at(-1) ?? null, ...persistence, isRoot: isRoot(), env: terminal.env });
  return asOwner(state.certificates, async () => (await ClientRegister.open(state.certificates)).authority.cert);
}

/** A chain that ends with an authority of its own is to be trusted by that; others are signed by one that every machine knows. */
function issuerIn(certfile: string): string {
  const blocks = readFileSync(certfile, 'utf8').match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const root = blocks.find((pem) => {
    const { subject, issuer } = new X509Certificate(pem);
    return subject === issuer;
  });
  return root ?? 'public';
}

interface AccountWish {
  readonly main: string;
  readonly passwordFile: string;
  readonly configuration: Configuration;
  readonly name: string;
  readonly password: string;
  readonly topics: readonly BridgeTopic[];
}

/** The rules first: without them the account could do everything. */
async function makeAccount(wish: AccountWish, invocation: Invocation): Promise<number> {
  const { main, passwordFile, name, password } = wish;
  const { flags, terminal } = invocation;
  const { aclFile } = wish.configuration.access;
  if (aclFile === null && !flags.has('make-acl'))
    throw new OperatorError(
      'Cannot invite: the configuration has no acl_file, so the other box could read and write everything - with --make-acl midge makes one in which all present accounts keep all rights; a new account then needs rules of its own',
    );
  const status =
    aclFile === null
      ? await startRules({ ...wish, folder: dirname(main), more: rulesFor(name, wish.topics) }, invocation)
      : await changeFiles(main, [], invocation, [withRules(aclFile, wish)]);
  if (status !== 0) return status;
  const hash = await hashPassword(password);
  writePasswords(passwordFile, setUser(readPasswords(passwordFile), name, hash));
  terminal.stdout.write(`Added user ${name} to ${passwordFile}.\n`);
  return reloadBroker(passwordFile, invocation);
}

function withRules(aclFile: string, { name, topics }: AccountWish): ChangedFile {
  const before = readFileSync(aclFile, 'utf8');
  const { acl } = parseAclFile(before, aclFile);
  if (acl.users.has(name)) throw new OperatorError(`Cannot invite "${name}": "${aclFile}" has rules for a user of that name - remove them`);
  return { path: resolve(aclFile), before, after: `${before}${before.endsWith('\n') ? '' : '\n'}${rulesFor(name, topics)}` };
}

function rulesFor(name: string, topics: readonly BridgeTopic[]): string {
  const rules = topics.map(ruleForOther).map(({ access, filter }) => `topic ${access} ${filter}`);
  return `\n# Added by midge bridge invite.\nuser ${name}\n${[...new Set(rules)].join('\n')}\n`;
}

interface Told {
  readonly configuration: Configuration;
  readonly out: string | null;
  readonly name: string;
}

function advise(host: string, { tls }: ListenerOptions, { configuration, out, name }: Told, { terminal }: Invocation): void {
  const say = (line: string) => terminal.stdout.write(`${line}\n`);
  if (out !== null) say(`The invitation is in ${out}. It holds a password: pass it on by a safe way.`);
  say(`On the other box: midge bridge accept FILE. It ends with: midge passwd -D ${configuration.access.passwordFile} ${name}`);
  if (tls === null) say('Warning: no listener has TLS, so others on the network can read the password and the messages.');
  const known = ['localhost', ...configuration.certificateNames, ...machineNames().addresses];
  if (tls?.certificate === 'appliance' && !host.endsWith('.local') && !known.includes(host))
    say(`The other box looks for the name ${host} in the certificate: midge config set certificate_names ${host}, and restart the broker.`);
  if (host.endsWith('.local')) say(`${host} is found on this network only; name another address with --address.`);
}
