// The running program for the client software of other people: one port per transport, one account, a topic that nobody may use.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { freePorts } from '../../support/network/free-ports.ts';
import { runMidge, startMidge } from '../../support/process/midge-process.ts';
import type { WatchedProcess } from '../../support/process/watched-process.ts';

/** TRANSPORTS are the ways to the broker, as the schemes of MQTT.js. */
export const TRANSPORTS = ['tcp', 'tls', 'ws', 'wss'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** The account; `forbidden/#` is denied to it. */
export const USER = 'jane';
export const PASSWORD = 'a-long-password';

/** LIMITS are what the broker announces in CONNACK. */
export const LIMITS = { packetSize: 20_000, keepAlive: 300, topicAliases: 5, inflight: 20 } as const;

/** ClientHouse is a running broker. */
export interface ClientHouse {
  /** File of the authority, which the clients trust. */
  readonly ca: string;
  readonly ports: Readonly<Record<Transport, number>>;
  /** restart stops the broker and starts it on the same state and ports. */
  restart(): Promise<void>;
}

/** startClientHouse starts a broker that ends with the test. */
export async function startClientHouse(context: TestContext): Promise<ClientHouse> {
  const folder = temporaryFolder(context);
  const [conf, acl, passwords] = ['midge.conf', 'acl', 'passwd'].map((name) => join(folder, name)) as [string, string, string]; // three names
  const [tcp, tls, ws, wss] = (await freePorts(4)) as [number, number, number, number]; // four ports
  writeFileSync(acl, `user ${USER}\ntopic readwrite #\ntopic deny forbidden/#\n`);
  writeFileSync(passwords, '', { mode: 0o600 });
  const { status, stderr } = await runMidge(folder, ['passwd', '-b', passwords, USER, PASSWORD]);
  assert.equal(status, 0, stderr);
  writeFileSync(
    conf,
    `password_file ${passwords}
acl_file ${acl}
persistence true
advertise false
max_packet_size ${LIMITS.packetSize}
max_keepalive ${LIMITS.keepAlive}
max_inflight_messages ${LIMITS.inflight}
listener ${tcp} 127.0.0.1
max_topic_alias ${LIMITS.topicAliases}
listener ${tls} 127.0.0.1
max_topic_alias ${LIMITS.topicAliases}
secure true
listener ${ws} 127.0.0.1
max_topic_alias ${LIMITS.topicAliases}
protocol websockets
listener ${wss} 127.0.0.1
max_topic_alias ${LIMITS.topicAliases}
protocol websockets
secure true
`,
    { mode: 0o600 },
  );
  let broker = await start(context, folder, conf);
  return {
    ca: join(folder, 'state/midge/certificates/ca.crt'),
    ports: { tcp, tls, ws, wss },
    async restart() {
      await broker.end();
      broker = await start(context, folder, conf);
    },
  };
}

async function start(context: TestContext, folder: string, conf: string): Promise<WatchedProcess> {
  const broker = startMidge(context, folder, ['serve', '-c', conf]);
  await broker.line(/version .* running$/);
  return broker;
}
