// What the pages of phones get of the running broker.

import type { PhoneDoor } from '../api/ports.ts';
import type { OperationNeeds } from '../operations/needs.ts';
import { phoneAddress } from '../operations/phone-address.ts';
import { giveCertificate } from '../operations/phone-certificate.ts';
import { givePassword } from '../operations/phone-files.ts';
import { phoneState } from '../operations/phones.ts';
import type { SignIn } from '../phones/owntracks.ts';
import { protocolOf } from '../phones/phone.ts';
import type { Phone } from '../phones/phone-book.ts';
import type { PhoneWatch } from './phone-watch.ts';

/** phoneDoor lets phones in; `needs` are what the operations get. */
export function phoneDoor(phones: PhoneWatch, needs: () => OperationNeeds): PhoneDoor {
  let latest: Promise<unknown> = Promise.resolve();
  return {
    book: phones.book,
    visited: (phone, address) => phones.visited(phone, address),
    authority() {
      const { certificates, listeners } = needs();
      const isOurs = listeners.some(({ protocol, certificate }) => protocol !== 'websockets' && certificate === 'ours');
      return certificates === null || !isOurs ? null : certificates.authority().cert;
    },
    // One after the other: of two at once neither would revoke the certificate of the other.
    signIn(phone) {
      const made = latest.then(() => makeSignIn(needs(), phone));
      latest = made.catch(() => {});
      return made;
    },
    state: (phone) => phoneState(needs(), phone),
  };
}

async function makeSignIn(needs: OperationNeeds, phone: Phone): Promise<SignIn> {
  const broker = phoneAddress(needs, { host: phone.host, protocol: protocolOf(phone) });
  const certificate = await giveCertificate(needs, phone);
  return { broker, password: await givePassword(needs, phone), certificate };
}
