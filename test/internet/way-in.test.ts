// What a person is told about the way from the Internet to the box.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createServer } from 'node:tls';
import type { RouterAnswer } from '../../src/internet/router.ts';
import { checkWayIn, type WayInSetup, type WayInStep } from '../../src/internet/way-in.ts';
import { testAuthority } from '../support/network/test-certificates.ts';

interface Told {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

async function look(setup: Partial<WayInSetup>): Promise<Told> {
  const lines: string[] = [];
  const say = ({ ok, text, advice }: WayInStep): void => {
    lines.push(`${ok ? 'ok' : 'no'} ${text}`);
    if (advice !== null) lines.push(`-> ${advice}`);
  };
  const whole: WayInSetup = {
    names: [],
    ports: [],
    localAddress: '192.168.1.5',
    fingerprints: [],
    askRouter: async () => router('81.2.69.142'),
    lookUp: async () => [],
    ...setup,
  };
  return { ok: await checkWayIn(whole, say), lines };
}

function router(address: string): RouterAnswer {
  return { address, by: 'UPnP' };
}

test('an address that several houses share, and a router before the router, are named with what to do', async () => {
  const shared = await look({ askRouter: async () => router('100.70.1.2') });
  assert.equal(shared.ok, false);
  assert.match(shared.lines.join('\n'), /^no .*100\.70\.1\.2 .*shares one address.*\n-> No port can be forwarded/);
  const second = await look({ askRouter: async () => router('192.168.0.2') });
  assert.match(second.lines.join('\n'), /^no .*192\.168\.0\.2 .*another router is before it\n-> Forward the ports in both routers/);
  const silent = await look({ askRouter: async () => null });
  assert.equal(silent.ok, true);
  assert.match(silent.lines[0] ?? '', /does not say/);
});

test('a name without an address, and one of another address, are named', async () => {
  const none = await look({ names: ['home.example.org'] });
  assert.deepEqual([none.ok, none.lines[1]], [false, 'no home.example.org has no address']);
  const old = await look({ names: ['home.example.org'], lookUp: async () => ['81.2.69.1'] });
  assert.deepEqual([old.ok, old.lines[1]], [false, 'no home.example.org leads to 81.2.69.1, and not to 81.2.69.142']);
  const right = await look({ names: ['home.example.org'], lookUp: async () => ['81.2.69.142'] });
  assert.deepEqual([right.ok, right.lines[1]], [true, 'ok home.example.org leads to 81.2.69.142']);
});

test('a connection by the name that ends at this box is told from one that ends elsewhere, or nowhere', async (context) => {
  const { port, fingerprint } = await listen(context);
  const setup = { names: ['localhost'], ports: [port], lookUp: async () => ['81.2.69.142'] };
  const here = await look({ ...setup, fingerprints: [fingerprint] });
  assert.deepEqual([here.ok, here.lines.at(-1)], [true, `ok Port ${port} of localhost leads to this box`]);
  const elsewhere = await look({ ...setup, fingerprints: ['AA:BB'] });
  assert.equal(elsewhere.ok, false);
  assert.deepEqual(elsewhere.lines.slice(-2), [
    `no Port ${port} of localhost leads to another machine: it shows another certificate`,
    `-> Forward port ${port} (TCP) of the router to 192.168.1.5, port ${port}.`,
  ]);
  const nowhere = await look({ ...setup, ports: [1], fingerprints: [fingerprint] });
  assert.equal(nowhere.ok, true);
  assert.match(nowhere.lines.at(-1) ?? '', /^-> Forward port 1 .* try it with a phone without Wi-Fi\.$/);
});

async function listen(context: TestContext): Promise<{ readonly port: number; readonly fingerprint: string }> {
  const authority = await testAuthority();
  const pair = await authority.issue('CN=localhost');
  const server = createServer(pair, (socket) => socket.on('error', () => {}).end());
  context.after(() => server.close());
  const port = await new Promise<number>((resolve) =>
    server.listen(0, 'localhost', () => resolve((server.address() as { port: number }).port)),
  );
  return { port, fingerprint: new X509Certificate(pair.cert).fingerprint256 };
}
