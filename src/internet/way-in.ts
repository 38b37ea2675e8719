// Whether the Internet leads to this box, as far as that can be seen from inside: the router, the names, and a connection by each name.

import { connect, type TLSSocket } from 'node:tls';
import { isPublicAddress, isSharedAddress } from './public-address.ts';
import type { RouterAnswer } from './router.ts';

const PATIENCE_MS = 5000;

/** WayInStep is one thing that was looked at, in words; `advice` says what to do. */
export interface WayInStep {
  readonly step: 'router' | 'name' | 'connection' | 'advice';
  readonly ok: boolean;
  readonly text: string;
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
  const tell = (step: WayInStep['step'], ok: boolean, text: string, advice: string | null = null): void => {
    isGood &&= ok;
    say({ step, ok, text });
    if (advice !== null) say({ step: 'advice', ok: true, text: advice });
  };
  const external = await checkRouter(setup, tell);
  for (const name of setup.names) {
    const isFound = await checkName(setup, { name, external }, tell);
    if (isFound) for (const port of setup.ports) await checkConnection(setup, { name, port }, tell);
  }
  return isGood;
}

type Tell = (step: WayInStep['step'], ok: boolean, text: string, advice?: string | null) => void;

/** The address of the Internet, or null. */
async function checkRouter({ askRouter }: WayInSetup, tell: Tell): Promise<string | null> {
  const answer = await askRouter();
  if (answer === null) {
    tell(
      'router',
      true,
      'The router does not say which address this house has',
      'It would by NAT-PMP or UPnP: look for "status over UPnP" in its settings. Nothing has to be opened for that.',
    );
    return null;
  }
  const { address, by } = answer;
  if (isSharedAddress(address))
    tell(
      'router',
      false,
      `The router has the address ${address} (${by}): your provider shares one address among several houses`,
      'No port can be forwarded there: ask the provider for an IPv4 address of your own, or use a VPN or a bridge to a broker outside.',
    );
  else if (!isPublicAddress(address))
    tell(
      'router',
      false,
      `The router has the address ${address} (${by}), which is not of the Internet: another router is before it`,
      'Forward the ports in both routers, or let the outer one pass everything on (bridge mode).',
    );
  else tell('router', true, `The router has the address ${address} (${by})`);
  return isPublicAddress(address) ? address : null;
}

async function checkName(
  { lookUp }: WayInSetup,
  { name, external }: { name: string; external: string | null },
  tell: Tell,
): Promise<boolean> {
  const addresses = await lookUp(name);
  if (addresses.length === 0) {
    tell('name', false, `${name} has no address`, 'Make the name at your provider of names; dynamic_dns_names keeps it right.');
    return false;
  }
  const isRight = external === null || addresses.includes(external) || addresses.every((each) => each.includes(':'));
  tell(
    'name',
    isRight,
    `${name} leads to ${addresses.join(', ')}${isRight ? '' : `, and not to ${external}`}`,
    isRight ? null : 'It may be the address of yesterday: dynamic_dns_names keeps it right.',
  );
  return true;
}

/** From inside many routers do not lead back in: no answer says little, another certificate says much. */
async function checkConnection(setup: WayInSetup, { name, port }: { name: string; port: number }, tell: Tell): Promise<void> {
  const shown = await fingerprintAt(name, port);
  const forward = `Forward port ${port} (TCP) of the router to ${setup.localAddress ?? 'this box'}, port ${port}.`;
  if (shown === null)
    tell(
      'connection',
      true,
      `Port ${port} of ${name} does not answer from inside the house`,
      `${forward} If it is, the router only does not lead back in: try it with a phone without Wi-Fi.`,
    );
  else if (setup.fingerprints.includes(shown)) tell('connection', true, `Port ${port} of ${name} leads to this box`);
  else tell('connection', false, `Port ${port} of ${name} leads to another machine: it shows another certificate`, forward);
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
