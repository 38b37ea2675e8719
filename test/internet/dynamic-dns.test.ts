// Names that follow the address: at a service of the DynDNS2 protocol (scripted by its documented answers), and at a real name server.

import assert from 'node:assert/strict';
import https, { Agent, createServer } from 'node:https';
import { type TestContext, test } from 'node:test';
import { DynamicDns, type DynamicDnsSetup } from '../../src/internet/dynamic-dns.ts';
import { UpdateFault, updateName } from '../../src/internet/dyndns2.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { type RecordingLog, recordingLog } from '../support/ports/recording-log.ts';
import { noNameServer, startNameServer } from './name-server.ts';

const NAME = 'home.example.org';
const MINUTE = 60_000;
const DAY = 86_400_000;

interface Service {
  readonly url: string;
  /** Path and authorization of each request. */
  readonly asked: { readonly path: string; readonly authorization: string | undefined }[];
  answer: { status: number; text: string; location?: string };
}

/** A service over TLS that the process trusts for the length of a test. */
async function startService(context: TestContext): Promise<Service> {
  const authority = await testAuthority();
  const agent = https.globalAgent;
  https.globalAgent = new Agent({ ca: authority.cert });
  const service: Service = { url: '', asked: [], answer: { status: 200, text: '' } };
  const server = createServer(await authority.issue('CN=localhost'), (request, response) => {
    service.asked.push({ path: request.url ?? '', authorization: request.headers.authorization });
    const { status, text, location } = service.answer;
    response.writeHead(status, location === undefined ? {} : { location }).end(text);
  });
  context.after(() => {
    https.globalAgent = agent;
    server.close();
    server.closeAllConnections();
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  return Object.assign(service, { url: `https://localhost:${port}/nic/update?x=1` });
}

function request(service: Service) {
  return { url: service.url, username: 'jane', password: 'se cret&', names: [NAME, 'box.example.org'], address: '192.0.2.7' };
}

test('an update carries names and address in the query, and the password in a header only', async (context) => {
  const service = await startService(context);
  service.answer = { status: 200, text: 'good 192.0.2.7\r\nnochg 192.0.2.7\r\n' };
  assert.equal(await updateName(request(service)), '192.0.2.7');
  const [{ path, authorization } = { path: '', authorization: '' }] = service.asked;
  assert.equal(path, `/nic/update?x=1&hostname=${NAME}%2Cbox.example.org&myip=192.0.2.7`);
  assert.equal(Buffer.from(authorization?.split(' ')[1] ?? '', 'base64').toString(), 'jane:se cret&');
  assert.equal(await updateName({ ...request(service), address: null }), '192.0.2.7');
  assert.ok(!service.asked[1]?.path.includes('myip'));
});

for (const [text, says, isLasting] of [
  ['badauth', /does not know this dynamic_dns_username and dynamic_dns_password/, true],
  ['good 192.0.2.7\nnohost', /the name is not of this account/, true],
  ['abuse', /too many updates/, true],
  ['911', /it fails itself/, false],
  ['<html>', /it answers "<html>"/, false],
  ['', /it answers ""/, false],
] as const)
  test(`the answer ${JSON.stringify(text)} is a fault in words, without the password`, async (context) => {
    const service = await startService(context);
    service.answer = { status: 200, text };
    const fits = (error: unknown) =>
      error instanceof UpdateFault && says.test(error.message) && error.isLasting === isLasting && !/se cret/.test(`${error.stack}`);
    await assert.rejects(updateName(request(service)), fits);
  });

test('a redirect is not followed, and other statuses are faults', async (context) => {
  const service = await startService(context);
  service.answer = { status: 302, text: '', location: '/elsewhere' };
  await assert.rejects(updateName(request(service)), /answers with status 302/);
  assert.equal(service.asked.length, 1);
  service.answer = { status: 401, text: '' };
  await assert.rejects(updateName(request(service)), /does not know this dynamic_dns_username/);
  await assert.rejects(updateName({ ...request(service), url: 'https://127.0.0.1:1/' }), /cannot be reached: .*ECONNREFUSED/);
});

interface Scene {
  readonly dynamic: DynamicDns;
  readonly log: RecordingLog;
  now: number;
  address: string | null;
  found: string[];
}

/** Stopped between looks: only the test's looks count. */
async function open(context: TestContext, service: DynamicDnsSetup['options']['service']): Promise<Scene> {
  const log = recordingLog();
  const scene = { log, now: Date.now(), address: '192.0.2.7' as string | null, found: [] as string[] };
  const dynamic = new DynamicDns({
    options: { names: [NAME], service },
    clock: { now: () => scene.now, monotonic: () => scene.now },
    log,
    externalAddress: async () => scene.address,
    lookUp: async () => scene.found,
  });
  context.after(() => dynamic.stop());
  return Object.assign(scene, { dynamic });
}

test('a service is told a new address once, again after twenty days, and nothing that it knows', async (context) => {
  const service = await startService(context);
  service.answer = { status: 200, text: 'good' };
  const scene = await open(context, { type: 'dyndns2', url: service.url, username: 'jane', password: 'secret' });
  scene.found = ['192.0.2.7'];
  await scene.dynamic.start();
  await scene.dynamic.look();
  assert.equal(service.asked.length, 0); // the name is right already
  scene.address = '192.0.2.8';
  scene.now += 5 * MINUTE;
  await scene.dynamic.look();
  await scene.dynamic.look();
  assert.equal(service.asked.length, 1);
  assert.deepEqual(scene.log.lines, [`${NAME} now leads to 192.0.2.8.`]);
  scene.now += 19 * DAY;
  await scene.dynamic.look();
  assert.equal(service.asked.length, 1);
  scene.now += DAY;
  await scene.dynamic.look();
  assert.equal(service.asked.length, 2);
  assert.equal(scene.dynamic.state().fault, null);
});

test('where the router says nothing the service is told each hour that we are here', async (context) => {
  const service = await startService(context);
  service.answer = { status: 200, text: 'good 192.0.2.7' };
  const scene = await open(context, { type: 'dyndns2', url: service.url, username: 'jane', password: 'secret' });
  scene.address = null;
  await scene.dynamic.start();
  await scene.dynamic.look();
  scene.now += 50 * MINUTE;
  await scene.dynamic.look();
  assert.equal(service.asked.length, 1);
  service.answer = { status: 200, text: 'nochg 192.0.2.7' };
  scene.now += 10 * MINUTE;
  await scene.dynamic.look();
  assert.equal(service.asked.length, 2);
  assert.deepEqual(scene.log.lines, [`${NAME} now leads to 192.0.2.7.`]);
});

test('a fault that lasts is not tried again; one that does not is, each time later', async (context) => {
  const service = await startService(context);
  service.answer = { status: 200, text: '911' };
  const scene = await open(context, { type: 'dyndns2', url: service.url, username: 'jane', password: 'secret' });
  await scene.dynamic.start();
  await scene.dynamic.look();
  scene.now += 9 * MINUTE;
  await scene.dynamic.look();
  assert.equal(service.asked.length, 1);
  scene.now += MINUTE;
  await scene.dynamic.look();
  scene.now += 19 * MINUTE;
  await scene.dynamic.look();
  assert.equal(service.asked.length, 2);
  assert.equal(scene.log.lines.length, 1, 'the same fault is said once');
  service.answer = { status: 200, text: 'badauth' };
  scene.now += MINUTE;
  await scene.dynamic.look();
  scene.now += 365 * DAY;
  await scene.dynamic.look();
  assert.equal(service.asked.length, 3);
  assert.match(
    scene.log.lines[1] ?? '',
    /^Error: Cannot tell the address of home\.example\.org: localhost:\d+: it does not know .*not tried again before/,
  );
});

test('a real name server has the address at once; without one of the router the owner is told what to do', {
  skip: noNameServer,
}, async (context) => {
  const server = await startNameServer(context);
  const scene = await open(context, { type: 'dns', target: server.target });
  await scene.dynamic.start();
  await scene.dynamic.look();
  assert.deepEqual(await server.resolver.resolve4(NAME), ['192.0.2.7']);
  const blind = await open(context, { type: 'dns', target: server.target });
  blind.address = null;
  await blind.dynamic.start();
  await blind.dynamic.look();
  assert.match(blind.log.lines[0] ?? '', /the router does not say which address this house has .*turn that on/);
});
