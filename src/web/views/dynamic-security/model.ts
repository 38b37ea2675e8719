// Dynamic security as the page gets it, and the words for what an ACL is about.

import type { Answer } from '../../api/answer.ts';
import { type Key, t } from '../../i18n.ts';

export type Model = NonNullable<Answer<'/api/v1/dynamic-security'>['model']> & { readonly revision: string };
export type Client = Model['clients']['items'][number];
export type Group = Model['groups'][number];
export type Role = Model['roles'][number];
export type Acl = Role['acls'][number];
export type AclType = Acl['type'];
export type DefaultType = keyof Model['defaults'];

/** ACL_WORDS in the order in which they are offered. */
export const ACL_WORDS: Readonly<Record<AclType, Key>> = {
  publishClientSend: 'dynamic.acl.send',
  publishClientReceive: 'dynamic.acl.receive',
  subscribePattern: 'dynamic.acl.subscribePattern',
  subscribeLiteral: 'dynamic.acl.subscribeLiteral',
  unsubscribePattern: 'dynamic.acl.unsubscribePattern',
  unsubscribeLiteral: 'dynamic.acl.unsubscribeLiteral',
};

/** aclWords says what an ACL is about: "allowed to publish to". */
export function aclWords({ type, allow }: Pick<Acl, 'type' | 'allow'>): string {
  return t('dynamic.aclLine', { verdict: t(allow ? 'dynamic.allow' : 'dynamic.deny'), what: t(ACL_WORDS[type]) });
}

/** DEFAULT_WORDS say what a default is about. */
export const DEFAULT_WORDS: Readonly<Record<DefaultType, Key>> = {
  publishClientSend: 'dynamic.default.send',
  publishClientReceive: 'dynamic.default.receive',
  subscribe: 'dynamic.default.subscribe',
  unsubscribe: 'dynamic.default.unsubscribe',
};

type Link = Client['roles'][number];

/** linksTo gives links to the names that are chosen; those that there were before keep their priority. */
export function linksTo(chosen: readonly string[], before: readonly Link[]): Link[] {
  return chosen.map((name) => before.find((each) => each.name === name) ?? { name, priority: null });
}

/** namesOf gives the names of links, or of other things that have one. */
export function namesOf(links: readonly { readonly name: string }[]): string[] {
  return links.map(({ name }) => name);
}
