// Whether the listeners of a configuration can be opened on this machine, all of them beside each other: looked at without opening one.

import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { reasonOf } from '../base/errors.ts';
import { type BindTarget, bindTargets } from '../listeners/bind-targets.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import type { Place, Report } from './diagnostic.ts';

/** Address is one that a listener before has taken. */
interface Taken extends Pick<BindTarget, 'family' | 'host'> {
  readonly port: number;
  readonly place: Place | null;
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** PortsInMind remembers which addresses the listeners before take, so that two of a file do not meet at the start. */
export class PortsInMind {
  readonly #report: Report;
  readonly #taken: Taken[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  /** look reports what would keep a TCP listener from being opened. */
  async look(options: ListenerOptions, place: Place | null): Promise<void> {
    const targets = await this.#targetsOf(options, place);
    for (const { family, host, optional } of targets) {
      if (!optional && !isOfThisMachine(host)) this.#reportStranger(options.port, host, place);
      const earlier = this.#taken.find((other) => other.port === options.port && other.family === family && meet(other.host, host));
      if (earlier !== undefined && options.port !== 0) return this.#reportTwin(options.port, earlier.place, place);
    }
    this.#taken.push(...targets.map(({ family, host }) => ({ family, host, port: options.port, place })));
  }

  async #targetsOf(options: ListenerOptions, place: Place | null): Promise<readonly BindTarget[]> {
    const { address, bindInterface } = options;
    const known = Object.keys(networkInterfaces());
    if (bindInterface !== null && !known.includes(bindInterface)) {
      this.#report.error(
        place,
        `Cannot bind to interface "${bindInterface}": there is no interface of this name`,
        `there are ${known.join(', ')}`,
      );
      return [];
    }
    if (address !== null && isIP(address.replace(/%.*/, '')) === 0 && !(await this.#hasAddress(address, place))) return [];
    try {
      return await bindTargets(options);
    } catch (error) {
      this.#report.error(place, reasonOf(error));
      return [];
    }
  }

  async #hasAddress(host: string, place: Place | null): Promise<boolean> {
    try {
      await lookup(host);
      return true;
    } catch (error) {
      this.#report.error(place, `Cannot find the address of "${host}": ${reasonOf(error)}`, 'write an address of this machine');
      return false;
    }
  }

  #reportStranger(port: number, host: string, place: Place | null): void {
    const own = addresses().filter((address) => !/^fe80:/i.test(address));
    this.#report.error(
      place,
      `Cannot open port ${port} on ${host}: this machine does not have that address`,
      `it has ${own.join(', ')}; without an address the listener is open on all of them`,
    );
  }

  #reportTwin(port: number, earlier: Place | null, place: Place | null): void {
    const at = earlier === null ? '' : `, already at ${earlier.file}:${earlier.line}`;
    this.#report.error(place, `Cannot open two listeners on port ${port}${at}`, 'remove one, or give them different addresses or ports');
  }
}

function meet(a: string, b: string): boolean {
  return a === b || WILDCARDS.has(a) || WILDCARDS.has(b);
}

/** ip(7): all of 127.0.0.0/8 is this machine's; with ip_nonlocal_bind every address may be bound. */
function isOfThisMachine(host: string): boolean {
  const address = host.replace(/%.*/, '').toLowerCase();
  return WILDCARDS.has(address) || address.startsWith('127.') || addresses().includes(address) || isOpenToAll(isIP(address));
}

function addresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address.toLowerCase()));
}

function isOpenToAll(family: number): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv${family}/ip_nonlocal_bind`, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
