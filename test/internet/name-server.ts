// A real name server for the tests: Debian's named with one zone that takes updates with a key.

import { execFileSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { DnsUpdateTarget } from '../../src/internet/options.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { missing } from '../support/process/foreign-program.ts';
import { watchProcess } from '../support/process/watched-process.ts';

/** Why there is none, or false. */
export const noNameServer = missing(['named', 'tsig-keygen'], 'bind9');

export interface NameServer {
  /** Its key lets its bearer change all of `example.org`. */
  readonly target: DnsUpdateTarget;
  readonly folder: string;
  readonly resolver: Resolver;
}

/** startNameServer serves the zone `example.org`, in which `home` has the address 127.0.0.1. */
export async function startNameServer(context: TestContext, algorithm = 'hmac-sha256'): Promise<NameServer> {
  const folder = temporaryFolder(context);
  const [port = 0] = await freePorts(1);
  const key = makeKey('midge', algorithm);
  const keyFile = join(folder, 'midge.key');
  writeFileSync(keyFile, key, { mode: 0o600 });
  const zone = [
    '$TTL 60',
    '@ SOA ns.example.org. root.example.org. 1 60 60 60 60',
    '@ NS ns.example.org.',
    'ns A 127.0.0.1',
    'home A 127.0.0.1',
  ];
  writeFileSync(join(folder, 'zone'), `${zone.join('\n')}\n`);
  const settings = `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none;
    session-keyfile none; recursion no; dnssec-validation no; empty-zones-enable no; };
    controls { };
    ${key}
    zone "example.org" { type primary; file "zone"; update-policy { grant midge zonesub ANY; }; };`;
  writeFileSync(join(folder, 'named.conf'), settings);
  const program = watchProcess(context, ['/usr/sbin/named', ['-g', '-c', join(folder, 'named.conf'), '-n', '1']]);
  await program.line(/ running$/);
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  return { target: { host: '127.0.0.1', port, keyFile }, folder, resolver };
}

/** makeKey gives the text of a key file. */
export function makeKey(name: string, algorithm = 'hmac-sha256'): string {
  return execFileSync('tsig-keygen', ['-a', algorithm, name], { encoding: 'utf8', env: { PATH: `${process.env['PATH']}:/usr/sbin` } });
}
