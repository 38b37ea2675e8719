// A person's first minutes with the file: check a configuration, start the broker, and let strangers talk through it.

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectAsync } from 'mqtt';
import { readStamp } from '../../build/bundle.ts';
import { openApiDocument } from '../../src/api/openapi.ts';
import { offeredOperations } from '../../src/api/routes.ts';
import { OPERATIONS } from '../../src/operations/operations.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { findProgram } from '../support/process/foreign-program.ts';
import { type WatchedProcess, watchProcess } from '../support/process/watched-process.ts';
import { bare, EXECUTABLES, type Executable, runBare } from './executable.ts';

type Transport = 'tcp' | 'tls' | 'ws';

/** Site is a started broker and what a client needs to find it. */
interface Site {
  readonly executable: Executable;
  readonly folder: string;
  readonly broker: WatchedProcess;
  readonly ports: Readonly<Record<Transport, number>>;
  readonly authority: string;
}

/** Carrier takes a payload through the broker and gives what came out at the other end. */
interface Carrier {
  readonly name: string;
  readonly transports: readonly Transport[];
  readonly skip: string | false;
  carry(site: Site, transport: Transport, topic: string, payload: string): Promise<string>;
}

const CARRIERS: readonly Carrier[] = [
  {
    name: 'midge pub and midge sub',
    transports: ['tcp', 'tls', 'ws'],
    skip: false,
    carry: (site, ...rest) => carryByPrograms(site, command(site.executable, 'pub'), command(site.executable, 'sub'), ...rest),
  },
  {
    name: 'mosquitto_pub and mosquitto_sub',
    transports: ['tcp', 'tls'],
    skip: findProgram('mosquitto_sub') ? false : 'mosquitto_sub is not installed (Debian package mosquitto-clients)',
    carry: (site, ...rest) => carryByPrograms(site, [findProgram('mosquitto_pub') ?? ''], [findProgram('mosquitto_sub') ?? ''], ...rest),
  },
  { name: 'MQTT.js', transports: ['tcp', 'tls', 'ws'], skip: false, carry: carryByLibrary },
];

for (const executable of EXECUTABLES) {
  const { name, skip } = executable;

  test(`${name} carries messages when it starts in an empty folder`, { skip }, async (t) => {
    const site = await openSite(t, executable);
    for (const carrier of CARRIERS) {
      for (const transport of carrier.transports) {
        const title = `${name} carries a message over ${transport} when the clients are ${carrier.name}`;
        await t.test(title, { skip: carrier.skip }, async () => {
          const payload = `{"_type":"location","by":"${carrier.name}"}`;
          assert.equal(await carrier.carry(site, transport, `owntracks/${transport}/phone`, payload), payload);
        });
      }
    }
    await t.test(`${name} ends with status 0 when it gets SIGTERM`, async () => {
      assert.equal(await site.broker.end(), 0, site.broker.lines.join('\n'));
    });
  });

  test(`${name} names file, line and column when check finds a mistake`, { skip }, async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'good.conf'), 'listener 1883 127.0.0.1\nallow_anonymous true\n');
    writeFileSync(join(folder, 'bad.conf'), 'listener 1883 127.0.0.1\nalow_anonymous true\n');
    const good = await runBare(folder, [...command(executable, 'check'), 'good.conf']);
    assert.equal(good.status, 0, good.stdout + good.stderr);
    const bad = await runBare(folder, [...command(executable, 'check'), 'bad.conf']);
    assert.equal(bad.status, 1, bad.stdout + bad.stderr);
    assert.match(bad.stdout + bad.stderr, /bad\.conf:2:1\b.*alow_anonymous[\s\S]*allow_anonymous/);
  });

  test(`${name} acts as mosquitto, mosquitto_pub and mosquitto_sub when it is started under their names`, { skip }, async (t) => {
    const folder = temporaryFolder(t);
    for (const link of ['mosquitto', 'mosquitto_pub', 'mosquitto_sub']) symlinkSync(executable.file, join(folder, link));
    const as = (link: string) => [...executable.runner, join(folder, link)];
    const [port = 0] = await freePorts(1);
    const broker = watchProcess(t, bare(folder, [...as('mosquitto'), '-p', String(port), '-v']));
    await broker.line(READY);
    const client = ['-h', '127.0.0.1', '-p', String(port), '-t', 'a/b'];
    const published = await runBare(folder, [...as('mosquitto_pub'), ...client, '-r', '-m', 'hello']);
    assert.equal(published.status, 0, published.stderr);
    const received = await runBare(folder, [...as('mosquitto_sub'), ...client, '-C', '1', '-v']);
    assert.equal(received.stdout, 'a/b hello\n', received.stderr);
  });

  test(`${name} brings the page for browsers and the OpenAPI document along`, { skip }, async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755); // started by root, the broker becomes another user
    const [port = 0] = await freePorts(1);
    const lines = [`listener ${port} 127.0.0.1`, 'protocol http', 'password_file passwd', 'advertise false', ''];
    writeFileSync(join(folder, 'midge.conf'), lines.join('\n'));
    writeFileSync(join(folder, 'passwd'), '', { mode: 0o600 });
    const broker = watchProcess(t, bare(folder, [...command(executable, 'serve'), '-c', 'midge.conf', '--state', 'state']));
    await broker.line(READY);
    const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    const [, script] = /<script [^>]*src="\.(\/assets\/[\w-]+\.js)"/.exec(page) ?? [];
    assert.ok(script, page);
    const answer = await fetch(`http://127.0.0.1:${port}${script}`);
    assert.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8');
    assert.ok((await answer.text()).length > 1000);
    const document = await (await fetch(`http://127.0.0.1:${port}/api/v1/openapi.json`)).json();
    const { version } = readStamp();
    assert.deepEqual(document, JSON.parse(JSON.stringify(openApiDocument(`midge version ${version}`, offeredOperations(OPERATIONS)))));
  });
}

/** READY is what the broker logs when every listener is open. */
const READY = /running$/;

function command(executable: Executable, name: string): string[] {
  return [...executable.runner, executable.file, name];
}

async function openSite(t: TestContext, executable: Executable): Promise<Site> {
  const folder = temporaryFolder(t);
  const [tcp = 0, tls = 0, ws = 0] = await freePorts(3);
  const listeners = [
    `listener ${tcp} 127.0.0.1`,
    `listener ${tls} 127.0.0.1\nsecure true`,
    `listener ${ws} 127.0.0.1\nprotocol websockets`,
  ];
  writeFileSync(join(folder, 'midge.conf'), ['allow_anonymous true', 'advertise false', ...listeners, ''].join('\n'));
  const broker = watchProcess(t, bare(folder, [...command(executable, 'serve'), '-c', 'midge.conf', '--state', 'state']));
  await broker.line(READY);
  return { executable, folder, broker, ports: { tcp, tls, ws }, authority: join(folder, 'state/certificates/ca.crt') };
}

/** carryByPrograms lets the broker keep the message for the subscriber, so that nobody has to know when it has subscribed. */
async function carryByPrograms(
  site: Site,
  pub: readonly string[],
  sub: readonly string[],
  transport: Transport,
  topic: string,
  payload: string,
): Promise<string> {
  const host = ['-h', '127.0.0.1', '-p', String(site.ports[transport]), '-t', topic];
  const address = transport === 'ws' ? ['-L', `ws://127.0.0.1:${site.ports.ws}/${topic}`] : host;
  const trust = transport === 'tls' ? ['--cafile', site.authority] : [];
  const published = await runBare(site.folder, [...pub, ...address, ...trust, '-q', '1', '-r', '-m', payload]);
  assert.equal(published.status, 0, published.stderr);
  const received = await runBare(site.folder, [...sub, ...address, ...trust, '-C', '1', '-W', '20']);
  assert.equal(received.status, 0, received.stderr);
  return received.stdout.replace(/\n$/, '');
}

async function carryByLibrary(site: Site, transport: Transport, topic: string, payload: string): Promise<string> {
  const protocol = ({ tcp: 'mqtt', tls: 'mqtts', ws: 'ws' } as const)[transport];
  const trust = transport === 'tls' ? { ca: readFileSync(site.authority), rejectUnauthorized: true } : {};
  const client = await connectAsync({
    protocol,
    host: '127.0.0.1',
    port: site.ports[transport],
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...trust,
  });
  try {
    const arrived = new Promise<string>((settle) => client.on('message', (_, received) => settle(received.toString())));
    await client.subscribeAsync(topic, { qos: 1, rh: 2 });
    await client.publishAsync(topic, payload, { qos: 1 });
    return await arrived;
  } finally {
    await client.endAsync(true);
  }
}
