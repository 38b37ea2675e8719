// Debian's mosquitto on a Unix socket, with the access files of a test.

import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { WirePeer } from '../support/clients/wire-peer.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { watchProcess } from '../support/process/watched-process.ts';

const MOSQUITTO = '/usr/sbin/mosquitto';

/** skipWithoutMosquitto is the reason to skip a test, or false. */
export const skipWithoutMosquitto = existsSync(MOSQUITTO) ? false : 'mosquitto is not installed (Debian package mosquitto)';

/** Open gives a network connection on which nothing was sent yet. */
export type Open = () => Promise<WirePeer>;

/** startMosquitto starts it for the time of a test, with the lines of a configuration below its listener. */
export async function startMosquitto(test: TestContext, configuration: string): Promise<Open> {
  const folder = temporaryFolder(test);
  const [socket, file] = [join(folder, 'socket'), join(folder, 'mosquitto.conf')];
  writeFileSync(file, `user root\nlistener 0 ${socket}\n${configuration}\n`);
  const mosquitto = watchProcess(test, [MOSQUITTO, ['-c', file]]);
  await mosquitto.line(/ running$/);
  return async () => {
    const stream = connect(socket);
    await once(stream, 'connect');
    return new WirePeer(stream);
  };
}
