// Plays golden/*.conftest: configuration files above a line of hyphens, what is made of them below it. GOLDEN=update writes it anew.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

import { isDeepStrictEqual } from 'node:util';

import type { BridgeSettings } from '../../src/bridges/options.ts';
import { APPLIANCE_TLS } from '../../src/config/built-in-listeners.ts';
import { type CommandLine, describeAccess, formatDiagnostic, loadConfiguration } from '../../src/config/config.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import type { ListenerOptions } from '../../src/listeners/options.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const DIVIDER = '\n----------\n';

const workingFolder = process.cwd();
const certificates = new Map<string, string>();

before(async () => {
  const authority = await testAuthority();
  const server = await authority.issue('CN=localhost', inDays(700), inDays(-1));
  const other = await authority.issue('CN=other');
  certificates.set('ca.crt', authority.cert).set('server.crt', server.cert).set('server.key', server.key).set('other.key', other.key);
});
after(() => process.chdir(workingFolder));

function inDays(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}

test('golden folder holds cases', () => assert.ok(readdirSync(GOLDEN).length > 50));

for (const name of readdirSync(GOLDEN).sort()) {
  test(`configuration is read as golden/${name} says`, (t) => {
    const path = join(GOLDEN, name);
    const [input = '', expected] = readFileSync(path, 'utf8').split(DIVIDER);
    const actual = `${play(input, temporaryFolder(t))}\n`;
    if (process.env['GOLDEN'] === 'update') writeFileSync(path, `${input}${DIVIDER}${actual}`);
    else assert.equal(actual, expected);
  });
}

/**
 * play writes the files of a case, which start with `==> NAME` (the first may leave it out: main.conf), and ca.crt, server.crt,
 * server.key and other.key into a folder, and loads main.conf there. A first line `$ ...` is the command line.
 */
function play(input: string, folder: string): string {
  for (const [name, pem] of certificates) writeFileSync(join(folder, name), pem, { mode: 0o600 });
  const [, flags = '', text = ''] = /^(?:\$ (.*)\n?)?([\s\S]*)$/.exec(input) ?? [];
  for (const section of `==> main.conf\n${text}`.split(/^==> /m).slice(1)) {
    const end = section.indexOf('\n');
    const file = join(folder, section.slice(0, end));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, section.slice(end + 1), { mode: 0o640 });
  }
  process.chdir(folder);
  const { configuration, diagnostics } = loadConfiguration(commandLine(flags));
  const lines = diagnostics.map(formatDiagnostic);
  if (configuration !== null) lines.push(...describe(configuration), ...describeAccess(configuration));
  return lines.join('\n').replaceAll(folder, '$DIR');
}

function commandLine(flags: string): CommandLine {
  const words = flags.split(' ');
  const [port = null, ...morePorts] = words.flatMap((word, at) => (word === '-p' ? [Number(words[at + 1])] : []));
  const file = words.includes('-c') ? (words[words.indexOf('-c') + 1] ?? null) : 'main.conf';
  return { file: words.includes('--no-file') ? null : file, port, morePorts, verbose: words.includes('-v'), lan: words.includes('--lan') };
}

/** describe shows what differs from a broker with one plain listener on 1883, a line for the whole program and one per listener. */
function describe(configuration: Configuration): string[] {
  const embedded = loadConfiguration({ file: null, port: null, verbose: false, lan: false }).configuration!;
  const usual = loadConfiguration({ file: null, port: 1883, verbose: false, lan: true }).configuration!;
  const { listeners, bridges, file: _, filesRead: __, access, ...others } = configuration;
  const rest = { ...others, access: { ...access, listeners: access.listeners && Object.fromEntries(access.listeners) } };
  const { listeners: usualListeners, bridges: ___, ...usualRest } = { ...usual, makesAccount: false };
  const whole = JSON.stringify(difference(rest, usualRest) ?? {});
  if (configuration.file !== null && isDeepStrictEqual(configuration.listeners, embedded.listeners))
    return [whole, 'the embedded listeners', ...bridges.map(bridgeLine)];
  return [
    whole,
    ...listeners.map(
      (listener) => `listener ${JSON.stringify({ ...(difference(listener, usualListeners[0]) as object), ...tlsOf(listener) })}`,
    ),
    ...bridges.map(bridgeLine),
  ];
}

/** What a block says that differs from the defaults; its addresses and topics. */
function bridgeLine({ name, ...bridge }: BridgeSettings): string {
  const file = join(process.cwd(), 'usual.conf');
  writeFileSync(file, 'connection usual\naddress -\ntopic # out\n');
  const [usual] = loadConfiguration({ file, port: null, verbose: false, lan: false }).configuration!.bridges;
  return `bridge ${name} ${JSON.stringify(difference(bridge, usual))}`;
}

function tlsOf({ tls }: ListenerOptions): object {
  return tls === null ? {} : { tls: { certificate: tls.certificate, ...(difference(tls, APPLIANCE_TLS) as object) } };
}

function difference(value: unknown, usual: unknown): unknown {
  if (JSON.stringify(value) === JSON.stringify(usual)) return undefined;
  if (!isRecord(value) || !isRecord(usual)) return value;
  const changed = Object.entries(value).map(([key, field]) => [key, difference(field, usual[key])] as const);
  return Object.fromEntries(changed.filter(([, field]) => field !== undefined));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
