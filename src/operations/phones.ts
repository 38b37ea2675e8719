// Phones: a person has some, each with an account and rules of its own, and is set up by a link that it opens itself.

import { z } from 'zod';
import type { RuleLine } from '../access/acl-file-edit.ts';
import { accountOf, nameFault, PHONE_USES, type PhoneName, type PhoneProtocol, protocolOf, topicOf } from '../phones/phone.ts';
import { isSetUp, PASS_MS, type Phone, type PhoneBook } from '../phones/phone-book.ts';
import { PHONE_PROBLEMS, type PhoneProblem, problemOf } from '../phones/phone-problem.ts';
import { withRules } from './begin-rules.ts';
import { forgetPhones } from './locations.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, OperationFailure, operation } from './operation.ts';
import { pagePorts } from './page-url.ts';
import { pageAddresses, phoneAddress, phoneHosts } from './phone-address.ts';
import { revokeCertificates } from './phone-certificate.ts';
import { accountsIn, grantRules, holdAccount, listenerNameFor, NO_RULES, passwordFileFor, phoneFiles, takeAway } from './phone-files.ts';
import { checkSetup, phonesOf } from './phone-setup.ts';
import { deleteBelow } from './retained.ts';
import { checkFilter } from './rules.ts';
import { iso, TIME } from './time.ts';

const GROUP = z.string().regex(/^[\p{L}\p{N}_.-]{1,64}$/u, 'must have letters, digits, . _ or -');

const NAME = {
  person: z.string().describe('whose it is: letters, digits, . _ or -'),
  device: z.string().describe('tells the phones of a person apart'),
};

const STEPS = z.object({
  certificate: TIME.nullable().describe('it has fetched the authority'),
  tls: TIME.nullable().describe('it has come by TLS, and has verified the certificate of this box'),
  signedIn: TIME.nullable(),
  location: TIME.nullable().describe('it has published one'),
});

const PHONE = z.object({
  ...NAME,
  account: z.string().describe('its user name'),
  use: z.enum(PHONE_USES),
  groups: z.array(z.string()).describe('people who share one see where the others are'),
  host: z.string().describe('name or address that it connects to'),
  added: TIME,
  link: z
    .object({ state: z.enum(['waiting', 'opened']), ends: TIME })
    .nullable()
    .describe('by which it is set up; null = it has ended'),
  steps: STEPS.describe('when it did each for the first time; null = not yet'),
  isSetUp: z.boolean(),
  hasAccount: z.boolean().describe('false = its account was taken away by hand'),
  connected: z.boolean(),
  problem: z
    .object({ kind: z.enum(PHONE_PROBLEMS), reason: z.string(), advice: z.string().nullable() })
    .nullable()
    .describe('why it was turned away since it was in last'),
});

/** PhoneState is a phone as the operations tell of it. */
export type PhoneState = z.infer<typeof PHONE>;

/** PHONES lists them. */
export const PHONES = operation({
  name: 'phones',
  kind: 'query',
  right: 'admin',
  summary: 'The phones that were set up, how far each has come, and what keeps it out.',
  input: z.strictObject({}),
  output: z.array(PHONE),
  run: (needs) => {
    const { book } = phonesOf(needs);
    const around = lookAround(needs);
    return book.list().map((phone) => phoneState(needs, phone, around));
  },
});

const ADD = z.strictObject({
  person: NAME.person,
  device: NAME.device.default('phone'),
  use: z.enum(PHONE_USES).default('owntracks').describe('the app: OwnTracks, by MQTT or in its HTTP mode, or any other that speaks MQTT'),
  groups: z.array(GROUP).max(32).nullish().describe('in which the person shares locations; none = as before, or with nobody'),
  topics: z
    .array(z.strictObject({ access: z.enum(['read', 'write', 'readwrite']), filter: z.string() }))
    .max(100)
    .default([])
    .describe('what it may read and write besides; another app than OwnTracks needs some'),
  host: z
    .string()
    .nullish()
    .describe('name or address that it connects to; none = the best: a name of acme_names, then one in the certificate of this box'),
  webSocket: z.boolean().default(false).describe('MQTT over WebSocket; of no meaning in HTTP mode'),
  replace: z.boolean().default(false).describe('also where the phone is set up already: it gets another password'),
});

const LINK = z.object({
  person: z.string(),
  device: z.string(),
  account: z.string(),
  link: z.string().describe('secret: whoever opens it first has the account'),
  qr: z.string().describe('the link as a QR code (SVG)'),
  ends: TIME,
  host: z.string(),
  port: z.number().int(),
  fingerprint: z.string().nullable().describe('SHA-256 of the authority that the phone is asked to trust; null = it need not'),
});

/** ADD_PHONE makes the link by which a phone sets itself up. */
export const ADD_PHONE = operation({
  name: 'add phone',
  kind: 'command',
  right: 'admin',
  summary: 'Make a link that sets up one phone within ten minutes: certificate, account and settings of its app.',
  input: ADD,
  output: LINK.extend({
    rulesBegun: z.string().nullable().describe('the acl_file that was started first; null = there were rules already'),
  }),
  run: addPhone,
});

async function addPhone(needs: OperationNeeds, wanted: z.infer<typeof ADD>) {
  const { person, device, use, topics, webSocket, replace } = wanted;
  const protocol = protocolOf(wanted);
  checkSetup(needs, protocol);
  const { book } = phonesOf(needs);
  const account = checkName(wanted);
  const rules = rulesIn(topics);
  if (use === 'mqtt' && rules.length === 0)
    throw badInput('topics', `Cannot add phone "${account}": without topics its app could read and write nothing`);
  const ways = waysFor(needs, wanted.host ?? null, protocol);
  const known = book.find(account);
  const passwordFile = passwordFileFor(needs, protocol);
  if (known === null && (accountsIn({ passwordFile }).has(account) || needs.access.dynamic?.model.clients.has(account)))
    throw new OperationFailure('conflict', `Cannot add phone "${account}": there is an account of this name that is no phone`);
  if (known?.steps.signedIn !== undefined && !replace)
    throw new OperationFailure('conflict', `Cannot add phone "${account}": it is set up already - name another device, or replace it`);
  const before = book.list().filter((each) => accountOf(each) !== account);
  const groups = wanted.groups ?? [...before, ...(known === null ? [] : [known])].find((each) => each.person === person)?.groups ?? [];
  const others = before.map((each) => (each.person === person ? { ...each, groups } : each));
  const wish = { listener: listenerNameFor(needs, protocol), lacking: NO_RULES };
  const { rulesBegun, ...made } = await withRules(needs, wish, async (aclFile) => {
    const files = { passwordFile, aclFile };
    try {
      await holdAccount(needs, files, account); // first: the broker warns of rules without an account
      await grantRules(needs, files, [...others, { person, device, use, groups }], { account, rules });
      return book.add({ person, device, use, groups, host: ways.address.host, webSocket });
    } catch (error) {
      if (known === null) await takeAway(needs, files, [account]);
      throw error;
    }
  });
  book.setGroups(person, groups);
  return { ...(await linkOf(needs, made, ways)), rulesBegun };
}

/** NEW_PHONE_LINK is for a link that was lost, or has ended: the box knows hashes only, and can't show one again. */
export const NEW_PHONE_LINK = operation({
  name: 'new phone link',
  kind: 'command',
  right: 'admin',
  summary:
    'Make another link for a phone that was added; the one before ends. Whatever opens it gets another password, and the phone with the old one is disconnected then.',
  input: z.strictObject(NAME),
  output: LINK,
  run: async (needs, { person, device }) => {
    const { book } = phonesOf(needs);
    const account = accountOf({ person, device });
    const known = book.find(account);
    if (known === null) throw unknownPhone(account);
    const protocol = protocolOf(known);
    checkSetup(needs, protocol);
    const ways = waysFor(needs, known.host, protocol);
    const files = phoneFiles(needs, protocol);
    await holdAccount(needs, files, account);
    await grantRules(needs, files, book.list());
    return linkOf(needs, book.add(known), ways);
  },
});

/** Where a phone connects to, and where it finds its pages. Throws OperationFailure. */
function waysFor(needs: OperationNeeds, host: string | null, protocol: PhoneProtocol) {
  const address = phoneAddress(needs, { host, protocol });
  const isTrusted = phoneHosts(needs, protocol).some((each) => each.isPublic && each.host === address.host);
  return { address, pages: pageAddresses(needs, isTrusted ? address.host : host) };
}

async function linkOf(
  needs: OperationNeeds,
  { phone, token }: ReturnType<PhoneBook['add']>,
  { address, pages }: ReturnType<typeof waysFor>,
) {
  const { qrSvg } = await import('../phones/qr-code.ts');
  const { person, device } = phone;
  const link = `${pages.plain ?? pages.secure}/phone/${phone.link?.id}#${token}`;
  const fingerprint = pages.isTrusted ? null : (needs.certificates?.authority().fingerprint ?? null);
  const ends = iso(phone.link?.ends ?? phone.added);
  return { person, device, account: accountOf(phone), link, qr: qrSvg(link), ends, host: address.host, port: address.port, fingerprint };
}

/** CHANGE_PHONE_GROUPS changes who sees a person, and whom it sees. */
export const CHANGE_PHONE_GROUPS = operation({
  name: 'change phone groups',
  kind: 'command',
  right: 'admin',
  summary: 'Share the location of a person in other groups, at once and on all its phones; none = with nobody.',
  input: z.strictObject({ person: NAME.person, groups: z.array(GROUP).max(32) }),
  output: z.object({ person: z.string(), groups: z.array(z.string()) }),
  run: async (needs, { person, groups }) => {
    const { book } = phonesOf(needs);
    if (!book.list().some((each) => each.person === person)) throw unknownPhone(person);
    await grantRules(
      needs,
      phoneFiles(needs),
      book.list().map((each) => (each.person === person ? { ...each, groups } : each)),
    );
    book.setGroups(person, groups);
    return { person, groups };
  },
});

/** REMOVE_PHONE shuts a phone out, or all of a person. */
export const REMOVE_PHONE = operation({
  name: 'remove phone',
  kind: 'command',
  right: 'admin',
  summary:
    'Remove a phone, or all phones of a person: account, rules, the messages that were kept of it, and its history of locations. It is disconnected at once.',
  input: z.strictObject({ person: NAME.person, device: NAME.device.nullish().describe('none = all phones of the person') }),
  output: z.object({
    removed: z.array(z.string()).describe('accounts'),
    messages: z.number().int().describe('retained messages that were deleted'),
    locations: z.number().int().describe('of the history, that were deleted'),
  }),
  run: async (needs, { person, device }) => {
    const { book } = phonesOf(needs);
    const gone = book.list().filter((each) => each.person === person && (device == null || each.device === device));
    if (gone.length === 0) throw unknownPhone(device == null ? person : accountOf({ person, device }));
    const removed = gone.map(accountOf);
    const files = phoneFiles(needs, gone[0] === undefined ? 'mqtt' : protocolOf(gone[0]));
    await takeAway(needs, files, removed);
    await revokeCertificates(needs, removed);
    for (const account of removed) book.remove(account);
    await grantRules(needs, files, book.list());
    let messages = 0;
    for (const phone of gone) messages += await deleteBelow(needs, topicOf(phone));
    let locations = 0;
    for (const phone of gone) locations += await forgetPhones(needs, phone.person, phone.device);
    return { removed, messages, locations };
  },
});

/** phoneState is all that is known about a phone. */
export function phoneState(needs: OperationNeeds, phone: Phone, around = lookAround(needs)): PhoneState {
  const { person, device, use, groups, host, link } = phone;
  const account = accountOf(phone);
  const timeOf = (at: number | undefined) => (at === undefined ? null : iso(at));
  const { certificate, tls, signedIn, location } = phone.steps;
  const hasAccount = around.accountsAt(protocolOf(phone)).has(account);
  const connected = around.connected.has(account);
  return {
    ...{ person, device, account, use, groups: [...groups], host },
    added: iso(phone.added),
    link: link === null ? null : { state: link.pass === null ? 'waiting' : 'opened', ends: iso(link.ends) },
    steps: { certificate: timeOf(certificate), tls: timeOf(tls), signedIn: timeOf(signedIn), location: timeOf(location) },
    isSetUp: isSetUp(phone),
    hasAccount,
    connected,
    problem: connected ? null : problemFor(needs, phone, hasAccount),
  };
}

/**
 * The latest refusal of its account; else, while it is set up, of where its page was asked for. A browser refuses the certificate of that page
 * before it warns its person, and others may come from the same address: what is refused there says nothing of the app, but in HTTP mode, which
 * goes on where the page was opened.
 */
function problemFor(needs: OperationNeeds, phone: Phone, hasAccount: boolean): PhoneState['problem'] {
  const account = accountOf(phone);
  const { address, signedIn } = phonesOf(needs).seen(account);
  const since = Math.max(phone.added, signedIn ?? 0);
  const pages = pagePorts(needs.listeners);
  const isOfApp = (port: number) => !pages.has(port) || (protocolOf(phone) === 'http' && openedAt(phone) > 0);
  const isOfPhone = (about: string, port: number) => phone.link !== null && about === address && isOfApp(port);
  const recent = needs.refusals.list(null).filter((each) => each.last >= since && each.cause !== 'websocket' && each.cause !== 'page');
  const refusal =
    recent.find(({ username }) => username === account) ??
    recent.find(
      (each) =>
        each.username === null && isOfPhone(each.address, each.listenerPort) && each.last > Math.max(phone.steps.tls ?? 0, openedAt(phone)),
    );
  if (refusal === undefined) return null;
  const kind: PhoneProblem = problemOf(refusal);
  return { kind: kind === 'password' && !hasAccount ? 'removed' : kind, reason: refusal.reason, advice: refusal.advice };
}

/** In milliseconds since 1970; 0 = nobody has opened its link. */
function openedAt({ link }: Phone): number {
  return link === null || link.pass === null ? 0 : link.ends - PASS_MS;
}

/** Around is what is looked up once for all phones of an answer. */
interface Around {
  readonly connected: ReadonlySet<string>;
  /** accountsAt gives those of the listener for phones with a protocol. */
  accountsAt(protocol: PhoneProtocol): ReadonlySet<string>;
}

function lookAround(needs: OperationNeeds): Around {
  const connected = new Set<string>();
  for (const { username, connection } of needs.broker.sessions) if (username !== null && connection !== null) connected.add(username);
  const known = new Map<PhoneProtocol, ReadonlySet<string>>();
  return {
    connected,
    accountsAt(protocol) {
      const accounts = known.get(protocol) ?? accountsWhere(needs, protocol);
      known.set(protocol, accounts);
      return accounts;
    },
  };
}

function accountsWhere(needs: OperationNeeds, protocol: PhoneProtocol): ReadonlySet<string> {
  try {
    return accountsIn(phoneFiles(needs, protocol));
  } catch {
    return new Set(); // there is no such file any more
  }
}

function checkName(phone: PhoneName): string {
  const fault = nameFault(phone);
  if (fault !== null) throw badInput(fault.field, fault.message);
  return accountOf(phone);
}

function rulesIn(topics: z.infer<typeof ADD>['topics']): readonly RuleLine[] {
  return topics.map(({ access, filter }, index) => {
    checkFilter(filter, ['topics', index, 'filter']);
    return { kind: 'topic', access, filter };
  });
}

function unknownPhone(name: string): OperationFailure {
  return new OperationFailure('not found', `Cannot find phone "${name}": midge phone list shows those that there are`);
}
