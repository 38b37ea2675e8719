// The card of a person: the name and the picture by which others see the phones on their map.

import { z } from 'zod';
import { trackerIdOf } from '../phones/owntracks.ts';
import { type Card, MOST_FACE } from '../phones/owntracks-message.ts';
import { topicOf, usesOwnTracks } from '../phones/phone.ts';
import type { Phone } from '../phones/phone-book.ts';
import { PHONE_NAME } from './location-shapes.ts';
import type { OperationNeeds } from './needs.ts';
import { type Asker, badInput, OperationFailure, operation } from './operation.ts';
import { checkOwn, checkPerson, publishAsPhone } from './phone-own.ts';

/** How files of PNG and JPEG begin, in base64. */
const PICTURE = /^(iVBORw0KGgo|\/9j\/)[A-Za-z0-9+/]*={0,2}$/;

/** CHANGE_PHONE_CARD publishes it, retained, in the name of each phone: whoever may read the phone's card sees it. */
export const CHANGE_PHONE_CARD = operation({
  name: 'change phone card',
  kind: 'command',
  right: 'viewer',
  summary: "Choose the name and the picture of a person's phones on the map of others; those of others with the right admin.",
  input: z.strictObject({
    person: PHONE_NAME.person,
    device: PHONE_NAME.device.nullish().describe('none = all phones of the person'),
    name: z.string().max(100).optional().describe('empty = none; not given = as before'),
    picture: z
      .string()
      .max(MOST_FACE)
      .nullable()
      .optional()
      .describe('PNG or JPEG in base64, 48 KiB at most; null = none, not given = as before'),
  }),
  output: z.object({ changed: z.array(z.string()).describe('topics of the cards') }),
  run: async (needs, { person, device, name, picture }, asker) => {
    if (picture != null && !PICTURE.test(picture))
      throw badInput('picture', 'Cannot show the picture: it is neither PNG nor JPEG in base64');
    const phones = device == null ? phonesOf(needs, person, asker) : [checkOwn(needs, { person, device }, asker)];
    for (const phone of phones) {
      const before = needs.locations?.live.find(topicOf(phone))?.card ?? null;
      const card = {
        name: name === undefined ? (before?.name ?? null) : name || null,
        face: picture === undefined ? (before?.face ?? null) : picture,
      };
      await publishAsPhone(needs, phone, { end: '/info', payload: cardText(needs, phone, card), retain: true });
    }
    return { changed: phones.map((phone) => `${topicOf(phone)}/info`) };
  },
});

function phonesOf({ phones }: OperationNeeds, person: string, asker: Asker): readonly Phone[] {
  checkPerson(person, asker);
  const own = phones?.book.list().filter((each) => each.person === person && usesOwnTracks(each)) ?? [];
  if (own.length > 0) return own;
  throw new OperationFailure('not found', `Cannot find phone "${person}" with OwnTracks: midge phone list shows those that there are`);
}

/** An empty message takes the card away. Apps know a phone by its `tid` where no topic says it. */
function cardText({ locations }: OperationNeeds, phone: Phone, { name, face }: Card): string {
  if (name === null && face === null) return '';
  const tid = locations?.live.find(topicOf(phone))?.last?.tid ?? trackerIdOf(phone);
  return JSON.stringify({ _type: 'card', tid, ...(name === null ? {} : { name }), ...(face === null ? {} : { face }) });
}
