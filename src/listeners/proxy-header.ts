// Reads the PROXY header off a socket and leaves what follows for whoever comes next.

import type { Socket } from 'node:net';
import type { ProxyProblem } from '../base/refusal-reason.ts';
import type { ListenerOptions } from './options.ts';
import { BadProxyHeader, type ProxyHeader, parseProxyHeader } from './proxy-protocol.ts';

/** readProxyHeader calls `done` once: with the header, or with what is wrong with it. It is not called when the socket closes before. */
export function readProxyHeader(socket: Socket, version: 1 | 2, done: (outcome: ProxyHeader | ProxyProblem) => void): void {
  let bytes = Buffer.alloc(0);
  const take = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const outcome = tryParse(bytes, version);
    if (outcome === null) return;
    socket.off('data', take);
    socket.pause();
    if (typeof outcome !== 'string' && bytes.length > outcome.length) socket.unshift(bytes.subarray(outcome.length));
    done(outcome);
    if (!socket.destroyed && socket.listenerCount('data') > 0) socket.resume(); // not below TLS, which takes over the handle
  };
  socket.on('data', take);
}

/** proxyProblem says what a listener misses in a header, or null. */
export function proxyProblem({ isLocal, tls }: ProxyHeader, { proxyRequiresTls, proxyCertificate }: ListenerOptions): ProxyProblem | null {
  if (proxyRequiresTls && !isLocal && tls === null) return 'no TLS';
  if (proxyCertificate === 'not asked') return null;
  if (tls === null || !tls.hasCertificate) return 'no client certificate';
  const isNamed = tls.commonName !== null && tls.commonName !== '' && !tls.commonName.includes('\0');
  return proxyCertificate === 'names the user' && !isNamed ? 'no common name' : null;
}

function tryParse(bytes: Buffer, version: 1 | 2): ProxyHeader | ProxyProblem | null {
  try {
    return parseProxyHeader(bytes, version);
  } catch (error) {
    if (error instanceof BadProxyHeader) return error.problem;
    throw error;
  }
}
