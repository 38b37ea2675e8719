// Whether the Internet leads to this box, as far as that can be seen from inside: the router, the names, and a connection by each name.

import { connect, type TLSSocket } from 'node:tls';
import { isPublicAddress, isSharedAddress } from './public-address.ts';
import type { RouterAnswer } from './router.ts';

const PATIENCE_MS = 5000;

/** WAY_IN_CODES name what can be seen, for who says it in other words. */
export const WAY_IN_CODES = [
  'router-ok',
  'router-silent',
  'router-shared',
  'router-behind',
  'name-ok',
  'name-none',
  'name-other',
  'connection-here',
  'connection-silent',
  'connection-elsewhere',
] as const;
export type WayInCode = (typeof WAY_IN_CODES)[number];

/** WayInStep is one thing that was looked at. */
export interface WayInStep {
  readonly code: WayInCode;
  /** False = it stands in the way. */
  readonly ok: boolean;
  /** What the words are about: address, addresses, by, external, local, name, port. */
  readonly values: Readonly<Record<string, string>>;
  readonly text: string;
  /** What to do; null = nothing. */
  readonly advice: string | null;
}

export interface WayInSetup {
  /** Names that are to lead here. */
  readonly names: readonly string[];
  /** Ports with TLS that phones use, the first one for MQTT. */
  readonly ports: readonly number[];
  /** The address of this box at home; null = it has none that is known. */
  readonly localAddress: string | null;
  /** SHA-256 of the certificates that our listeners show, as Node writes them. */
  readonly fingerprints: readonly string[];
  askRouter(): Promise<RouterAnswer | null>;
  lookUp(name: string): Promise<readonly string[]>;
}

/** checkWayIn looks at all of it, tells each step, and gives whether nothing stands in the way. Takes some seconds. Never rejects. */
export async function checkWayIn(setup: WayInSetup, say: (step: WayInStep) => void): Promise<boolean> {
  let isGood = true;
  const tell: Tell = (code, values) => {
    const [ok, text, advice = null] = WORDS[code];
    const withValues = (words: string) => words.replaceAll(/\{(\w+)\}/g, (_, key: string) => values[key] ?? '');
    isGood &&= ok;
    say({ code, ok, values, text: withValues(text), advice: advice === null ? null : withValues(advice) });
  };
  const external = await checkRouter(setup, tell);
  for (const name of setup.names) {
    if (!(await checkName(setup, { name, external }, tell))) continue;
    for (const port of setup.ports) await checkConnection(setup, { name, port }, tell);
  }
  return isGood;
}

type Tell = (code: WayInCode, values: WayInStep['values']) => void;

/** Whether it is well, what it is, and what to do. */
const WORDS: Readonly<Record<WayInCode, readonly [ok: boolean, text: string, advice?: string]>> = {
  'router-ok': [true, 'The router has the address {address} ({by})'],
  'router-silent': [
    true,
    'The router does not say which address this house has',
    'It would by NAT-PMP or UPnP: look for "status over UPnP" in its settings. Nothing has to be opened for that.',
  ],
  'router-shared': [
    false,
    'The router has the address {address} ({by}): your provider shares one address among several houses',
    'No port can be forwarded there: ask the provider for an IPv4 address of your own, or use a VPN or a bridge to a broker outside.',
  ],
  'router-behind': [
    false,
    'The router has the address {address} ({by}), which is not of the Internet: another router is before it',
    'Forward the ports in both routers, or let the outer one pass everything on (bridge mode).',
  ],
  'name-ok': [true, '{name} leads to {addresses}'],
  'name-none': [false, '{name} has no address', 'Make the name at your provider of names; dynamic_dns_names keeps it right.'],
  'name-other': [
    false,
    '{name} leads to {addresses}, and not to {external}',
    'It may be the address of yesterday: dynamic_dns_names keeps it right.',
  ],
  'connection-here': [true, 'Port {port} of {name} leads to this box'],
  // From inside many routers do not lead back in: no answer says little, another certificate says much.
  'connection-silent': [
    true,
    'Port {port} of {name} does not answer from inside the house',
    'Forward port {port} (TCP) of the router to {local}, port {port}. If it is, the router only does not lead back in: try it with a phone without Wi-Fi.',
  ],
  'connection-elsewhere': [
    false,
    'Port {port} of {name} leads to another machine: it shows another certificate',
    'Forward port {port} (TCP) of the router to {local}, port {port}.',
  ],
};

/** The address of the Internet, or null. */
async function checkRouter({ askRouter }: WayInSetup, tell: Tell): Promise<string | null> {
  const answer = await askRouter();
  if (answer === null) {
    tell('router-silent', {});
    return null;
  }
  const { address, by } = answer;
  const isPublic = isPublicAddress(address);
  tell(isPublic ? 'router-ok' : isSharedAddress(address) ? 'router-shared' : 'router-behind', { address, by });
  return isPublic ? address : null;
}

/** False = there is nothing to connect to. */
async function checkName(
  { lookUp }: WayInSetup,
  { name, external }: { name: string; external: string | null },
  tell: Tell,
): Promise<boolean> {
  const found = await lookUp(name);
  const addresses = found.join(', ');
  const isRight = external === null || found.includes(external) || found.every((each) => each.includes(':'));
  if (found.length === 0) tell('name-none', { name });
  else if (isRight) tell('name-ok', { name, addresses });
  else tell('name-other', { name, addresses, external });
  return found.length > 0;
}

async function checkConnection(setup: WayInSetup, { name, port }: { name: string; port: number }, tell: Tell): Promise<void> {
  const shown = await fingerprintAt(name, port);
  const values = { name, port: String(port), local: setup.localAddress ?? 'this box' };
  if (shown === null) tell('connection-silent', values);
  else tell(setup.fingerprints.includes(shown) ? 'connection-here' : 'connection-elsewhere', values);
}

/** The certificate is looked at, not trusted: whoever answers is told nothing. */
function fingerprintAt(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({ host, port, servername: host, rejectUnauthorized: false }, () =>
      end(socket.getPeerCertificate().fingerprint256 ?? ''),
    );
    const end = (fingerprint: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(fingerprint);
    };
    const timer = setTimeout(end, PATIENCE_MS, null);
    socket.on('error', () => end(null));
  });
}
