// The CONNECT packet of a test client.

import type { Version } from './hex-template.ts';

export interface ConnectOptions {
  clientId?: string;
  version?: Version;
  username?: string;
  password?: string;
  /** Default true. */
  cleanStart?: boolean;
  /** Seconds, MQTT 5 only. Default: 0xFFFFFFFF without cleanStart, otherwise none. */
  sessionExpiryInterval?: number;
  keepAlive?: number;
  /** Sends each byte by a write of its own. */
  bytewise?: boolean;
}

/** connectTemplate is the CONNECT of a client in the language of hex-template.ts. Default client id "test", keep alive 0. */
export function connectTemplate(options: ConnectOptions = {}): string {
  const cleanStart = options.cleanStart ?? true;
  const expiry = options.sessionExpiryInterval ?? (cleanStart ? 0 : 0xffffffff);
  const properties = expiry === 0 ? '{}' : `{ 11 ${expiry.toString(16).padStart(8, '0')} }`;
  const keepAlive = (options.keepAlive ?? 0).toString(16).padStart(4, '0');
  const { username, password } = options;
  const flagBits = (cleanStart ? 0x02 : 0) | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const flags = flagBits.toString(16).padStart(2, '0');
  const login = [username, password].map((text) => (text === undefined ? '' : ` '${text}'`)).join('');
  return `10 [ PROTOCOL ${flags} ${keepAlive} ${properties} '${options.clientId ?? 'test'}'${login} ]`;
}
