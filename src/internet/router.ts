// Asks the router under which address the Internet sees this house: NAT-PMP (RFC 6886), then UPnP (UPnP Forum, WANIPConnection:1).
// Nothing is changed in the router. The library for both brings three dozen packages for these two questions.

import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { isIPv4 } from 'node:net';
import { isPublicAddress } from './public-address.ts';

const NAT_PMP_PORT = 5351;
const SSDP = { address: '239.255.255.250', port: 1900 };
const PATIENCE_MS = 2000;
const HTTP_TIMEOUT_MS = 5000;
const MAX_DOCUMENT_BYTES = 256 << 10;
const SERVICES = ['WANIPConnection:1', 'WANIPConnection:2', 'WANPPPConnection:1'];

/** RouterAnswer is what a router says; `address` may be a private one, where another router is before it. */
export interface RouterAnswer {
  readonly address: string;
  readonly by: 'NAT-PMP' | 'UPnP';
}

/** askRouter gives what the router of the default route says, or null when it says nothing. Takes some seconds then. Never rejects. `gateway` is for tests. */
export async function askRouter(gateway = defaultGateway()): Promise<RouterAnswer | null> {
  if (gateway === null) return null;
  const address = await askByNatPmp(gateway);
  if (address !== null) return { address, by: 'NAT-PMP' };
  const told = await askByUpnp(gateway);
  return told === null ? null : { address: told, by: 'UPnP' };
}

/** externalAddress gives the address that the Internet sees, or null: the router does not say, or says one that is not of the Internet. Never rejects. */
export async function externalAddress(): Promise<string | null> {
  const answer = await askRouter();
  return answer !== null && isPublicAddress(answer.address) ? answer.address : null;
}

/** defaultGateway gives the IPv4 address of the router (proc(5), /proc/net/route), or null. */
export function defaultGateway(table = '/proc/net/route'): string | null {
  try {
    const rows = readFileSync(table, 'utf8').split('\n').slice(1);
    const [, , gateway = ''] =
      rows.map((row) => row.split('\t')).find(([, destination, , flags]) => destination === '00000000' && (Number(flags) & 2) !== 0) ?? [];
    return gateway === '' ? null : [...Buffer.from(gateway, 'hex').reverse()].join('.'); // little-endian on every machine that midge runs on
  } catch {
    return null; // there is no IPv4
  }
}

/** RFC 6886 3.2: version 0, operation 0; the answer has 128 added, a result code, seconds, the address. */
async function askByNatPmp(gateway: string): Promise<string | null> {
  const answer = await askByUdp(
    Buffer.from([0, 0]),
    { address: gateway, port: NAT_PMP_PORT },
    (message, from) => from === gateway && message.length >= 12,
  );
  if (answer === null || answer[1] !== 128 || answer.readUInt16BE(2) !== 0) return null;
  return [...answer.subarray(8, 12)].join('.');
}

async function askByUpnp(gateway: string): Promise<string | null> {
  const search =
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n';
  const found = await askByUdp(
    Buffer.from(search),
    SSDP,
    (message, from) => from === gateway && /^location:/im.test(message.toString('latin1')),
  );
  const location = /^location:[ \t]*(\S+)/im.exec(found?.toString('latin1') ?? '')?.[1];
  // Another host of the network, which anybody may be, is not asked.
  if (location === undefined || !URL.canParse(location) || new URL(location).hostname !== gateway) return null;
  try {
    const description = await ask(location, null);
    for (const service of SERVICES) {
      const [, control = ''] =
        new RegExp(`<serviceType>urn:schemas-upnp-org:service:${service}</serviceType>[\\s\\S]*?<controlURL>([^<]+)<`).exec(description) ??
        [];
      const target = control === '' ? null : new URL(control, location);
      if (target === null || target.hostname !== gateway) continue;
      const answer = await ask(target.href, `urn:schemas-upnp-org:service:${service}`);
      const address = /<NewExternalIPAddress>\s*([\d.]+)\s*</.exec(answer)?.[1] ?? '';
      if (isIPv4(address) && address !== '0.0.0.0') return address;
    }
    return null;
  } catch {
    return null; // it does not speak as it should
  }
}

/** The first answer that fits, or null. */
function askByUdp(
  message: Buffer,
  { address, port }: { address: string; port: number },
  fits: (message: Buffer, from: string) => boolean,
): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (answer: Buffer | null): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(end, PATIENCE_MS, null);
    socket.on('error', () => end(null)).on('message', (answer, { address: from }) => fits(answer, from) && end(answer));
    socket.send(message, port, address, (error) => error !== null && end(null));
  });
}

/** With a service it is a question by SOAP, otherwise a GET. */
function ask(url: string, service: string | null): Promise<string> {
  const action = service === null ? '' : `<u:GetExternalIPAddress xmlns:u="${service}"></u:GetExternalIPAddress>`;
  const body = `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>${action}</s:Body></s:Envelope>`;
  const headers = service === null ? {} : { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${service}#GetExternalIPAddress"` };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: service === null ? 'GET' : 'POST', headers, timeout: HTTP_TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (text.length > MAX_DOCUMENT_BYTES) response.destroy(new Error('too long'));
      });
      response.on('end', () => resolve(text)).on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer'))).on('error', reject);
    sent.end(service === null ? undefined : body);
  });
}
