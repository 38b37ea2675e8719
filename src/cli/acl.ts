// `midge acl`: may this client, by which line of which file; and who may.

import { AclAuthorizer } from '../access/acl.ts';
import { readAclFile } from '../access/acl-file.ts';
import { type AskedClient, type Decision, EVERYTHING, type ExplainedAuthorizer } from '../access/decision.ts';
import { canSignIn, type SecurityModel } from '../access/dynamic-security/model.ts';
import { RoleAuthorizer, UNKNOWN_USERS } from '../access/dynamic-security/rules.ts';
import { readSecurityFile } from '../access/dynamic-security/security-file.ts';
import { decisionText, explain, explainSubscription, ruleOf, whoMay } from '../access/explain.ts';
import { readFileRules } from '../access/file-rules.ts';
import { filesOf } from '../access/options.ts';
import { readPasswordFile } from '../access/password-file.ts';
import { OperatorError } from '../base/errors.ts';
import { formatDiagnostic } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import { isSharedFilter, isTopicFilter, isTopicName, parseSharedFilter } from '../mqtt/topics.ts';
import { asOwnerNow } from '../state/as-owner.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { loadAsOwner } from './configuration-file.ts';

const ALLOWED = 0;
const DENIED = 1;
const UNKNOWN = 2;

/** House is what the files say. */
interface House {
  /** null = the configuration has neither acl_file nor dynamic security. */
  readonly authorizer: ExplainedAuthorizer | null;
  /** What the file of dynamic security says, null = there is none. */
  readonly model: SecurityModel | null;
  /** Name of the listener whose clients are meant. */
  readonly listener: string;
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
  const house = readHouse(invocation);
  const client: AskedClient = { username: last(flags, 'user'), clientId: last(flags, 'client'), listener: house.listener };
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

function checkTopic({ authorizer }: House, client: AskedClient, action: 'publish' | 'receive', topic: string): Answer {
  requireTopicName(topic);
  const decision = explain(authorizer, client, action, topic);
  return { lines: [verdictLine(decision)], json: decisionJson(decision) };
}

/** An ACL file never refuses a subscription; what can be told is which rules let something through. */
function checkSubscribe({ authorizer }: House, client: AskedClient, topicFilter: string): Answer {
  const isValid = isSharedFilter(topicFilter) ? parseSharedFilter(topicFilter) !== null : isTopicFilter(topicFilter);
  if (!isValid)
    throw failure(`Cannot check "${topicFilter}": it is not a topic filter - + and # stand alone between slashes, and # at the end`);
  const { decision, arrives, decisions } = explainSubscription(authorizer, client, topicFilter);
  if (!decision.allowed || decision.reason === 'no rules at all') return { lines: [verdictLine(decision)], json: decisionJson(decision) };
  const arriving = arrives
    ? 'a message arrives when the first of these rules that matches its topic is not a deny'
    : 'nothing will arrive: no rule lets this client read any of it';
  const summary = `${decisionText(decision)}${arrives ? '; ' : ', but '}${arriving}`;
  return {
    lines: [`allowed: ${summary}`, ...decisions.map((each) => `  ${decisionText(each)}`)],
    json: { allowed: true, reason: summary, arrives, rules: decisions.map(ruleOf).filter((rule) => rule !== null) },
  };
}

function verdictLine(decision: Decision): string {
  return `${decision.allowed ? 'allowed' : 'denied'}: ${decisionText(decision)}`;
}

function who(invocation: Invocation, [topic, surplus]: readonly string[]): number {
  const { flags, terminal, program } = invocation;
  if (topic === undefined) throw failure(`Which topic? Use '${program} who TOPIC'.`);
  if (surplus !== undefined) throw failure(`Unknown word '${surplus}': who takes one topic.`);
  requireTopicName(topic);
  const house = readHouse(invocation);
  const { authorizer, accounts, listener } = house;
  const found = whoMay(authorizer, { listener, topicName: topic, accounts });
  if (found === null) {
    if (flags.has('json')) writeJson(terminal, { topic, everybody: true, people: [] });
    else terminal.stdout.write('Everybody who may connect: there is no acl_file.\n');
    return ALLOWED;
  }
  const people = found.map((person) => ({
    ...person,
    notes: person.who === 'any other user' ? [] : notesOn(house, { ...person, listener }),
  }));
  if (flags.has('json')) {
    const rows = people.map(({ who, username, clientId, read, write, notes }) => {
      return { who, user: username, client: clientId, read: decisionJson(read), write: decisionJson(write), notes };
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
    terminal.stdout.write(`${filesText(people.flatMap(({ read, write }) => [read, write]))}\n`);
  }
  return people.length > 0 ? ALLOWED : DENIED;
}

function readHouse({ flags, program }: Invocation): House {
  const [aclFile, file] = [last(flags, 'acl'), last(flags, 'config-file')];
  if (aclFile === null && file === null) throw failure(`Which rules? Use '${program} ... -c FILE' or '--acl FILE'.`);
  try {
    if (aclFile !== null && file === null)
      return { authorizer: aclRules(aclFile), model: null, listener: '', accounts: null, allowsAnonymous: null };
    return asOwnerNow(file!, () => houseOf(file!, aclFile, last(flags, 'listener'))); // one of both is there
  } catch (error) {
    throw error instanceof OperatorError ? new OperatorError(error.message, { exitCode: UNKNOWN, cause: error }) : error;
  }
}

function aclRules(path: string): AclAuthorizer {
  return new AclAuthorizer(readAclFile(path));
}

/** The rules are put together as the broker does it. */
function houseOf(file: string, aclFile: string | null, wanted: string | null): House {
  const { configuration, diagnostics } = loadAsOwner(file);
  if (configuration === null) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    throw new OperatorError(errors.map(formatDiagnostic).join('\n'));
  }
  const { access } = configuration;
  const { account, dynamicSecurity } = access;
  const listeners = listenersMeant(configuration, wanted);
  const listener = listeners[0]!.policy.name; // never none
  const model = dynamicSecurity === null ? null : readSecurityFile(dynamicSecurity.file);
  const files = aclFile === null ? readFileRules(access, model === null ? EVERYTHING : UNKNOWN_USERS).authorizer : aclRules(aclFile);
  const { passwordFile } = filesOf(access, listener);
  const named = [
    ...(account === null ? [] : [account.username]),
    ...(passwordFile === null ? [] : readPasswordFile(passwordFile).keys()),
    ...(model === null ? [] : Array.from(model.clients.values()).filter(canSignIn)).map(({ username }) => username),
  ];
  const namesAreFree = listeners.some(({ tls, policy }) => (tls !== null && tls.identity !== 'none') || policy.allowAnonymous);
  const isOpen = namesAreFree && account === null && passwordFile === null && model === null;
  return {
    authorizer: model === null || dynamicSecurity === null ? files : new RoleAuthorizer(model, dynamicSecurity.file, files),
    model,
    listener,
    accounts: isOpen ? null : named,
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
function notesOn({ accounts, allowsAnonymous, model }: House, { username, clientId }: AskedClient): string[] {
  if (username === null) return allowsAnonymous === false ? ['no listener lets clients in without a user name'] : [];
  const client = model?.clients.get(username);
  if (client === undefined) return accounts === null || accounts.includes(username) ? [] : [`user "${username}" has no account`];
  if (client.disabled) return [`client "${username}" is disabled`];
  if (client.password === null) return [`client "${username}" has no password`];
  const isOther = client.clientId !== null && clientId !== null && clientId !== client.clientId;
  return isOther ? [`client "${username}" must come with client id "${client.clientId}"`] : [];
}

function decisionJson(decision: Decision) {
  return { allowed: decision.allowed, reason: decisionText(decision), rule: ruleOf(decision) };
}

function place(decision: Decision): string {
  if (!decision.allowed) return '-';
  if (decision.reason === 'rule') return `line ${decision.rule.line}`;
  if (decision.reason === 'role') return `role ${decision.role}${decision.group === null ? '' : ` (group ${decision.group})`}`;
  return 'default';
}

function filesText(decisions: readonly Decision[]): string {
  const files = (what: string, reasons: readonly Decision['reason'][]) => {
    const found = decisions.flatMap((each) => (each.allowed && 'file' in each && reasons.includes(each.reason) ? [each.file] : []));
    return [...new Set(found)].map((file) => `${what} are those of ${file}.`);
  };
  return [...files('Lines', ['rule']), ...files('Roles and defaults', ['role', 'default'])].join('\n');
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
