// Wills of a broker that dies: one of the others says each of them, once, and the broker does not say them again when it is back.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { IClientOptions } from 'mqtt';
import { client, listening, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';
import { type Member, type Nats, startMembers, startNats } from './scene.ts';

/** A broker in a process of its own, which can die. */
interface Mortal {
  readonly port: number;
  kill(): Promise<void>;
}

function mortalFolder(t: TestContext, { servers }: Nats, id: string): string {
  const folder = temporaryFolder(t);
  const words = ['allow_anonymous true', 'persistence true'];
  const cluster = [`cluster ${servers.map((server) => `nats://${server}`).join(',')}`, 'cluster_name test', `cluster_id ${id}`];
  writeFileSync(join(folder, 'midge.conf'), [...words, ...cluster, ''].join('\n'));
  return folder;
}

async function startMortal(t: TestContext, folder: string): Promise<Mortal> {
  const midge = startMidge(t, folder, ['serve', '-c', join(folder, 'midge.conf'), '-p', '0', '--state', join(folder, 'state')]);
  return { port: await openPort(midge), kill: () => midge.kill() };
}

function willing(name: string, delay: number, sessionExpiryInterval: number): IClientOptions {
  const will = {
    topic: `will/${name}`,
    payload: Buffer.from(name),
    qos: 1 as const,
    retain: false,
    properties: { willDelayInterval: delay },
  };
  return { clientId: name, clean: sessionExpiryInterval === 0, properties: { sessionExpiryInterval }, will };
}

test('cluster says the wills of a broker that was killed once, and that broker does not say them again [MQTT-3.1.2-8]', async (t) => {
  const nats = await startNats(t);
  const members = (await startMembers(t, nats, ['b', 'c'])) as [Member, Member];
  const [b, c] = members;
  const folder = mortalFolder(t, nats, 'a');
  const a = await startMortal(t, folder);
  for (const member of members) await eventually(() => member.peer('a')?.phase === 'connected', 'all are linked');
  const heard = await Promise.all(members.map(({ port }) => listening(t, port, 'will/#', 1)));
  const polite = await client(t, a.port, willing('polite', 0, 3600));
  await polite.endAsync();
  for (const options of [willing('kept', 0, 3600), willing('brief', 0, 0), willing('delayed', 7, 3600), willing('wanderer', 3600, 3600)])
    await client(t, a.port, options);
  for (const member of members)
    await eventually(
      () => member.cluster.state.wills === 4,
      () => `each has four copies: ${member.cluster.state.wills}`,
    );
  await a.kill();
  const wanderer = await client(t, c.port, willing('wanderer', 3600, 3600));
  for (const one of heard) await eventually(() => one.received.length >= 3, 'the wills come');
  const again = await startMortal(t, folder);
  for (const member of members) await eventually(() => member.peer('a')?.phase === 'connected', 'it is back');
  await client(t, again.port, willing('kept', 0, 3600)); // waits until the wills of its broker are settled
  await publish(t, again.port, 'will/end', 'end', { qos: 1 });
  for (const one of heard) {
    await eventually(() => one.texts().includes('end'), 'the last message comes');
    assert.deepEqual(one.texts().toSorted(), ['brief', 'delayed', 'end', 'kept']);
  }
  assert.equal(wanderer.connected, true);
  assert.equal(b.broker.sessions.get('wanderer'), null);
});

test('cluster says the will of a client once when its broker is started again at once', async (t) => {
  const nats = await startNats(t);
  const [b] = (await startMembers(t, nats, ['b'])) as [Member];
  const folder = mortalFolder(t, nats, 'a');
  const a = await startMortal(t, folder);
  await eventually(() => b.peer('a')?.phase === 'connected', 'they are linked');
  const heard = await listening(t, b.port, 'will/#', 1);
  await client(t, a.port, willing('kept', 0, 3600));
  await eventually(() => b.cluster.state.wills === 1, 'the copy is there');
  await a.kill();
  const again = await startMortal(t, folder);
  await heard.got(1);
  await eventually(() => b.peer('a')?.phase === 'connected', 'it is back');
  await client(t, again.port, willing('kept', 0, 3600)); // as above
  await publish(t, again.port, 'will/end', 'end', { qos: 1 });
  await heard.got(2);
  assert.deepEqual(heard.texts(), ['kept', 'end']);
});
