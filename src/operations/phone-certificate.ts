// The certificate of a phone's own, where the listener for phones has require_certificate true.

import { existsSync } from 'node:fs';
import { makePassword } from '../access/first-account.ts';
import type { PhoneCertificate } from '../phones/owntracks.ts';
import { accountOf, protocolOf } from '../phones/phone.ts';
import type { Phone } from '../phones/phone-book.ts';
import { registerOf } from './certificates.ts';
import type { OperationNeeds } from './needs.ts';
import { phoneListener } from './phone-address.ts';

/** giveCertificate issues one for a phone, in place of those that it had; null = its listener asks for none. */
export async function giveCertificate(needs: OperationNeeds, phone: Phone): Promise<PhoneCertificate | null> {
  if (!phoneListener(needs, protocolOf(phone)).wantsCertificate) return null;
  const register = await registerOf(needs);
  const account = accountOf(phone);
  const moment = { now: Date.now(), buildDate: needs.program.buildDate };
  const { certificate, key } = await register.issueForPhone(account, moment);
  await needs.certificates?.check();
  const { makePkcs12 } = await import('../certificates/pkcs12.ts');
  const passphrase = makePassword();
  const contents = { key, cert: certificate.cert, authority: register.authority.cert, name: account };
  return { content: makePkcs12(contents, passphrase), passphrase };
}

/** revokeCertificates takes those of some accounts out of use, at once: also where no listener asks for them now, for one may do so again. */
export async function revokeCertificates(needs: OperationNeeds, accounts: readonly string[]): Promise<void> {
  const folder = needs.state.certificates;
  if (!existsSync(folder)) return;
  const { ClientRegister, hasIssued } = await import('../certificates/client-certificates.ts');
  if (!hasIssued(folder)) return;
  const register = await ClientRegister.open(folder);
  if ((await register.revokeOf(accounts, Date.now())) > 0) await needs.certificates?.check();
}
