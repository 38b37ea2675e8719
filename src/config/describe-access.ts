// Who may connect from where, in plain words: `check` and `serve` say the same.

import { filesOf } from '../access/options.ts';
import { isLocal, type ListenerOptions } from '../listeners/options.ts';
import type { Configuration } from './configuration.ts';

type AccessFacts = Pick<Configuration, 'access' | 'makesAccount'>;

/**
 * describeAccess gives one line per port or socket, for example
 * `port 8883 (MQTT with TLS): user "jane" from every network of this machine`. The lines hold no secret.
 */
export function describeAccess(configuration: Configuration): string[] {
  const addresses = new Map<string, ListenerOptions[]>();
  for (const listener of configuration.listeners) {
    const key = JSON.stringify({
      ...listener,
      address: null,
      policy: { ...listener.policy, name: filesOf(configuration.access, listener.policy.name) },
    });
    const alike = addresses.get(key) ?? [];
    alike.push(listener);
    addresses.set(key, alike);
  }
  return [...addresses.values()].map((alike) => `${describeSocket(alike[0]!)}: ${describeGuests(alike, configuration)}`);
}

/** describeListeners gives one line per port or socket, for example `port 8883 (MQTT with TLS)`. */
export function describeListeners({ listeners }: Configuration): string[] {
  return [...new Set(listeners.map(describeSocket))];
}

/** isLockedOut is true for a listener that lets nobody in: no anonymous clients, no users, no names from certificates. */
export function isLockedOut(listener: ListenerOptions, { access, makesAccount }: AccessFacts): boolean {
  if (listener.protocol === 'http' || listener.policy.allowAnonymous || takesNameFromCertificate(listener)) return false;
  if (access.dynamicSecurity !== null) return false;
  return access.account === null && filesOf(access, listener.policy.name).passwordFile === null && !makesAccount;
}

function takesNameFromCertificate({ tls, proxyCertificate }: ListenerOptions): boolean {
  return proxyCertificate === 'names the user' || (tls !== null && tls.identity !== 'none');
}

const NAMES = { mqtt: 'MQTT', websockets: 'WebSocket', http: 'HTTP', http_api: "mosquitto's HTTP API" } as const;

function describeSocket({ protocol, tls, unixPath, port }: ListenerOptions): string {
  const what = `${NAMES[protocol]}${tls === null ? '' : ' with TLS'}`;
  return `${unixPath === null ? `port ${port}` : `socket ${unixPath}`} (${what})`;
}

function describeGuests(alike: readonly ListenerOptions[], facts: AccessFacts): string {
  const listener = alike[0]!;
  if (listener.protocol === 'http') return describeHttp(alike);
  if (isLockedOut(listener, facts)) return 'nobody can sign in yet; add username and password, or a password_file';
  const unnamed = listener.policy.allowAnonymous && !takesNameFromCertificate(listener) ? ', without a user name' : '';
  return `${describePeople(listener, facts)} ${describeWay(alike)}${unnamed}`;
}

function describeHttp(alike: readonly ListenerOptions[]): string {
  const isForwarding = alike.some((listener) => listener.tls === null && !isLocal(listener));
  return `${isForwarding ? 'sends anyone on to HTTPS,' : 'accounts with a role,'} ${describeWay(alike)}`;
}

function describePeople(listener: ListenerOptions, facts: AccessFacts): string {
  if (listener.tls?.psk && takesNameFromCertificate(listener)) return `clients with a key of ${listener.tls.psk.file}`;
  if (takesNameFromCertificate(listener)) return `clients with a certificate of ${authorityOf(listener)}`;
  const isAsked = listener.tls?.requireCertificate || listener.proxyCertificate !== 'not asked';
  const certificate = isAsked ? ` with a certificate of ${authorityOf(listener)}` : '';
  if (listener.policy.allowAnonymous) return `anyone${certificate}`;
  const { account } = facts.access;
  const { passwordFile } = filesOf(facts.access, listener.policy.name);
  const people = [
    account === null ? [] : [`user "${account.username}"`],
    passwordFile === null ? [] : [`the users in ${passwordFile}`],
    facts.access.dynamicSecurity === null ? [] : [`the clients in ${facts.access.dynamicSecurity.file}`],
    facts.makesAccount ? ['the account made at first start'] : [],
  ];
  return `${people.flat().join(' and ')}${certificate}`;
}

function authorityOf({ tls, proxyCertificate }: ListenerOptions): string {
  if (proxyCertificate !== 'not asked') return 'an authority that the proxy trusts';
  return tls?.cafile ?? tls?.capath ?? "the appliance's authority";
}

function describeWay(alike: readonly ListenerOptions[]): string {
  const { bindInterface } = alike[0]!;
  const addresses = alike.map((listener) => listener.address);
  if (alike.every(isLocal)) return 'from this machine';
  if (bindInterface !== null) return `from interface ${bindInterface}`;
  return addresses.includes(null) ? 'from every network of this machine' : `through address ${addresses.join(' and ')}`;
}
