// Node-RED at the running program: a flow over TLS with MQTT 5, its birth, close and will messages, and a restart of the broker.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, type IPublishPacket } from 'mqtt';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { type WatchedProcess, watchProcess } from '../../support/process/watched-process.ts';
import { type ClientHouse, PASSWORD, startClientHouse, USER } from './client-house.ts';

const INSTALLED = join(import.meta.dirname, '../../../.cache/node-red');
const LOCK = 'package-lock.json';
const skip = isInstalled() ? false : 'Node-RED is not installed, or is another version (build/with.sh npm run install:node-red)';

/** Milliseconds before the test gives up on a message that must come. */
const PATIENCE = 120_000;

const STATUS = 'red/status';
const PROPERTIES = {
  responseTopic: 'answers/here',
  correlationData: Buffer.from([0, 1, 0xff]),
  userProperties: { colour: 'red' },
  contentType: 'text/plain',
};

test('Node-RED runs a flow over TLS with MQTT 5, also after a restart of the broker', { skip, timeout: PATIENCE }, async (context) => {
  const house = await startClientHouse(context);
  const watcher = await watch(context, house);
  const folder = writeFlow(context, house);
  const lamp = async (payload: string) => {
    await watcher.publish('red/in/lamp', payload);
    const { topic, qos, properties } = await watcher.next('red/out');
    const { responseTopic, correlationData, userProperties, contentType } = properties ?? {};
    assert.deepEqual(
      [topic, qos, { responseTopic, correlationData, userProperties: { ...userProperties }, contentType }],
      [`red/out/${payload}`, 2, PROPERTIES],
    );
  };

  const killed = startNodeRed(context, folder);
  assert.equal(await watcher.status(), 'online');
  await lamp('on');
  await house.restart();
  assert.equal(await watcher.status(), 'lost'); // the broker ended the connection, not the client
  assert.equal(await watcher.status(), 'online');
  await lamp('off');
  await killed.kill();
  assert.equal(await watcher.status(), 'lost');

  const ended = startNodeRed(context, folder);
  assert.equal(await watcher.status(), 'online');
  await ended.end();
  assert.equal(await watcher.status(), 'closed');
});

/** isInstalled tells whether npm has finished installing what package-lock.json says. */
function isInstalled(): boolean {
  const isFinished = existsSync(join(INSTALLED, 'node_modules/.package-lock.json'));
  const lockIn = (folder: string) => readFileSync(join(folder, LOCK), 'utf8');
  return isFinished && lockIn(INSTALLED) === lockIn(join(import.meta.dirname, 'node-red'));
}

/** writeFlow writes Node-RED's folder: it has no editor and no port, and asks nobody for updates. */
function writeFlow(context: TestContext, { ca, ports }: ClientHouse): string {
  const folder = temporaryFolder(context);
  const settings = {
    flowFile: 'flows.json',
    credentialSecret: false, // flows_cred.json is read as it is
    httpAdminRoot: false,
    httpNodeRoot: false,
    mqttReconnectTime: 100,
    telemetry: { enabled: false, updateNotification: false },
  };
  const message = (kind: string, payload: string) => ({
    [`${kind}Topic`]: STATUS,
    [`${kind}Payload`]: payload,
    [`${kind}Qos`]: '1',
    [`${kind}Retain`]: 'false',
    [`${kind}Msg`]: {},
  });
  const broker = {
    ...{ id: 'broker', type: 'mqtt-broker', broker: 'localhost', port: String(ports.tls), clientid: 'node-red', autoConnect: true },
    ...{ usetls: true, tls: 'tls', protocolVersion: '5', keepalive: '60', cleansession: true, autoUnsubscribe: true },
    ...message('birth', 'online'),
    ...message('close', 'closed'),
    ...message('will', 'lost'),
  };
  const flows = [
    { id: 'tab', type: 'tab', label: 'Lamps' },
    { id: 'tls', type: 'tls-config', ca, verifyservercert: true },
    broker,
    node({ id: 'in', type: 'mqtt in', topic: 'red/in/#', qos: '2', datatype: 'utf8', broker: 'broker', rh: 0, wires: [['function']] }),
    node({ id: 'function', type: 'function', func: FUNCTION, outputs: 1, wires: [['out']] }),
    node({ id: 'out', type: 'mqtt out', topic: '', qos: '2', retain: 'false', broker: 'broker', wires: [] }),
  ];
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(join(folder, 'settings.js'), `module.exports = ${JSON.stringify(settings)};\n`);
  writeFileSync(join(folder, 'flows.json'), JSON.stringify(flows));
  writeFileSync(join(folder, 'flows_cred.json'), JSON.stringify({ broker: { user: USER, password: PASSWORD } }), { mode: 0o600 });
  return folder;
}

/** node gives a node its tab and a place: Node-RED takes one without a place for a configuration node. */
function node(properties: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...properties, z: 'tab', x: 100, y: 100 };
}

const FUNCTION = 'msg.topic = "red/out/" + msg.payload; return msg;';

function startNodeRed(context: TestContext, folder: string): WatchedProcess {
  const program = join(INSTALLED, 'node_modules/node-red/red.js');
  const words = [program, '--userDir', folder, '--settings', join(folder, 'settings.js')];
  return watchProcess(context, [process.execPath, words], { HOME: folder, NODE_RED_HOME: folder });
}

/** watch enters a client that sees all of red/# and comes back by itself. */
async function watch(context: TestContext, { ca, ports }: ClientHouse) {
  const account = { username: USER, password: PASSWORD, ca: readFileSync(ca) };
  const kept = { clientId: 'watcher', clean: false, properties: { sessionExpiryInterval: 1000 }, reconnectPeriod: 50 };
  const client = connect(`tls://localhost:${ports.tls}`, { protocolVersion: 5, ...account, ...kept });
  context.after(() => client.endAsync(true));
  client.on('error', () => {}); // the broker restarts
  const received: IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => received.push(packet));
  await client.subscribeAsync('red/#', { qos: 2 });
  const next = async (start: string): Promise<IPublishPacket> => {
    for (;;) {
      const at = received.findIndex(({ topic }) => topic.startsWith(start));
      const [found] = at < 0 ? [] : received.splice(at, 1);
      if (found !== undefined) return found;
      await new Promise((resolve) => client.once('message', resolve));
    }
  };
  return {
    next,
    status: async () => (await next(STATUS)).payload.toString(),
    publish: (topic: string, payload: string) => client.publishAsync(topic, payload, { qos: 2, properties: PROPERTIES }),
  };
}
