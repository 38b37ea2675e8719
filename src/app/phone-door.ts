// What the pages of phones get of the running broker.

import type { PhoneDoor } from '../api/ports.ts';
import type { OperationNeeds } from '../operations/needs.ts';
import { phoneAddress } from '../operations/phone-address.ts';
import { giveCertificate } from '../operations/phone-certificate.ts';
import { givePassword } from '../operations/phone-files.ts';
import { phoneState } from '../operations/phones.ts';
import { protocolOf } from '../phones/phone.ts';
import type { PhoneWatch } from './phone-watch.ts';

/** phoneDoor lets phones in; `needs` are what the operations get. */
export function phoneDoor(phones: PhoneWatch, needs: () => OperationNeeds): PhoneDoor {
  return {
    book: phones.book,
    visited: (phone, address) => phones.visited(phone, address),
    authority() {
      const { certificates, listeners } = needs();
      const isOurs = listeners.some(({ protocol, certificate }) => protocol !== 'websockets' && certificate === 'ours');
      return certificates === null || !isOurs ? null : certificates.authority().cert;
    },
    async signIn(phone) {
      const asked = needs();
      const broker = phoneAddress(asked, { host: phone.host, protocol: protocolOf(phone) });
      const certificate = await giveCertificate(asked, phone);
      return { broker, password: await givePassword(asked, phone), certificate };
    },
    state: (phone) => phoneState(needs(), phone),
  };
}
