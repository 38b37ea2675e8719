// `--proxy`: a connection through a SOCKS5 proxy (RFC 1928), which looks the name of the broker up itself.

import { type Duplex, duplexPair, pipeline } from 'node:stream';
import { SocksClient } from 'socks';
import { ClientMistake } from './mistake.ts';

/** SocksProxy of `socks5h://[user[:password]@]host[:port]`; %XX is decoded in user and password. */
export interface SocksProxy {
  readonly host: string;
  readonly port: number;
  readonly userId?: string;
  readonly password?: string;
}

/** The port of SOCKS, when the URL has none. */
const SOCKS_PORT = 1080;

/** parseProxy takes the URL apart. Throws ClientMistake with mosquitto's sentence. */
export function parseProxy(text: string): SocksProxy {
  if (!text.startsWith('socks5h://')) throw new ClientMistake(`Error: Unsupported proxy protocol: ${text}`);
  const [, user = '', password, host = '', port] =
    /^socks5h:\/\/(?:([^:@]*)(?::([^@]*))?@)?(?:\[?([^\]]*?)\]?)(?::(\d+))?\/?$/.exec(text) ?? [];
  if (host === '') throw new ClientMistake('Error: Invalid proxy.');
  const number = Number(port ?? SOCKS_PORT);
  if (number < 1 || number > 65_535) throw new ClientMistake(`Error: Invalid proxy port ${number}`);
  const account = user === '' ? {} : { userId: decode(user), password: decode(password ?? '') };
  return { host, port: number, ...account };
}

/** openThroughProxy gives a stream at once; it emits 'connect' when the proxy has reached the broker, or 'error'. */
export function openThroughProxy(proxy: SocksProxy, host: string, port: number): Duplex {
  const [near, far] = duplexPair();
  near.cork(); // nothing may be written before the proxy is through
  SocksClient.createConnection({ command: 'connect', proxy: { ...proxy, type: 5 }, destination: { host, port } }).then(
    ({ socket }) => {
      pipeline(socket, far, socket, (error) => near.destroy(error ?? undefined));
      near.emit('connect');
      near.uncork();
    },
    (error: Error) => near.destroy(error),
  );
  return near;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % stands for itself
  }
}
