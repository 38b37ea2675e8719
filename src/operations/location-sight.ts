// Who sees where a phone is: never more than the rules for MQTT let read, and less for those who may read everything.

import type { Decision } from '../access/decision.ts';
import { explain } from '../access/explain.ts';
import { accountOf } from '../phones/phone.ts';
import type { OperationNeeds } from './needs.ts';
import type { Asker } from './operation.ts';

/** Rules with `%c` give nothing to it. */
const CLIENT_ID = 'midge-operations';

/** The first level of the topics of phones: a rule that shares them with somebody names it. */
const ROOT = /^owntracks(\/|$)/;

/** MayRead tells it of one topic. */
export type MayRead = (topicName: string) => boolean;

/** SightNeeds are what it is decided by. */
export type SightNeeds = Pick<OperationNeeds, 'access' | 'broker' | 'listeners' | 'phones'>;

/**
 * mayReadOf gives what an asker may read: by its own account, and by those of the phones of the person of this name. A rule for everything (`#`), as
 * the owner of a box has it, shows nobody on a map: the rule must name owntracks/. Where there are no rules, nothing is private. A program that could
 * read the database may read all, and a token nothing: it is no person.
 */
export function mayReadOf(needs: SightNeeds, asker: Asker): MayRead {
  if (asker.isOfMachine === true) return () => true;
  const { username } = asker;
  if (username === undefined) return () => false;
  const listener = asker.listener ?? needs.listeners[0]?.name ?? '';
  const own = needs.phones?.book.list().filter(({ person }) => person === username) ?? [];
  const readers = [username, ...own.map(accountOf)].map((each) => ({ clientId: CLIENT_ID, username: each, listener }));
  return (topicName) =>
    readers.some((reader) => needs.broker.mayReceive(reader, topicName) && isMeant(needs, { ...reader, clientId: null }, topicName));
}

/** maySeeOf gives the topics whose messages an asker may see as they are: all but those of phones, about which mayReadOf decides. */
export function maySeeOf(needs: () => SightNeeds, asker: Asker): MayRead {
  return (topicName) => !ROOT.test(topicName) || mayReadOf(needs(), asker)(topicName);
}

/** mayReadAs gives what a client of MQTT may read that signs in with an account. */
export function mayReadAs(
  { broker }: Pick<SightNeeds, 'broker'>,
  { username, listener }: { readonly username: string; readonly listener: string },
): MayRead {
  return (topicName) => broker.mayReceive({ clientId: CLIENT_ID, username, listener }, topicName);
}

function isMeant({ access }: SightNeeds, client: Parameters<typeof explain>[1], topicName: string): boolean {
  const { authorizer } = access;
  const decision = explain(authorizer, client, 'receive', topicName);
  if (decision.reason === 'no rules at all') return true;
  return [decision, ...(authorizer?.arriving(client, topicName).decisions ?? [])].some((each) => each.allowed && namesPhones(each));
}

function namesPhones(decision: Decision): boolean {
  if (decision.reason === 'rule') return ROOT.test(decision.rule.filter);
  return decision.reason === 'role' && ROOT.test(decision.acl.topicFilter);
}
