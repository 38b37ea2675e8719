// Door of the room: what the box does towards the Internet - a certificate that others trust, and a name that follows its address.

import { Resolver } from 'node:dns/promises';
import type { Clock } from '../base/clock.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { ChallengeAnswers } from './challenge-answers.ts';
import { DynamicDns, type DynamicDnsState } from './dynamic-dns.ts';
import type { InternetOptions } from './options.ts';
import { type PublicCertificate, type PublicCertificateState, PublicCertificates } from './public-certificate.ts';
import { externalAddress } from './router.ts';

export interface InternetSetup {
  readonly options: InternetOptions;
  /** Where account and certificate are kept. Absolute. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly buildDate: number;
  /** True where a listener of our own answers plain HTTP on this port. */
  showsAnswers(port: number): boolean;
  /** Called when there is another certificate. */
  changed(): void;
}

/** Internet is what one configuration asks for; `start` waits for nobody outside. */
export interface Internet extends Part {
  /** Null = none is wanted, or none has come yet. */
  readonly certificate: PublicCertificate | null;
  /** Null = not wanted. */
  readonly certificateState: PublicCertificateState | null;
  readonly dynamicDnsState: DynamicDnsState | null;
  /** answerTo gives what the authority asks for by plain HTTP at a path, or null. */
  answerTo(path: string): string | null;
}

/** createInternet prepares, without I/O. */
export function createInternet(setup: InternetSetup): Internet {
  const { options, clock, log } = setup;
  const answers = new ChallengeAnswers();
  const certificates = options.acme === null ? null : new PublicCertificates({ ...setup, options: options.acme, answers });
  const dynamic =
    options.dynamicDns === null ? null : new DynamicDns({ options: options.dynamicDns, clock, log, externalAddress, lookUp: addressesOf });
  return {
    name: 'Internet',
    start: async () => {
      await certificates?.start();
      await dynamic?.start();
    },
    stop: async () => {
      await certificates?.stop();
      await dynamic?.stop();
    },
    answerTo: (path) => answers.answerTo(path),
    get certificate() {
      return certificates?.current ?? null;
    },
    get certificateState() {
      return certificates?.state() ?? null;
    },
    get dynamicDnsState() {
      return dynamic?.state() ?? null;
    },
  };
}

/** addressesOf asks the name servers of this machine for the addresses of a name, not its hosts file; none = they know none. */
export async function addressesOf(name: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  return [four, six].flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
}
