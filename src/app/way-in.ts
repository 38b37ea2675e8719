// What is known here of the way in from the Internet, for the check of it. The room is loaded for each check: it is a rare one.

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { machineNames } from '../host/host.ts';
import { isPublicName, publicNames } from '../internet/public-name.ts';
import type { WayInStep } from '../internet/way-in.ts';
import type { Appliance } from './app.ts';

/** checkWayInOf checks the names, or those of the configuration. */
export async function checkWayInOf(appliance: Appliance, asked: readonly string[], say: (step: WayInStep) => void): Promise<boolean> {
  const [{ checkWayIn }, { askRouter }, { addressesOf }] = await Promise.all([
    import('../internet/way-in.ts'),
    import('../internet/router.ts'),
    import('../internet/internet.ts'),
  ]);
  const own = appliance.certificates === null ? [] : [appliance.certificates.server().cert];
  const shown = [...own, ...(appliance.internet?.certificate ? [appliance.internet.certificate.cert] : [])];
  const secure = appliance.listeners.filter(({ options }) => options.tls !== null);
  const isMqtt = ({ options }: (typeof secure)[number]): boolean => options.protocol === 'mqtt';
  const setup = {
    names: asked.length > 0 ? asked : namesOf(appliance),
    ports: [...secure.filter(isMqtt), ...secure.filter((each) => !isMqtt(each))].flatMap(({ port }) => (port === null ? [] : [port])),
    localAddress: machineNames().addresses.find((address) => isIP(address) === 4) ?? null,
    fingerprints: shown.map((pem) => new X509Certificate(pem).fingerprint256),
    askRouter,
    lookUp: addressesOf,
  };
  return checkWayIn(setup, say);
}

function namesOf({ configuration: { internet, certificateNames } }: Appliance): readonly string[] {
  return [...new Set([...publicNames(internet), ...certificateNames.filter(isPublicName)])];
}
