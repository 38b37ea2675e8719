// `-L URL` and `-h ws://...`: one text for scheme, account, host, port and topic.

import { ClientMistake } from './mistake.ts';
import type { ClientSettings } from './settings.ts';

/**
 * applyUrl reads `mqtt(s)|ws(s)://[user[:password]@]host[:port]/topic` into the settings and gives the topic. %XX is decoded in user name and
 * password, as in mosquitto. Throws ClientMistake.
 */
export function applyUrl(url: string, settings: ClientSettings): string {
  const { authority, path } = splitUrl(url, settings);
  if (path === '') throw new ClientMistake('Error: Invalid URL for -L argument specified - topic missing.');
  applyAuthority(authority, settings);
  return path;
}

/** applyHost takes what stands behind `-h`: a name, an address, or a WebSocket URL whose path is that of the WebSocket. */
export function applyHost(host: string, settings: ClientSettings): void {
  if (!/^wss?:\/\//i.test(host)) {
    settings.host = host;
    return;
  }
  const { authority, path } = splitUrl(host, settings);
  applyAuthority(authority, settings);
  if (path !== '') settings.path = `/${path}`;
}

function splitUrl(url: string, settings: ClientSettings): { authority: string; path: string } {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/is.exec(url) ?? [];
  switch (scheme.toLowerCase()) {
    case 'mqtt':
      settings.port = 1883;
      break;
    case 'mqtts':
      settings.port = 8883;
      settings.tls.wanted = true;
      break;
    case 'ws':
      settings.port = 80;
      settings.webSocket = true;
      settings.tls.wanted = false;
      break;
    case 'wss':
      settings.port = 443;
      settings.webSocket = true;
      settings.tls.wanted = true;
      break;
    default:
      throw new ClientMistake('Error: Unsupported URL scheme.', { blankLine: true });
  }
  const slash = rest.indexOf('/');
  return slash < 0 ? { authority: rest, path: '' } : { authority: rest.slice(0, slash), path: rest.slice(slash + 1) };
}

function applyAuthority(authority: string, settings: ClientSettings): void {
  const at = authority.lastIndexOf('@');
  if (at >= 0) {
    const account = authority.slice(0, at);
    const colon = account.indexOf(':');
    settings.username = decode(colon < 0 ? account : account.slice(0, colon));
    if (colon >= 0) settings.password = decode(account.slice(colon + 1));
  }
  const place = authority.slice(at + 1);
  const [, bracketed, plain = '', port] = /^(?:\[(.*)\]|(.*?))(?::(\d*))?$/s.exec(place) ?? [];
  settings.host = bracketed ?? plain;
  if (port) settings.port = Number(port);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % stands for itself
  }
}
