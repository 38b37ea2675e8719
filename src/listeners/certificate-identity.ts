// Takes the user name out of a verified client certificate.

import type { TLSSocket } from 'node:tls';
import type { TlsOptions } from './options.ts';

/** certificateIdentity gives the common name or the whole subject (RFC 2253, as mosquitto writes it) of the client's certificate, or null when there is none. The certificate must have been accepted. */
export function certificateIdentity(socket: TLSSocket, mode: TlsOptions['identity']): string | null {
  if (mode === 'none') return null;
  const name = mode === 'common name' ? commonName(socket) : subject(socket);
  return name === '' || name.includes('\0') ? null : name;
}

function commonName(socket: TLSSocket): string {
  const name: unknown = socket.getPeerCertificate().subject?.CN; // several CN entries come as a list, whatever the types say
  if (Array.isArray(name)) return String(name[0]);
  return typeof name === 'string' ? name : '';
}

function subject(socket: TLSSocket): string {
  const text: string | undefined = socket.getPeerX509Certificate()?.subject; // undefined for an empty one, whatever the types say
  const lines = text?.split('\n') ?? [];
  return lines.reverse().join(',');
}
