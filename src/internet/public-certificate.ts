// A certificate that phones trust without more: ordered by ACME (RFC 8555) when there is none that fits, and again before it ends.

import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { makeFolders, replaceSecret } from '../base/durable-file.ts';
import { reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { readNamedTextIfThere } from '../base/named-file.ts';
import type { Ordered } from './acme-order.ts';
import { type ChallengeAnswers, serveAnswers } from './challenge-answers.ts';
import type { AcmeOptions } from './options.ts';

const LOOK_MS = 60_000;
const HOUR_MS = 3_600_000;
/** After a failure; Let's Encrypt counts five failures of a name in an hour. It doubles with each further one. */
const FIRST_WAIT_MS = 15 * 60_000;
const LONGEST_WAIT_MS = 24 * HOUR_MS;
/** Part of its life that a certificate has left when the next one is ordered. */
const LAST_PART = 1 / 3;

/** PublicCertificate is ready for `tls.createSecureContext`. */
export interface PublicCertificate {
  readonly names: readonly string[];
  /** PEM: the certificate, then those above it. */
  readonly cert: string;
  /** PEM. Secret. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** PublicCertificateState is what is told of it. */
export interface PublicCertificateState {
  readonly names: readonly string[];
  readonly directory: string;
  /** Milliseconds since 1970; null = there is none. */
  readonly expires: number | null;
  /** Why the last order failed; null = it did not. */
  readonly fault: string | null;
  /** When the next order is tried at the earliest, milliseconds since 1970; null = none is needed now. */
  readonly nextTry: number | null;
}

export interface PublicCertificateSetup {
  readonly options: AcmeOptions;
  /** Where account, certificate and its key are kept, for their owner only. Absolute. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** No right clock is earlier: milliseconds since 1970. */
  readonly buildDate: number;
  readonly answers: ChallengeAnswers;
  /** True where a listener of our own shows the answers on this port. */
  showsAnswers(port: number): boolean;
  /** Called when there is another certificate. */
  changed(): void;
}

/** Attempts outlive the process, so that a broker that is started again and again is not refused by the authority. */
interface Attempts {
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** PublicCertificates has one certificate, for all the names. */
export class PublicCertificates implements Part {
  readonly name = 'public certificate';
  readonly #setup: PublicCertificateSetup;
  #certificate: PublicCertificate | null = null;
  #attempts: Attempts = { failures: 0, at: 0 };
  #fault: string | null = null;
  #ordering: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(setup: PublicCertificateSetup) {
    this.#setup = setup;
  }

  /** current is null while there is none. */
  get current(): PublicCertificate | null {
    return this.#certificate;
  }

  state(): PublicCertificateState {
    const { names, directory } = this.#setup.options;
    const expires = this.#certificate?.expires ?? null;
    return { names, directory, expires, fault: this.#fault, nextTry: this.#isDue() ? this.#nextTry() : null };
  }

  /** The broker does not wait for the authority. */
  async start(): Promise<void> {
    const { folder, options } = this.#setup;
    makeFolders(folder, 0o700);
    this.#certificate = readStored(folder, options.names);
    this.#attempts = readAttempts(folder);
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref();
    setImmediate(() => this.look());
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** look orders a certificate if it is time to. */
  look(): void {
    if (this.#timer === null || this.#ordering !== null || !this.#isDue() || this.#setup.clock.now() < this.#nextTry()) return;
    this.#ordering = this.#order().finally(() => {
      this.#ordering = null;
    });
  }

  #isDue(): boolean {
    if (this.#certificate === null) return true;
    const { validFromDate, validToDate } = new X509Certificate(this.#certificate.cert);
    const life = validToDate.getTime() - validFromDate.getTime();
    return validToDate.getTime() - this.#setup.clock.now() < life * LAST_PART;
  }

  /** A clock that is certainly wrong would be told that certificates are not valid yet. */
  #nextTry(): number {
    const { failures, at } = this.#attempts;
    const wait = failures === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
    return Math.max(this.#setup.buildDate, Math.min(at, this.#setup.clock.now()) + wait);
  }

  async #order(): Promise<void> {
    const { options, log, clock, folder } = this.#setup;
    log.log('notice', `Orders a certificate for ${options.names.join(', ')} from ${options.directory}.`);
    try {
      const ordered = await this.#whileShowing(async () => {
        const accountKey = await this.#accountKey();
        const { orderCertificate } = await import('./acme-order.ts');
        return orderCertificate({ options, accountKey, answers: this.#setup.answers, terms: (url) => this.#sayTerms(url) });
      });
      this.#keep(ordered);
    } catch (error) {
      this.#fault = reasonOf(error);
      this.#attempts = { failures: this.#attempts.failures + 1, at: clock.now() };
      writeAttempts(folder, this.#attempts, log);
      const next = new Date(this.#nextTry()).toISOString().slice(0, 16).replace('T', ' ');
      const meanwhile = this.#certificate === null ? "Clients are shown midge's own certificate" : 'The old one stays in use';
      log.log(
        'error',
        `Error: Cannot get a certificate for ${options.names.join(', ')}: ${this.#fault}. ${meanwhile}; the next try is at ${next} UTC.`,
      );
    }
  }

  async #whileShowing<T>(work: () => Promise<T>): Promise<T> {
    const { options, answers, showsAnswers } = this.#setup;
    const { challenge } = options;
    if (challenge.type === 'dns' || showsAnswers(challenge.port)) return work();
    const close = await serveAnswers(answers, challenge.port);
    try {
      return await work();
    } finally {
      close();
    }
  }

  #keep({ cert, key }: Ordered): void {
    const { folder, options, log, changed } = this.#setup;
    replaceSecret(join(folder, 'certificate.pem'), `${cert.trim()}\n${key.trim()}\n`);
    this.#certificate = readStored(folder, options.names);
    if (this.#certificate === null) throw new Error('the certificate that came is not for these names');
    this.#fault = null;
    this.#attempts = { failures: 0, at: 0 };
    writeAttempts(folder, this.#attempts, log);
    const until = new Date(this.#certificate.expires).toISOString().slice(0, 10);
    log.log('notice', `Got a certificate for ${options.names.join(', ')}, valid until ${until}.`);
    changed();
  }

  /** One for each authority, so that a test at another one does not cost the account. */
  async #accountKey(): Promise<string> {
    const { folder, options } = this.#setup;
    const path = join(folder, `account-${new URL(options.directory).host.replaceAll(/[^a-z0-9.-]/gi, '_')}.key`);
    const stored = readNamedTextIfThere(path);
    if (stored !== null) return stored;
    const { makeAccountKey } = await import('./acme-order.ts');
    const made = await makeAccountKey();
    replaceSecret(path, made);
    return made;
  }

  #sayTerms(url: string): void {
    this.#setup.log.log('information', `To order a certificate is to agree to the terms of service: ${url}`);
  }
}

/** The certificate and its key are one file, so that they always fit. Null = there is none for these names. */
function readStored(folder: string, names: readonly string[]): PublicCertificate | null {
  const text = readNamedTextIfThere(join(folder, 'certificate.pem'));
  if (text === null) return null;
  const at = text.search(/-----BEGIN (EC )?PRIVATE KEY-----/);
  try {
    const certificate = new X509Certificate(text.slice(0, at));
    const fits = names.every((name) => certificate.checkHost(name) !== undefined);
    return fits ? { names, cert: text.slice(0, at), key: text.slice(at), expires: certificate.validToDate.getTime() } : null;
  } catch {
    return null; // damaged: another one is ordered
  }
}

function readAttempts(folder: string): Attempts {
  try {
    const { failures, at }: Partial<Attempts> = JSON.parse(readNamedTextIfThere(join(folder, 'attempts.json')) ?? '{}');
    return typeof failures === 'number' && typeof at === 'number' ? { failures, at } : { failures: 0, at: 0 };
  } catch {
    return { failures: 0, at: 0 };
  }
}

function writeAttempts(folder: string, attempts: Attempts, log: Logger): void {
  const path = join(folder, 'attempts.json');
  try {
    replaceSecret(path, `${JSON.stringify(attempts)}\n`);
  } catch (error) {
    log.log('warning', `Warning: Cannot write "${path}": ${reasonOf(error)}.`);
  }
}
