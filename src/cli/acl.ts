// `midge acl`: may this client, by which line of which file; and who may.

import { AclAuthorizer } from '../access/acl.ts';
import { type AclClient, type AclDecision, explain, whatArrives, whoMay } from '../access/acl-explain.ts';
import { type AclRule, readAclFile } from '../access/acl-file.ts';
import { filesOf } from '../access/options.ts';
import { readPasswordFile } from '../access/password-file.ts';
import { OperatorError } from '../base/errors.ts';
import { formatDiagnostic, loadConfiguration } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import { isSharedFilter, isTopicFilter, isTopicName, parseSharedFilter } from '../mqtt/topics.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';

const ALLOWED = 0;
const DENIED = 1;
const UNKNOWN = 2;

/** House is what the files say. */
interface House {
  /** null = the configuration has no acl_file. */
  readonly acl: AclAuthorizer | null;
  /** Users who can log in, or null when no file was named that would tell. */
  readonly accounts: readonly string[] | null;
  /** Whether some listener lets clients in without a user name; null as above. */
  readonly allowsAnonymous: boolean | null;
}

/** run answers one question. The exit status is 0 for yes, 1 for no; OperatorError with 2 when there is no answer. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb, ...words] = invocation.operands;
  if (verb === 'check') return check(invocation, words);
  if (verb === 'who') return who(invocation, words);
  throw failure(`Which question? Use '${invocation.program} check' or '${invocation.program} who'.`);
}

function check(invocation: Invocation, [action, topic]: readonly string[]): number {
  const { flags, terminal, program } = invocation;
  if (action !== 'publish' && action !== 'receive' && action !== 'subscribe')
    throw failure(`No action given. Use '${program} check publish', 'receive' or 'subscribe'.`);
  if (topic === undefined) throw failure(`Which topic? Use '${program} check ${action} TOPIC'.`);
  const client: AclClient = { username: last(flags, 'user'), clientId: last(flags, 'client') };
  const house = readHouse(invocation);
  const answer = action === 'subscribe' ? checkSubscribe(house, client, topic) : checkTopic(house, client, action, topic);
  const question = { action, topic, user: client.username, client: client.clientId };
  const notes = notesOn(house, client);
  if (flags.has('json')) writeJson(terminal, { ...question, ...answer.json, notes });
  else terminal.stdout.write(`${[...answer.lines, ...notes.map((note) => `note: ${note}`)].join('\n')}\n`);
  return answer.json.allowed ? ALLOWED : DENIED;
}

interface Answer {
  readonly lines: readonly string[];
  readonly json: { readonly allowed: boolean; readonly [key: string]: unknown };
}

function checkTopic({ acl }: House, client: AclClient, action: 'publish' | 'receive', topic: string): Answer {
  requireTopicName(topic);
  if (acl === null) return withoutAcl();
  const decision = explain(acl, client, action, topic);
  const reason = reasonText(decision, acl);
  return {
    lines: [`${decision.allowed ? 'allowed' : 'denied'}: ${reason}`],
    json: { allowed: decision.allowed, reason, rule: ruleJson(decision.rule, acl) },
  };
}

/** A subscription is never refused; what can be told is which rules let something through. */
function checkSubscribe({ acl }: House, client: AclClient, topicFilter: string): Answer {
  const isValid = isSharedFilter(topicFilter) ? parseSharedFilter(topicFilter) !== null : isTopicFilter(topicFilter);
  if (!isValid)
    throw failure(`Cannot check "${topicFilter}": it is not a topic filter - + and # stand alone between slashes, and # at the end`);
  if (acl === null) return withoutAcl();
  const rules = whatArrives(acl, client, topicFilter);
  const arrives = rules.some(({ access }) => access !== 'deny');
  const summary = arrives
    ? 'SUBSCRIBE is always accepted; a message arrives when the first of these rules that matches its topic is not a deny'
    : 'SUBSCRIBE is always accepted, but nothing will arrive: no rule lets this client read any of it';
  return {
    lines: [`allowed: ${summary}`, ...rules.map((rule) => `  ${ruleText(rule, acl)}`)],
    json: { allowed: true, reason: summary, arrives, rules: rules.map((rule) => ruleJson(rule, acl)) },
  };
}

function withoutAcl(): Answer {
  const reason = 'there is no acl_file, so every client may read and write every topic';
  return { lines: [`allowed: ${reason}`], json: { allowed: true, reason, rule: null } };
}

function who(invocation: Invocation, [topic, surplus]: readonly string[]): number {
  const { flags, terminal, program } = invocation;
  if (topic === undefined) throw failure(`Which topic? Use '${program} who TOPIC'.`);
  if (surplus !== undefined) throw failure(`Unknown word '${surplus}': who takes one topic.`);
  requireTopicName(topic);
  const house = readHouse(invocation);
  const { acl, accounts } = house;
  if (acl === null) {
    if (flags.has('json')) writeJson(terminal, { topic, everybody: true, people: [] });
    else terminal.stdout.write('Everybody who may connect: there is no acl_file.\n');
    return ALLOWED;
  }
  const people = whoMay(acl, topic, accounts).map((person) => ({
    ...person,
    notes: person.who === 'any other user' ? [] : notesOn(house, person),
  }));
  if (flags.has('json')) {
    const rows = people.map(({ who, username, clientId, read, write, notes }) => {
      return { who, user: username, client: clientId, read: decisionJson(read, acl), write: decisionJson(write, acl), notes };
    });
    writeJson(terminal, { topic, everybody: false, people: rows });
  } else if (people.length === 0) {
    terminal.stdout.write(`Nobody may read or write ${topic}.\n`);
  } else {
    const rows = people.map(({ who, username, clientId, read, write, notes }) => {
      const note = notes.length > 0 ? `  (${notes.join('; ')})` : '';
      return [username ?? `(${who})`, clientId ?? '(any)', place(read), `${place(write)}${note}`];
    });
    writeTable(terminal, [['USER', 'CLIENT ID', 'READ', 'WRITE'], ...rows]);
    terminal.stdout.write(`Lines are those of ${acl.file.path}.\n`);
  }
  return people.length > 0 ? ALLOWED : DENIED;
}

function readHouse({ flags, program }: Invocation): House {
  const [aclFile, file] = [last(flags, 'acl'), last(flags, 'config-file')];
  if (aclFile === null && file === null) throw failure(`Which rules? Use '${program} ... -c FILE' or '--acl FILE'.`);
  try {
    if (file === null)
      return { acl: aclFile === null ? null : new AclAuthorizer(readAclFile(aclFile)), accounts: null, allowsAnonymous: null };
    return houseOf(file, aclFile, last(flags, 'listener'));
  } catch (error) {
    throw error instanceof OperatorError ? new OperatorError(error.message, { exitCode: UNKNOWN, cause: error }) : error;
  }
}

function houseOf(file: string, aclFile: string | null, wanted: string | null): House {
  const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
  if (configuration === null) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    throw new OperatorError(errors.map(formatDiagnostic).join('\n'));
  }
  const { access } = configuration;
  const listeners = listenersMeant(configuration, wanted);
  const { account } = access;
  const { passwordFile, aclFile: ownAclFile } = filesOf(access, listeners[0]!.policy.name); // never none
  const path = aclFile ?? ownAclFile;
  const users = passwordFile === null ? [] : readPasswordFile(passwordFile).keys();
  const namesAreFree = listeners.some(({ tls, policy }) => (tls !== null && tls.identity !== 'none') || policy.allowAnonymous);
  return {
    acl: path === null ? null : new AclAuthorizer(readAclFile(path)),
    accounts:
      namesAreFree && account === null && passwordFile === null ? null : [...(account === null ? [] : [account.username]), ...users],
    allowsAnonymous: listeners.some(({ policy }) => policy.allowAnonymous),
  };
}

/** The listeners whose clients the question is about: all, unless each has its own rules. */
function listenersMeant({ access, listeners }: Configuration, wanted: string | null): readonly ListenerOptions[] {
  const meant = listeners.filter(({ policy }) => wanted === null || policy.name === wanted || `${policy.port}` === wanted);
  const isOne = access.listeners === null || meant.length === 1;
  if (meant.length > 0 && isOne) return meant;
  const names = listeners.map(({ policy }) => `--listener "${policy.name}"`).join(', ');
  throw failure(wanted === null ? `Which listener? Each has its own rules here: ${names}.` : `Unknown listener '${wanted}': use ${names}.`);
}

/** notesOn tells what the rules leave out: whether such a client can connect at all. */
function notesOn({ accounts, allowsAnonymous }: House, { username }: AclClient): string[] {
  if (username === null) return allowsAnonymous === false ? ['no listener lets clients in without a user name'] : [];
  return accounts === null || accounts.includes(username) ? [] : [`user "${username}" has no account`];
}

function reasonText({ reason, rule }: AclDecision, acl: AclAuthorizer): string {
  if (rule !== null) return ruleText(rule, acl);
  if (reason === 'reserved topic') return 'nobody but the broker itself writes there';
  if (reason === 'special name') return `a user name or client id with + or # gets nothing by the patterns of ${acl.file.path}`;
  return `no rule of ${acl.file.path} matches`;
}

function ruleText({ line, kind, access, filter }: AclRule, { file }: AclAuthorizer): string {
  return `${file.path}:${line}: ${kind} ${access} ${filter}`;
}

function ruleJson(rule: AclRule | null, acl: AclAuthorizer): object | null {
  return rule === null ? null : { file: acl.file.path, ...rule };
}

function decisionJson(decision: AclDecision, acl: AclAuthorizer): object {
  return { allowed: decision.allowed, reason: reasonText(decision, acl), rule: ruleJson(decision.rule, acl) };
}

function place({ allowed, rule }: AclDecision): string {
  return allowed ? `line ${rule?.line}` : '-';
}

function requireTopicName(topic: string): void {
  if (isTopicName(topic)) return;
  throw failure(`Cannot check "${topic}": it is not a topic name - leave + and # out, or use: midge acl check subscribe`);
}

function writeJson({ stdout }: Terminal, value: object): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

function last(flags: Invocation['flags'], name: string): string | null {
  return flags.get(name)?.at(-1) ?? null;
}

function failure(message: string): OperatorError {
  return new OperatorError(`Error: ${message}`, { exitCode: UNKNOWN });
}
