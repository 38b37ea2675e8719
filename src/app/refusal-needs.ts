// What an explanation of a refusal needs of the other rooms.

import type { Access } from '../access/access.ts';
import { explain, missingRule } from '../access/acl-explain.ts';
import { filesOf } from '../access/options.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Listener } from '../listeners/listeners.ts';
import type { AclVerdict, KnownAccount, RefusalNeeds } from '../refusals/needs.ts';

/** InForce is what the broker runs with. */
export interface InForce {
  readonly access: Pick<Access, 'knows' | 'aclOf'>;
  readonly configuration: Pick<Configuration, 'file' | 'access'>;
  readonly listeners: readonly Pick<Listener, 'options' | 'port'>[];
}

/** refusalNeeds looks at it each time: all of it changes with a reload. */
export function refusalNeeds(inForce: InForce): RefusalNeeds {
  return {
    openPorts: () => {
      const tcp = inForce.listeners.filter(({ options }) => options.unixPath === null);
      return tcp.flatMap(({ options: { protocol, tls }, port }) => (protocol === 'http' ? [] : [{ port, protocol, isTls: tls !== null }]));
    },
    accountOf: (listener, username) => accountOf(inForce, listener, username),
    verdictOn: (listener, client, topicName) => verdictOn(inForce, listener, client, topicName),
  };
}

function accountOf({ access, configuration }: InForce, listener: string, username: string): KnownAccount {
  const isInConfiguration = configuration.access.account?.username === username;
  return {
    isKnown: access.knows(listener, username),
    passwordIn: isInConfiguration ? (configuration.file ?? 'the configuration') : null,
    passwordFile: filesOf(configuration.access, listener).passwordFile,
  };
}

function verdictOn({ access }: InForce, listener: string, client: Parameters<RefusalNeeds['verdictOn']>[1], topicName: string): AclVerdict {
  const acl = access.aclOf(listener);
  if (acl === null) return { what: 'reserved topic' };
  const { reason, rule } = explain(acl, client, 'publish', topicName);
  const file = acl.file.path;
  if (rule !== null) return { what: 'rule', file, line: rule.line, rule: `${rule.kind} ${rule.access} ${rule.filter}` };
  if (reason === 'special name') return { what: reason, file };
  return reason === 'reserved topic' ? { what: reason } : { what: 'no rule', file, missingRule: missingRule(client, 'write', topicName) };
}
