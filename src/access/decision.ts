// What a verdict comes from: the authorizers decide by these values, so that an explanation is the decision itself.

import type { Authorizer, Requester } from '../broker/ports.ts';
import type { AclRule } from './acl-file.ts';
import type { DefaultType, RoleAcl } from './dynamic-security/model.ts';

/** AskedClient is who is asked about: null for a user name = none given; null for a client id = any, so that rules with `%c` don't count. */
export type AskedClient = Pick<Requester, 'username' | 'listener'> & { readonly clientId: string | null };

/** Action that can be allowed. `topic` is a topic name, for 'subscribe' a topic filter. */
export type Action = 'publish' | 'receive' | 'subscribe';

/** Decision is one verdict and where it comes from. */
export type Decision = { readonly allowed: boolean } & (
  | { readonly reason: 'rule'; readonly file: string; readonly rule: AclRule }
  /** 'special name' = a `+` or `#` in user name or client id. */
  | { readonly reason: 'no rule' | 'special name'; readonly file: string }
  /** `group` is the one by which the client has the role, null = itself. */
  | { readonly reason: 'role'; readonly file: string; readonly role: string; readonly group: string | null; readonly acl: RoleAcl }
  | { readonly reason: 'no wildcards'; readonly file: string; readonly role: string; readonly group: string | null }
  /** No ACL of the client's roles matches. */
  | { readonly reason: 'default'; readonly file: string; readonly type: DefaultType }
  | { readonly reason: 'no default'; readonly file: string }
  /** Dynamic security does not know the user, and there is no ACL file. */
  | { readonly reason: 'unknown user' }
  /** The broker alone writes there. */
  | { readonly reason: 'reserved topic' }
  /** An ACL file decides message by message. */
  | { readonly reason: 'always accepted'; readonly file: string }
  | { readonly reason: 'no rules at all' }
  | { readonly reason: 'listener gone' }
);

/** Arriving are the decisions that concern some topic of a subscription, in the order they are asked: the first that matches a message decides about it. */
export interface Arriving {
  readonly decisions: readonly Decision[];
  /** Some message may arrive. */
  readonly arrives: boolean;
}

/** Names for which rules say something about a topic name: users, and client ids by patterns with `%c`. */
export interface ConcernedNames {
  readonly usernames: readonly string[];
  readonly clientIds: readonly string[];
  /** Filters that match the topic name and may be subscribed to only as they stand. */
  readonly literalFilters: readonly string[];
}

/** ExplainedAuthorizer answers the engine, and people. */
export interface ExplainedAuthorizer extends Authorizer {
  explain(client: AskedClient, action: Action, topic: string): Decision;
  arriving(client: AskedClient, topicFilter: string): Arriving;
  namesAbout(listener: string, topicName: string): ConcernedNames;
}

/** NO_NAMES where nothing is said about anybody. */
export const NO_NAMES: ConcernedNames = { usernames: [], clientIds: [], literalFilters: [] };

/** constantAuthorizer decides everything alike. */
export function constantAuthorizer(decision: Decision): ExplainedAuthorizer {
  const { allowed } = decision;
  return {
    mayPublish: () => allowed,
    mayReceive: () => allowed,
    maySubscribe: () => allowed,
    explain: () => decision,
    arriving: () => ({ decisions: [], arrives: allowed }),
    namesAbout: () => NO_NAMES,
  };
}

/** EVERYTHING is allowed where there are no rules. */
export const EVERYTHING: ExplainedAuthorizer = constantAuthorizer({ allowed: true, reason: 'no rules at all' });
