// What people do with their own phones, and the owner of the box with all: messages in the name of a phone that was set up here.

import { accountOf, type PhoneName, protocolOf, topicOf, usesOwnTracks } from '../phones/phone.ts';
import type { Phone } from '../phones/phone-book.ts';
import type { OperationNeeds } from './needs.ts';
import { type Asker, OperationFailure } from './operation.ts';
import { listenerNameFor } from './phone-files.ts';
import { publish } from './publish.ts';
import { includesRight } from './right.ts';

/** checkOwn gives a phone with OwnTracks that was set up here. Throws OperationFailure where there is none, or it is of somebody else and the asker no admin. */
export function checkOwn({ phones }: OperationNeeds, name: PhoneName, asker: Asker): Phone {
  checkPerson(name.person, asker);
  const phone = phones?.book.find(accountOf(name)) ?? null;
  if (phone !== null && usesOwnTracks(phone)) return phone;
  throw new OperationFailure(
    'not found',
    `Cannot find phone "${accountOf(name)}" with OwnTracks: midge phone list shows those that there are`,
  );
}

/** checkPerson throws OperationFailure where the asker is neither that person nor an admin. */
export function checkPerson(person: string, asker: Asker): void {
  if (includesRight(asker.right, 'admin') || asker.username === person) return;
  throw new OperationFailure('not allowed', `Cannot change the phones of "${person}": that needs the right "admin"`);
}

/** Own is a message of a phone; `end` comes behind its topic. */
export interface Own {
  readonly end: string;
  readonly payload: string;
  readonly retain: boolean;
}

/** publishAsPhone publishes by the account and rules of the phone. Throws OperationFailure. */
export async function publishAsPhone(needs: OperationNeeds, phone: Phone, { end, payload, retain }: Own): Promise<void> {
  const username = accountOf(phone);
  const listener = listenerNameFor(needs, protocolOf(phone));
  const message = { topic: topicOf(phone) + end, payload, encoding: 'utf8', qos: 1, retain, listener } as const;
  await publish(needs, message, { name: username, right: 'operator', username });
}
