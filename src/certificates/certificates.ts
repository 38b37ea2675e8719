// The appliance's own certificates: one authority for its whole life, and a server certificate that always fits names, addresses and time.

import type { KeyObject } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../base/clock.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { type Authority, type AuthorityFiles, openAuthority, protectKey } from './authority.ts';
import { issueAuthority, keyToPem, makeKey } from './issue.ts';
import { machineLabel, serverNames } from './names.ts';
import type { CertificateOptions, MachineNames } from './options.ts';
import { Revocations } from './revocation-lists.ts';
import { addRevoked, REVOCATION_LIST, type RevokedSerials, readRevoked } from './revocation-records.ts';
import { issueLeaf, type Leaf, leafProblem, type Moment, openKey, readLeaf, saveLeaf } from './server-certificate.ts';
import { authorityDateProblem, authorityValidity, clockTrusted, day } from './validity.ts';

/** How often names, dates and clock are looked at; a look costs less than a millisecond. */
const CHECK_INTERVAL = 60_000;
/** At most so many server certificates are issued anew in so long (milliseconds). */
const ISSUES = 5;
const ISSUE_WINDOW = 1_800_000;
/** A difference of wall clock and monotonic clock that is worth a line in the log. */
const CLOCK_JUMP = 60_000;
/** How often an ending authority is talked about. */
const WARNING_INTERVAL = 7 * 86_400_000;

/** ServerCertificate is ready for `tls.createSecureContext`. */
export interface ServerCertificate {
  /** PEM: the server certificate, then its authority. */
  readonly cert: string;
  /** PEM, PKCS #8. Secret. */
  readonly key: string;
  /** End of validity in milliseconds since 1970-01-01 UTC. */
  readonly expires: number;
}

/** AuthorityCertificate is what devices must trust. */
export interface AuthorityCertificate {
  /** PEM. */
  readonly cert: string;
  /** SHA-256 of the certificate in hexadecimal, with colons. */
  readonly fingerprint: string;
  /** End of validity in milliseconds since 1970-01-01 UTC. */
  readonly expires: number;
}

export interface Certificates extends Part {
  /** server gives the certificate of this moment. After `start` only. */
  server(): ServerCertificate;
  /** authority gives the authority's certificate. After `start` only. */
  authority(): AuthorityCertificate;
  /** revocations tells which client certificates of the authority are revoked at this moment. After `start` only. */
  revocations(): Revocations;
  /** onChange calls the listener after each new server certificate, and after client certificates were revoked; the function it gives ends that. */
  onChange(listener: () => void): () => void;
  /** check looks at names, dates and clock now, and issues the server certificate anew where needed. Never throws. */
  check(): Promise<void>;
}

export interface CertificatesSetup {
  readonly options: CertificateOptions;
  readonly clock: Clock;
  readonly log: Logger;
  /** When the program was built, in milliseconds since 1970: no right clock is earlier. */
  readonly buildDate: number;
  readonly machine: () => MachineNames;
}

/**
 * createCertificates prepares, without I/O. Throws OperatorError for a bad name in `options.extraNames`; `start` does for an
 * authority that is incomplete or damaged and for a folder that cannot be used.
 */
export function createCertificates(setup: CertificatesSetup): Certificates {
  serverNames({ hostName: '', addresses: [] }, setup.options.extraNames);
  return new ApplianceCertificates(setup);
}

class ApplianceCertificates implements Certificates {
  readonly name = 'certificates';
  readonly #setup: CertificatesSetup;
  readonly #listeners = new Set<() => void>();
  #authority: Authority | null = null;
  #leaf: Leaf | null = null;
  #revoked: RevokedSerials = new Map();
  #watcher: FSWatcher | null = null;
  #server: ServerCertificate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #checking: Promise<void> | null = null;
  #clockOffset: number;
  #nextWarning = Number.NEGATIVE_INFINITY;
  #lastFailure = '';
  /** By the monotonic clock. */
  #issuedAt: number[] = [];

  constructor(setup: CertificatesSetup) {
    this.#setup = setup;
    this.#clockOffset = setup.clock.now() - setup.clock.monotonic();
  }

  async start(): Promise<void> {
    const { folder } = this.#setup.options;
    await makeFolder(folder);
    this.#authority = await openAuthority(folder, () => this.#makeAuthority());
    if (this.#authority.created) this.#sayNewAuthority();
    await this.#protect('ca.key');
    this.#revoked = await this.#readRevoked();
    const stored = await readLeaf(folder, this.#authority);
    if (stored.leaf === null) {
      await this.#issue(stored.problem);
    } else {
      await this.#protect('server.key');
      this.#use(stored.leaf);
    }
    await this.check();
    this.#timer = setInterval(() => void this.check(), CHECK_INTERVAL).unref();
    this.#watchRevocations();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#watcher?.close();
    await this.#checking;
  }

  server(): ServerCertificate {
    if (this.#server === null) throw new Error('certificates are not started');
    return this.#server;
  }

  authority(): AuthorityCertificate {
    if (this.#authority === null) throw new Error('certificates are not started');
    const { cert, certificate } = this.#authority;
    return { cert, fingerprint: certificate.fingerprint256, expires: certificate.validToDate.getTime() };
  }

  revocations(): Revocations {
    if (this.#authority === null) throw new Error('certificates are not started');
    return new Revocations([{ authority: this.#authority.certificate, revoked: this.#revoked, expires: null }]);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks follow each other, so that each sees what was there when it was asked for. */
  check(): Promise<void> {
    this.#checking = (this.#checking ?? Promise.resolve()).then(() => this.#look());
    return this.#checking;
  }

  /** `midge cert revoke` is another process: its file is the word. Where it can't be watched the minutely look finds it. */
  #watchRevocations(): void {
    try {
      this.#watcher = watch(this.#setup.options.folder, (_event, name) => {
        if (name === REVOCATION_LIST) void this.check();
      });
      this.#watcher.unref().on('error', () => {});
    } catch {
      this.#watcher = null;
    }
  }

  /** What was revoked once stays so whatever becomes of the files: they are put right. */
  async #readRevoked(): Promise<RevokedSerials> {
    const { folder } = this.#setup.options;
    const authority = this.#authority!; // start has opened it
    const { revoked, unlisted, unmarked } = await readRevoked(folder, authority.cert);
    const lost = [...this.#revoked.values()].filter(({ serial }) => !revoked.has(serial));
    if (lost.length + unlisted + unmarked === 0) return revoked;
    await addRevoked(folder, authority, lost).then(
      () => this.#sayMended(lost.length + unlisted),
      (error: unknown) => this.#sayFailure(`Cannot write revoked certificates "${join(folder, REVOCATION_LIST)}": ${reasonOf(error)}`),
    );
    return new Map([...revoked, ...this.#revoked]);
  }

  async #lookForRevocations(): Promise<void> {
    const before = this.#revoked;
    try {
      this.#revoked = await this.#readRevoked();
      const added = [...this.#revoked.keys()].filter((serial) => !before.has(serial));
      for (const serial of added) this.#setup.log.log('notice', `Client certificate ${serial} is revoked.`);
      if (added.length > 0) for (const listener of this.#listeners) listener();
    } catch (error) {
      this.#sayFailure(`${reasonOf(error)}; until then the certificates that were revoked before stay revoked`);
    }
  }

  #sayMended(lacking: number): void {
    if (lacking === 0) return; // an older midge has written the list only
    const path = join(this.#setup.options.folder, REVOCATION_LIST);
    this.#setup.log.log(
      'warning',
      `Wrote "${path}" again, because ${lacking} revoked certificates were missing from it. They stay revoked.`,
    );
  }

  async #look(): Promise<void> {
    if (this.#leaf === null) return;
    await this.#lookForRevocations();
    try {
      this.#noteClockJump();
      this.#warnOfAuthorityEnd();
      const problem = leafProblem(this.#leaf, this.#moment());
      if (problem !== null && this.#mayIssue()) await this.#issue(problem);
    } catch (error) {
      this.#sayFailure(`Cannot issue a new server certificate: ${reasonOf(error)} - the old one stays in use`);
    }
  }

  /** Another machine may give ours new names without end; what is late by that comes with a later look. */
  #mayIssue(): boolean {
    const now = this.#setup.clock.monotonic();
    this.#issuedAt = this.#issuedAt.filter((at) => at > now - ISSUE_WINDOW);
    if (this.#issuedAt.length < ISSUES) {
      this.#issuedAt.push(now);
      return true;
    }
    this.#sayFailure(
      `Names and addresses of this machine change too often: ${ISSUES} server certificates were issued within ${ISSUE_WINDOW / 60_000} minutes, the next one waits`,
    );
    return false;
  }

  #moment(): Moment {
    const { clock, buildDate, machine, options } = this.#setup;
    const names = machine();
    return { hostName: names.hostName, names: serverNames(names, options.extraNames), now: clock.now(), buildDate };
  }

  /** A certificate that cannot be kept is used all the same: it is as good as any until the program ends. */
  async #issue(reason: string): Promise<void> {
    const { options, log } = this.#setup;
    const moment = this.#moment();
    const key = this.#leaf?.key ?? (await this.#openKey());
    const leaf = await issueLeaf({ authority: this.#authority!, key, moment });
    log.log(
      'notice',
      `Issued a server certificate (${reason}), valid from ${day(leaf.validity.notBefore)} to ${day(leaf.validity.notAfter)}.`,
    );
    log.log('information', `The server certificate is for ${[...leaf.names.dns, ...leaf.names.ip].join(', ')}.`);
    await saveLeaf(options.folder, leaf).catch((error: unknown) => this.#sayUnsaved('server.crt', error));
    this.#use(leaf);
  }

  async #openKey(): Promise<KeyObject> {
    try {
      return await openKey(this.#setup.options.folder);
    } catch (error) {
      this.#sayUnsaved('server.key', error);
      return makeKey();
    }
  }

  #use(leaf: Leaf): void {
    this.#leaf = leaf;
    this.#server = { cert: leaf.chain, key: keyToPem(leaf.key), expires: leaf.validity.notAfter };
    for (const listener of this.#listeners) listener();
  }

  async #makeAuthority(): Promise<AuthorityFiles> {
    const { clock, buildDate, machine } = this.#setup;
    const key = makeKey();
    const commonName = `midge authority on ${machineLabel(machine().hostName)}`;
    const cert = await issueAuthority({ key, commonName, validity: authorityValidity(clock.now(), buildDate) });
    return { cert, key: keyToPem(key) };
  }

  async #protect(file: string): Promise<void> {
    const path = join(this.#setup.options.folder, file);
    try {
      const mode = await protectKey(path);
      if (mode !== null)
        this.#setup.log.log('warning', `Other users could read "${path}". Its mode was ${mode.toString(8)} and is now 600.`);
    } catch (error) {
      this.#setup.log.log('warning', `Cannot protect key "${path}": ${reasonOf(error)} - set its mode to 600.`);
    }
  }

  #noteClockJump(): void {
    const { clock, log, buildDate } = this.#setup;
    const now = clock.now();
    const offset = now - clock.monotonic();
    const jump = offset - this.#clockOffset;
    this.#clockOffset = offset;
    if (Math.abs(jump) < CLOCK_JUMP) return;
    const wrong = clockTrusted(now, buildDate) ? '' : ', which is before this program was built: the server certificate stays as it is';
    log.log('notice', `The clock jumped from ${time(now - jump)} to ${time(now)}${wrong}.`);
  }

  #warnOfAuthorityEnd(): void {
    const { clock, log, buildDate, options } = this.#setup;
    const { certificate } = this.#authority!;
    const validity = { notBefore: certificate.validFromDate.getTime(), notAfter: certificate.validToDate.getTime() };
    const problem = authorityDateProblem(validity, clock.now(), buildDate);
    if (problem === null || clock.monotonic() < this.#nextWarning) return;
    this.#nextWarning = clock.monotonic() + WARNING_INTERVAL;
    log.log(
      'warning',
      `The certificate authority "${join(options.folder, 'ca.crt')}" ${problem}. To make a new one, stop the broker, move ca.crt, ca.key, server.crt and server.key away and start it; every device must then trust the new ca.crt.`,
    );
  }

  #sayNewAuthority(): void {
    const { options, log } = this.#setup;
    const { fingerprint, expires } = this.authority();
    log.log('notice', `Made a certificate authority, valid to ${day(expires)}: devices must trust "${join(options.folder, 'ca.crt')}".`);
    log.log('notice', `Its SHA-256 fingerprint is ${fingerprint}.`);
  }

  #sayUnsaved(file: string, error: unknown): void {
    const path = join(this.#setup.options.folder, file);
    this.#sayFailure(
      `Cannot save server certificate "${path}": ${reasonOf(error)} - make the folder writable; until then midge makes a new one at each start`,
    );
  }

  /** A failure that lasts is said once, not every minute. */
  #sayFailure(text: string): void {
    if (text !== this.#lastFailure) this.#setup.log.log('error', `${text}.`);
    this.#lastFailure = text;
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new OperatorError(`Cannot make certificate folder "${folder}": ${reasonOf(error)} - name a folder that can be written to`, {
      cause: error,
    });
  }
}

function time(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
