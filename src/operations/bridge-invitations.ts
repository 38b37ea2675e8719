// Invitations between two boxes: one makes an account and the `connection` block for the other, and the other adds it to its configuration.

import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { parseAclFile } from '../access/acl-file.ts';
import { addRule, removeUserRules } from '../access/acl-file-edit.ts';
import { makePassword } from '../access/first-account.ts';
import { hasUser, setUser } from '../access/password-file-edit.ts';
import { hashPassword } from '../access/password-hash.ts';
import { reasonOf } from '../base/errors.ts';
import { isLocalName } from '../base/network-label.ts';
import type { BridgeTopic } from '../bridges/options.ts';
import { localFilter, ruleForOther } from '../bridges/topics.ts';
import { machineNames } from '../host/host.ts';
import { withRules } from './begin-rules.ts';
import { changeInForce, readEdited, writeInForce } from './change-in-force.ts';
import { mainFile } from './configuration.ts';
import { listenerForGuests, NO_ACCOUNTS, NO_RULES_FOR_GUESTS } from './invitation-setup.ts';
import type { NewText, OpenListener, OperationNeeds, ReadInvitation } from './needs.ts';
import { badInput, OperationFailure, operation, orFailure } from './operation.ts';
import { hostOf, inUrl, isPublic, namesOfListener } from './phone-address.ts';

const MAX_TEXT = 65_536;
/** TOPICS_MAX is how many a bridge can be given here. */
export const TOPICS_MAX = 100;

/** INVITE_BRIDGE makes the account, and gives what the other box needs: the only time that the password is shown. */
export const INVITE_BRIDGE = operation({
  name: 'invite bridge',
  kind: 'command',
  right: 'admin',
  summary:
    'Make an account for another box, with rules for the given topics only, and the invitation with which that box connects a bridge.',
  input: z.strictObject({
    name: z.string().describe('of the account, and of the bridge there: letters, digits, - and _'),
    topics: z
      .array(z.string())
      .min(1)
      .max(TOPICS_MAX)
      .describe("as in a topic line, seen from here: 'family/# both 1'; in = from there to here"),
    host: z
      .string()
      .nullish()
      .describe('by which the other box finds this one, or what forwards to it; none = the best name that the certificate has'),
    port: z.number().int().min(1).max(65_535).nullish().describe('at that host; none = the port of the listener'),
  }),
  output: z.object({
    name: z.string(),
    invitation: z.string().describe('the text for the other box. It holds the password, and cannot be had again'),
    host: z.string(),
    port: z.number().int(),
    passwordFile: z.string().describe('where the account is: the bridge ends when it is deleted there'),
    rulesBegun: z.string().nullable().describe('the acl_file that was started first; null = there were rules already'),
  }),
  run: async (needs, { name, topics: texts, host: asked, port: askedPort }) => {
    if (!needs.invitations.isName(name)) throw badInput('name', `Cannot invite "${name}": use letters, digits, - and _`);
    const topics = readTopics(needs, texts);
    const listener = listenerForGuests(needs, asked ?? null);
    const [host, port] = [hostOf(needs, listener, asked ?? null, 'brokers'), askedPort ?? listener.port];
    const { passwordFile } = needs.access.filesOf(listener.name);
    if (passwordFile === null) throw new OperationFailure('not possible', NO_ACCOUNTS);
    if (hasAccount(needs, passwordFile, name)) throw new OperationFailure('conflict', `Cannot invite "${name}": there is such an account`);
    const password = makePassword();
    const invitation = needs.invitations.write({
      name,
      topics,
      password,
      address: [host, ...homeAddress(needs, listener, { host, port })].map((each) => `${inUrl(each)}:${port}`).join(' '),
      authority: authorityFor(needs, listener, host),
      from: machineNames().hostName,
    });
    return withRules(needs, { listener: listener.name, lacking: NO_RULES_FOR_GUESTS }, async (aclFile) => {
      await makeAccount(needs, { name, topics, password, passwordFile, aclFile });
      needs.invitations.book.add(
        name,
        topics.map((topic) => ({ filter: localFilter(topic), direction: topic.direction })),
      );
      return { name, invitation, host, port, passwordFile };
    });
  },
});

/** Not every machine can look up a local name. Behind another port something else may forward. */
function homeAddress(needs: OperationNeeds, listener: OpenListener, { host, port }: { readonly host: string; readonly port: number }) {
  if (!isLocalName(host) || port !== listener.port) return [];
  return namesOfListener(needs, listener).filter(isIPv4).slice(0, 1);
}

/** Another box of this name could sign in by an account of the configuration, or of dynamic security. */
function hasAccount({ access }: OperationNeeds, passwordFile: string, name: string): boolean {
  return name === access.account || access.dynamic?.model.clients.has(name) === true || hasUser(readEdited(passwordFile), name);
}

function readTopics({ invitations }: OperationNeeds, texts: readonly string[]): readonly BridgeTopic[] {
  return orFailure(
    () => invitations.readTopics(texts),
    (message) => badInput('topics', message),
  );
}

interface AccountWish {
  readonly name: string;
  readonly topics: readonly BridgeTopic[];
  readonly password: string;
  readonly passwordFile: string;
  readonly aclFile: string;
}

/** The rules first: without them the account could do everything. */
async function makeAccount(needs: OperationNeeds, { name, topics, password, passwordFile, aclFile }: AccountWish): Promise<void> {
  const hash = await hashPassword(password);
  const texts = { before: '', after: '' };
  await changeInForce(needs, aclFile, (text) => {
    if (parseAclFile(text, aclFile).acl.users.has(name))
      throw new OperationFailure('conflict', `Cannot invite "${name}": "${aclFile}" has rules for a user of that name - remove them`);
    texts.before = text;
    texts.after = topics.reduce((changed, topic) => addRule(changed, name, { kind: 'topic', ...ruleForOther(topic) }), text);
    return texts.after;
  });
  try {
    await changeInForce(needs, passwordFile, (text) => setUser(text, name, hash));
  } catch (error) {
    await changeInForce(needs, aclFile, (text) => (text === texts.after ? texts.before : removeUserRules(text, name)));
    throw error;
  }
}

/** What the other box is to trust: our authority, that of a certificate of files, or those that every machine trusts. */
function authorityFor(needs: OperationNeeds, { name, certificate }: OpenListener, host: string): string | 'public' {
  if (certificate !== 'ours') return needs.invitations.issuerOf(name) ?? 'public';
  return isPublic(needs, host) || needs.certificates === null ? 'public' : needs.certificates.authority().cert;
}

const TEXT = z.string().max(MAX_TEXT).describe('of the invitation, as the other box gave it');

const ADDED = {
  name: z.string().describe('of the bridge'),
  from: z.string().nullable().describe('the box that invites, as it calls itself; null = the invitation does not say'),
  addresses: z.string(),
  tls: z.boolean(),
  topics: z.array(
    z.object({ filter: z.string(), direction: z.enum(['in', 'out', 'both']).describe('in = from there to here'), qos: z.number().int() }),
  ),
};

/** CHECK_INVITATION tells what an invitation would bring, and changes nothing. */
export const CHECK_INVITATION = operation({
  name: 'check invitation',
  kind: 'query',
  right: 'admin',
  summary: 'Tell what the invitation of another box would carry over a bridge; nothing is changed.',
  input: z.strictObject({ text: TEXT }),
  output: z.object(ADDED),
  run: (needs, { text }) => describe(readText(needs, text)),
});

/** ADD_BRIDGE adds the bridge of an invitation, or of a block that somebody has written. */
export const ADD_BRIDGE = operation({
  name: 'add bridge',
  kind: 'command',
  right: 'admin',
  summary: 'Add the bridge of an invitation, or of a connection block, to the configuration, and put it in force.',
  input: z.strictObject({ text: TEXT, name: z.string().nullish().describe('of the bridge here; none = that of the invitation') }),
  output: z.object({ ...ADDED, files: z.array(z.string()).describe('that were written') }),
  run: async (needs, { text, name }) => {
    const read = readText(needs, text);
    const invited = name == null ? read : called(needs, read, name);
    const main = mainFile(needs);
    if (needs.trial.waiting !== null)
      throw new OperationFailure('conflict', `Cannot change "${main}": a change of the configuration waits to be confirmed`);
    const files = filesOf(needs, main, invited);
    await writeInForce(needs, files).catch((error: unknown) => {
      throw new OperationFailure('not possible', `Cannot add the bridge: ${reasonOf(error)}\nIt was taken back.`, { cause: error });
    });
    return { ...describe(invited), files: files.map(({ path }) => path) };
  },
});

/** What it says about a text that is none never shows a value: it may be the password. */
function readText({ invitations }: OperationNeeds, text: string): ReadInvitation {
  return orFailure(
    () => invitations.read(text),
    (message) => badInput('text', message),
  );
}

function called({ invitations }: OperationNeeds, invited: ReadInvitation, name: string): ReadInvitation {
  return orFailure(
    () => invitations.called(invited, name),
    (message) => badInput('name', message),
  );
}

function filesOf({ invitations }: OperationNeeds, main: string, invited: ReadInvitation): readonly NewText[] {
  return orFailure(
    () => invitations.filesOf(main, invited),
    (message) => new OperationFailure('conflict', message),
  );
}

function describe({ name, from, addresses, tls, topics }: ReadInvitation) {
  return {
    name,
    from,
    addresses,
    tls,
    topics: topics.map((topic) => ({ filter: localFilter(topic), direction: topic.direction, qos: topic.qos })),
  };
}
