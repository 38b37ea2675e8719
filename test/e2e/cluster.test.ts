// Two brokers of a cluster as their owner runs them: over NATS with TLS and a password, watched by `midge cluster`, `midge status` and $SYS.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { client, listening, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { type Nats, startNats } from '../cluster/scene.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePort } from '../support/network/free-ports.ts';
import { type TestAuthority, type TestPair, testAuthority } from '../support/network/test-certificates.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';
import type { WatchedProcess } from '../support/process/watched-process.ts';

let authority: TestAuthority;
let server: TestPair;

before(async () => {
  authority = await testAuthority();
  server = await authority.issue('CN=nats');
});

interface Box {
  readonly folder: string;
  readonly broker: WatchedProcess;
  readonly port: number;
  /** midge runs a command about this box. */
  midge(...words: string[]): ReturnType<typeof runMidge>;
}

async function secureNats(t: TestContext): Promise<Nats> {
  const folder = temporaryFolder(t);
  for (const [name, text] of Object.entries({ 'server.crt': server.cert, 'server.key': server.key }))
    writeFileSync(join(folder, name), text);
  const tls = ['--tls', '--tlscert', join(folder, 'server.crt'), '--tlskey', join(folder, 'server.key')];
  return startNats(t, 1, [...tls, '--user', 'midge', '--pass', 's3cret']);
}

function configuration(nats: Nats, folder: string, id: string): string {
  writeFileSync(join(folder, 'ca.crt'), authority.cert);
  writeFileSync(join(folder, 'nats-login'), 'midge:s3cret\n', { mode: 0o600 });
  const cluster = nats.servers.map((each) => `tls://${each}`).join(',');
  return `cluster ${cluster}\ncluster_id ${id}\ncluster_cafile ${join(folder, 'ca.crt')}\ncluster_credentials ${join(folder, 'nats-login')}\n`;
}

async function startBox(t: TestContext, id: string, cluster: (folder: string) => string, env: Record<string, string> = {}): Promise<Box> {
  const folder = join(temporaryFolder(t), id);
  mkdirSync(folder);
  const file = join(folder, 'midge.conf');
  writeFileSync(file, `listener ${await freePort()} 127.0.0.1\nallow_anonymous true\npersistence true\nsys_interval 1\n${cluster(folder)}`);
  const state = join(folder, 'state');
  const broker = startMidge(t, folder, ['serve', '-c', file, '--state', state], { env });
  const port = await openPort(broker);
  return { folder, broker, port, midge: (...words) => runMidge(folder, [...words, '--state', state]) };
}

async function eventuallySays(box: Box, words: readonly string[], pattern: RegExp): Promise<void> {
  let said = '';
  await eventually(
    async () => {
      const { stdout, stderr } = await box.midge(...words);
      said = stdout + stderr;
      return pattern.test(said);
    },
    () => `${words.join(' ')} says ${pattern}: ${said}`,
  );
}

test('owner sees both brokers of a cluster over TLS, in the commands and in $SYS of each, and forgets one that is gone', async (t) => {
  const nats = await secureNats(t);
  const a = await startBox(t, 'a', (folder) => configuration(nats, folder, 'box-a'));
  const b = await startBox(t, 'b', (folder) => configuration(nats, folder, 'box-b'));
  const there = await listening(t, b.port, 'x', 1);
  await eventuallySays(a, ['cluster'], /box-b: connected since [\s\S]*2 of 2 brokers/);
  const watch = await listening(t, a.port, '$SYS/cluster/#', 0);
  await eventually(
    () => watch.received.some(({ topic, text }) => topic === '$SYS/cluster/brokers/connected' && text === '2'),
    'two of two',
  );
  await eventually(() => watch.received.some(({ topic }) => topic === '$SYS/cluster/broker/box-b/clients/connected'), 'what b counts');
  await eventually(
    () => watch.received.some(({ topic, text }) => topic === '$SYS/cluster/total/clients/connected' && text === '2'),
    'the sums: a client at each, and not the links between the brokers',
  );
  const peers = JSON.parse((await a.midge('cluster', 'peers', '--json')).stdout) as { id: string; latency: number }[];
  assert.deepEqual(
    peers.map(({ id }) => id),
    ['box-b'],
  );
  assert.ok(peers[0]!.latency > 0);
  const early = await a.midge('cluster', 'forget', 'box-b');
  assert.match(early.stderr, /Cannot forget broker "box-b": it is connected/);
  assert.equal(early.status, 1);
  await publish(t, a.port, 'x', 'over TLS', { qos: 1 });
  await there.got(1);

  await b.broker.kill();
  await eventuallySays(a, ['status'], /! Broker box-b of the cluster is away: nothing is heard of it\./);
  await publish(t, a.port, 'x', 'waits', { qos: 1 });
  await eventuallySays(a, ['cluster', 'peers'], /box-b +away .* 1 +0\n/);
  const forgotten = await a.midge('cluster', 'forget', 'box-b');
  assert.equal(forgotten.stdout, 'Forgotten: box-b\n');
  await eventuallySays(a, ['cluster', 'peers'], /There are no other brokers/);
  assert.match((await a.midge('cluster', 'forget', 'box-c')).stderr, /Cannot forget broker "box-c": the cluster has none of this name/);
  assert.ok(!a.broker.lines.join('\n').includes('s3cret'), 'no log has the password');
});

test('owner adds, changes and removes the cluster by a reload, while clients stay connected', async (t) => {
  const nats = await secureNats(t);
  const b = await startBox(t, 'b', (folder) => configuration(nats, folder, 'box-b'));
  const there = await listening(t, b.port, 'x', 1);
  const a = await startBox(t, 'a', () => '');
  const stays = await client(t, a.port);
  const file = join(a.folder, 'midge.conf');
  const alone = readFileSync(file, 'utf8');
  const reload = async (text: string, pattern: RegExp) => {
    const from = a.broker.lines.length;
    writeFileSync(file, text);
    process.kill(a.broker.pid, 'SIGHUP');
    await a.broker.line(pattern, from);
  };
  assert.match((await a.midge('cluster')).stderr, /Cannot show the cluster: the configuration has none/);
  await reload(`${alone}${configuration(nats, a.folder, 'box-a')}`, /Cluster: connected to box-b/);
  await eventuallySays(a, ['cluster'], /box-b: connected since/);
  await stays.publishAsync('x', 'added', { qos: 1 });
  await there.got(1);
  await reload(`${alone}${configuration(nats, a.folder, 'box-other')}`, /connected to NATS at \S+ as box-other/);
  await a.broker.line(/Cluster: connected to box-b/);
  await eventuallySays(b, ['cluster', 'peers'], /box-other +connected/);
  await eventuallySays(a, ['cluster'], /box-b: connected since/);
  await stays.publishAsync('x', 'changed', { qos: 1 });
  await there.got(2);
  writeFileSync(join(a.folder, 'nats-login'), 'midge:wrong\n');
  await reload(
    readFileSync(file, 'utf8'),
    /NATS is not reached: .*it does not take the credentials of this broker \(cluster_credentials\)/,
  );
  await eventuallySays(a, ['status'], /! The cluster is not connected to NATS: .*it does not take the credentials/);
  await reload(alone, /The configuration has no cluster any more: session cluster.to.box-b is forgotten/);
  assert.match((await a.midge('cluster')).stderr, /the configuration has none/);
  assert.equal(stays.connected, true);
});

test('broker without cluster loads nothing of it', async (t) => {
  const record = join(temporaryFolder(t), 'loaded');
  const env = { NODE_OPTIONS: `--import ${join(import.meta.dirname, '../support/process/loaded-modules.ts')}`, LOADED_MODULES: record };
  const box = await startBox(t, 'a', () => '', env);
  await publish(t, box.port, 'x', 'y', { qos: 2 });
  const without = readFileSync(record, 'utf8');
  assert.match(without, /src\/broker\/broker\.ts/);
  assert.deepEqual(
    without.split('\n').filter((url) => /@nats-io|src\/cluster\/(?!options\.ts)/.test(url)),
    [],
  );
  const nats = await startNats(t);
  await box.broker.end();
  await startBox(t, 'b', () => `cluster nats://${nats.servers[0]}\n`, env);
  assert.ok(existsSync(record));
  assert.match(readFileSync(record, 'utf8'), /@nats-io[\s\S]*src\/cluster\/cluster\.ts|src\/cluster\/cluster\.ts[\s\S]*@nats-io/);
});
