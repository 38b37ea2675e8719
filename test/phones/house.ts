// A house with a box of ours, as the network sees it: MQTT and WebSocket with TLS, the pages with and without.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { askControl } from '../../src/control/ask-control.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { startMidge } from '../support/process/midge-process.ts';
import type { WatchedProcess } from '../support/process/watched-process.ts';

/** HOST is what phones call it: this machine, by a name that is in its certificate. */
export const HOST = 'localhost';

// biome-ignore lint/suspicious/noExplicitAny: the answers are the subject of the tests
type Ask = (request: string, input?: object) => Promise<any>;

/** House is one that runs. */
export interface House {
  readonly folder: string;
  readonly file: string;
  readonly state: string;
  readonly acl: string;
  readonly passwd: string;
  /** Of MQTT with TLS, WebSocket with TLS, the pages with TLS, and without. */
  readonly ports: { readonly mqtt: number; readonly webSocket: number; readonly secure: number; readonly plain: number };
  readonly ask: Ask;
  readonly lines: () => readonly string[];
  restart(): Promise<void>;
}

/** openHouse starts one; `words` are more of its listener of MQTT, and `hasPlain` false = its pages are there by HTTPS only. */
export async function openHouse(context: TestContext, words: readonly string[] = [], hasPlain = true): Promise<House> {
  const folder = temporaryFolder(context);
  const [mqtt = 0, webSocket = 0, secure = 0, plain = 0] = await freePorts(4);
  const [file, passwd, acl, state] = [join(folder, 'midge.conf'), join(folder, 'passwd'), join(folder, 'acl'), join(folder, 'state')];
  const lines = [
    ...[`password_file ${passwd}`, `acl_file ${acl}`, 'persistence true', 'advertise false'],
    ...[`listener ${mqtt}`, 'secure true', ...words],
    ...[`listener ${webSocket}`, 'protocol websockets', 'secure true'],
    ...[`listener ${secure}`, 'protocol http'],
    ...(hasPlain ? [`listener ${plain}`, 'protocol http', 'secure false'] : []),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  writeFileSync(passwd, '# the house\n', { mode: 0o600 });
  writeFileSync(acl, '# the rules of the house\n', { mode: 0o600 });
  let broker: WatchedProcess | null = null;
  const start = async () => {
    broker = startMidge(context, folder, ['serve', '-c', file, '--state', state]);
    await broker.line(/ running$/, 0, 60_000);
  };
  await start();
  return {
    ...{ folder, file, state, acl, passwd },
    ports: { mqtt, webSocket, secure, plain },
    ask: (request, input = {}) => askControl(join(state, 'control.sock'), { request, ...input }, 30_000),
    lines: () => broker?.lines ?? [],
    restart: async () => {
      await broker?.end();
      await start();
    },
  };
}
