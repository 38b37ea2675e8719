// Who sees where a phone is: whoever may read its topic by the rules for MQTT, and nobody else, whatever its right.

import { accountOf } from '../phones/phone.ts';
import type { OperationNeeds } from './needs.ts';
import type { Asker } from './operation.ts';

/** Rules with `%c` give nothing to it. */
const CLIENT_ID = 'midge-operations';

/** MayRead tells it of one topic. */
export type MayRead = (topicName: string) => boolean;

/**
 * mayReadOf gives what an asker may read: by its own account, and by those of the phones of the person of this name. A program that could read the
 * database may read all, and a token nothing: it is no person.
 */
export function mayReadOf({ broker, phones, listeners }: Pick<OperationNeeds, 'broker' | 'phones' | 'listeners'>, asker: Asker): MayRead {
  if (asker.isOfMachine === true) return () => true;
  const { username } = asker;
  if (username === undefined) return () => false;
  const listener = asker.listener ?? listeners[0]?.name ?? '';
  const own = phones?.book.list().filter(({ person }) => person === username) ?? [];
  const requesters = [username, ...own.map(accountOf)].map((each) => ({ clientId: CLIENT_ID, username: each, listener }));
  return (topicName) => requesters.some((requester) => broker.mayReceive(requester, topicName));
}
