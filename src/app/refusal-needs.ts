// What an explanation of a refusal needs of the other rooms.

import type { Access } from '../access/access.ts';
import { decisionText, explain, missingRule } from '../access/explain.ts';
import { filesOf } from '../access/options.ts';
import { shellWord } from '../base/shell-word.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Listener } from '../listeners/listeners.ts';
import { speaksHttp } from '../listeners/options.ts';
import type { AclVerdict, KnownAccount, RefusalNeeds } from '../refusals/needs.ts';

/** InForce is what the broker runs with. */
export interface InForce {
  readonly access: Pick<Access, 'knows' | 'isLocked' | 'authorizer' | 'dynamicStateOf'>;
  readonly configuration: Pick<Configuration, 'file' | 'access'>;
  readonly listeners: readonly Pick<Listener, 'options' | 'port'>[];
}

/** refusalNeeds looks at it each time: all of it changes with a reload. */
export function refusalNeeds(inForce: InForce): RefusalNeeds {
  return {
    openPorts: () => {
      const tcp = inForce.listeners.filter(({ options }) => options.unixPath === null);
      return tcp.flatMap(({ options: { protocol, tls }, port }) => (speaksHttp(protocol) ? [] : [{ port, protocol, isTls: tls !== null }]));
    },
    accountOf: (listener, username) => accountOf(inForce, listener, username),
    verdictOn: (...question) => verdictOn(inForce, ...question),
  };
}

function accountOf({ access, configuration }: InForce, listener: string, username: string): KnownAccount {
  const isInConfiguration = configuration.access.account?.username === username;
  return {
    isKnown: access.knows(listener, username),
    isLocked: access.isLocked(listener, username),
    passwordIn: isInConfiguration ? (configuration.file ?? 'the configuration') : null,
    passwordFile: filesOf(configuration.access, listener).passwordFile,
    dynamic: access.dynamicStateOf(username),
  };
}

type Question = Parameters<RefusalNeeds['verdictOn']>;

function decisionOn({ access }: Pick<InForce, 'access'>, ...[listener, client, topicName]: Question) {
  return explain(access.authorizer, { ...client, listener }, 'publish', topicName);
}

function verdictOn(inForce: InForce, ...question: Question): AclVerdict {
  const decision = decisionOn(inForce, ...question);
  const [, client, topicName] = question;
  switch (decision.reason) {
    case 'rule': {
      const { line, kind, access: right, filter } = decision.rule;
      return { what: 'rule', file: decision.file, line, rule: `${kind} ${right} ${filter}` };
    }
    case 'special name':
      return { what: 'special name', file: decision.file };
    case 'no rule':
      return { what: 'no rule', file: decision.file, missingRule: missingRule(client, 'write', topicName) };
    case 'role':
    case 'default':
    case 'no default':
    case 'unknown user':
      return { what: 'roles', why: decisionText(decision), command: decision.reason === 'role' ? null : roleCommand(topicName) };
    default:
      return { what: 'reserved topic' };
  }
}

/** mayPublish asks the rules of now. */
export function mayPublish(inForce: Pick<InForce, 'access'>, ...question: Question): boolean {
  return decisionOn(inForce, ...question).allowed;
}

/** letsIn asks the accounts of now. */
export function letsIn({ access }: Pick<InForce, 'access'>, listener: string, username: string): boolean {
  return !access.isLocked(listener, username) && access.dynamicStateOf(username) !== 'disabled';
}

/** roleCommand would let a role publish to a topic; whose role it is must be told. */
function roleCommand(topicName: string): string {
  return `midge ctrl dynsec addRoleACL ROLE publishClientSend ${shellWord(topicName)} allow`;
}
