// A real authority for the tests: Debian's pebble, which gives certificates by ACME as Let's Encrypt does.

import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { missing } from '../support/process/foreign-program.ts';
import { watchProcess } from '../support/process/watched-process.ts';

/** Why there is none, or false. */
export const noAcme = missing(['pebble'], 'pebble');

export interface TestAcme {
  readonly directory: string;
  /** Verifies the connection to the directory. */
  readonly cafile: string;
  /** Where it asks for the answers of HTTP-01. */
  readonly httpPort: number;
  /** root gives the certificate (PEM) that all of its certificates go back to. */
  root(): Promise<string>;
}

/** startAcme starts an authority that asks a name server for the addresses of names. */
export async function startAcme(context: TestContext, nameServer: { readonly port: number }): Promise<TestAcme> {
  const folder = temporaryFolder(context);
  const authority = await testAuthority();
  const own = await authority.issue('CN=localhost');
  const cafile = join(folder, 'ca.pem');
  writeFileSync(cafile, authority.cert);
  writeFileSync(join(folder, 'own.pem'), own.cert);
  writeFileSync(join(folder, 'own.key'), own.key);
  const [port = 0, managementPort = 0, httpPort = 0, tlsPort = 0] = await freePorts(4);
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: join(folder, 'own.pem'),
    privateKey: join(folder, 'own.key'),
    httpPort,
    tlsPort,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  };
  const config = join(folder, 'pebble.json');
  writeFileSync(config, JSON.stringify({ pebble }));
  const words = ['-config', config, '-dnsserver', `127.0.0.1:${nameServer.port}`];
  const program = watchProcess(context, ['pebble', words], { PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0' });
  await program.line(/ACME directory available/);
  return {
    directory: `https://localhost:${port}/dir`,
    cafile,
    httpPort,
    root: () => get(`https://localhost:${managementPort}/roots/0`, authority.cert),
  };
}

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca }, (response) => resolve(text(response)))
      .on('error', reject)
      .end();
  });
}
