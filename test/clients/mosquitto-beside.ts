// Debian's mosquitto on Unix sockets: one that lets everybody in, one that asks for an account.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { type WatchedProcess, watchProcess } from '../support/process/watched-process.ts';

/** MosquittoBeside names the sockets. */
export interface MosquittoBeside {
  readonly open: string;
  readonly closed: string;
}

/** startMosquittoBeside starts it for the time of a test. QoS 0 is queued too, so that a kept session records all. */
export async function startMosquittoBeside(test: TestContext): Promise<MosquittoBeside> {
  const folder = temporaryFolder(test);
  const [open, closed] = [join(folder, 'open'), join(folder, 'closed')];
  const file = join(folder, 'mosquitto.conf');
  const acl = join(folder, 'acl');
  writeFileSync(acl, 'topic readwrite #\ntopic deny denied/#\nuser someone\ntopic readwrite #\n', { mode: 0o600 });
  writeFileSync(
    file,
    `user root
per_listener_settings true
queue_qos0_messages true
sys_interval 0
listener 0 ${open}
allow_anonymous true
acl_file ${acl}
listener 0 ${closed}
allow_anonymous false
`,
  );
  const mosquitto = watchProcess(test, ['/usr/sbin/mosquitto', ['-c', file]]);
  for (const path of [open, closed]) await listening(path, mosquitto);
  return { open, closed };
}

async function listening(path: string, mosquitto: WatchedProcess): Promise<void> {
  for (let patience = 1000; patience > 0; patience--) {
    const socket = connect(path);
    try {
      await once(socket, 'connect');
      socket.destroy();
      return;
    } catch {
      await pause(5); // it does not listen yet, and cannot tell when it does
    }
  }
  throw new Error(`mosquitto does not listen:\n${mosquitto.lines.join('\n')}`);
}
