// The words about the Internet -> options: what goes together is there, and nothing is said in vain.

import { existsSync } from 'node:fs';
import { reasonOf } from '../base/errors.ts';
import { certificatesInFile } from '../base/pem-files.ts';
import type { AcmeOptions, DnsUpdateTarget, DynamicDnsOptions, InternetOptions } from '../internet/options.ts';
import { readTsigKey } from '../internet/tsig.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import { warnIfOpen } from './check-files.ts';
import { EXIT, type Report } from './diagnostic.ts';
import type { GlobalDraft } from './draft.ts';

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

/** resolveInternet gives the options; mistakes go to the report. */
export function resolveInternet({ internet, places }: GlobalDraft, listeners: readonly ListenerOptions[], report: Report): InternetOptions {
  const place = (word: string) => places.get(word) ?? null;
  const target = resolveTarget({ internet, places }, report);
  const options = { acme: resolveAcme(internet, target), dynamicDns: resolveDynamicDns(internet, target) };
  const { acmeNames, dynamicNames, acmeChallenge, dynamicUrl } = internet;
  if (acmeNames.length > 0) {
    if (acmeChallenge === 'dns' && target === null)
      report.error(
        place('acme_challenge'),
        'Cannot use acme_challenge dns without a name server',
        'write dns_update_server and dns_update_key',
      );
    if (!listeners.some(({ tls }) => tls?.certificate === 'appliance'))
      report.warning(place('acme_names'), 'acme_names has no effect', 'no listener shows a certificate of midge: write secure true');
  }
  if (dynamicNames.length > 0 && dynamicUrl === undefined && target === null)
    report.error(
      place('dynamic_dns_names'),
      'Cannot use dynamic_dns_names: nobody is told the address',
      'write dynamic_dns_url, dynamic_dns_username and dynamic_dns_password, or dns_update_server and dns_update_key',
    );
  for (const word of ['dynamic_dns_username', 'dynamic_dns_password'])
    if (dynamicUrl !== undefined && !places.has(word))
      report.error(place('dynamic_dns_url'), `Cannot use dynamic_dns_url without ${word}`, `write ${word}`);
  reportIdle({ internet, places }, report);
  return options;
}

/** Words that only mean something beside others. */
function reportIdle({ internet, places }: Pick<GlobalDraft, 'internet' | 'places'>, report: Report): void {
  const idle = (words: readonly string[], missing: string): void => {
    for (const word of words)
      if (places.has(word)) report.warning(places.get(word)!, `${word} has no effect`, `write ${missing} beside it`);
  };
  const hasDynamicNames = places.has('dynamic_dns_names');
  if (!places.has('acme_names')) idle(['acme_challenge', 'acme_port', 'acme_directory', 'acme_contact', 'acme_cafile'], 'acme_names');
  if (!hasDynamicNames) idle(['dynamic_dns_url', 'dynamic_dns_username', 'dynamic_dns_password'], 'dynamic_dns_names');
  if (!hasDynamicNames && internet.acmeChallenge !== 'dns')
    idle(['dns_update_server', 'dns_update_key'], 'dynamic_dns_names, or acme_challenge dns');
}

function resolveTarget({ internet, places }: Pick<GlobalDraft, 'internet' | 'places'>, report: Report): DnsUpdateTarget | null {
  const { dnsServer, dnsKey } = internet;
  if (dnsServer === undefined && dnsKey === undefined) return null;
  if (dnsServer === undefined || dnsKey === undefined) {
    const [said, missing] = dnsServer === undefined ? ['dns_update_key', 'dns_update_server'] : ['dns_update_server', 'dns_update_key'];
    report.error(places.get(said) ?? null, `Cannot use ${said} without ${missing}`, `write ${missing}`);
    return null;
  }
  return { ...dnsServer, keyFile: dnsKey };
}

function resolveAcme(internet: GlobalDraft['internet'], target: DnsUpdateTarget | null): AcmeOptions | null {
  const {
    acmeNames,
    acmeDirectory = LETS_ENCRYPT,
    acmeContact = null,
    acmeChallenge = 'http',
    acmePort = 80,
    acmeCafile = null,
  } = internet;
  if (acmeNames.length === 0) return null;
  return {
    directory: acmeDirectory,
    names: [...new Set(acmeNames)],
    contact: acmeContact,
    challenge: acmeChallenge === 'dns' && target !== null ? { type: 'dns', target } : { type: 'http', port: acmePort },
    cafile: acmeCafile,
  };
}

function resolveDynamicDns(internet: GlobalDraft['internet'], target: DnsUpdateTarget | null): DynamicDnsOptions | null {
  const { dynamicNames, dynamicUrl, dynamicUsername = '', dynamicPassword = '' } = internet;
  const names = [...new Set(dynamicNames)];
  if (names.length === 0) return null;
  if (dynamicUrl !== undefined)
    return { names, service: { type: 'dyndns2', url: dynamicUrl, username: dynamicUsername, password: dynamicPassword } };
  return target === null ? null : { names, service: { type: 'dns', target } };
}

/** checkInternetFiles reads the key and the authorities. A secret that others may read is a warning. */
export function checkInternetFiles({ internet, places }: GlobalDraft, report: Report): void {
  const { dnsKey, acmeCafile, dynamicPassword } = internet;
  const look = (word: string, read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      report.error(places.get(word) ?? null, reasonOf(error), null, EXIT.FAILED);
    }
  };
  if (acmeCafile !== undefined) look('acme_cafile', () => certificatesInFile('acme_cafile', acmeCafile));
  if (dnsKey !== undefined) {
    look('dns_update_key', () => readTsigKey(dnsKey));
    const place = places.get('dns_update_key') ?? null;
    if (existsSync(dnsKey)) warnIfOpen(dnsKey, place, 'the key can be read by everyone on this machine', report);
  }
  const place = places.get('dynamic_dns_password');
  if (dynamicPassword !== undefined && place !== undefined)
    warnIfOpen(place.file, place, 'the password can be read by everyone on this machine', report);
}
