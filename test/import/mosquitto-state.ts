// A mosquitto with something of everything in its database: kept sessions, messages queued and in flight, retained values.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { dial } from '../support/clients/dial.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { watchProcess } from '../support/process/watched-process.ts';

/** Two in flight at once, the rest is queued. */
const CONFIGURATION = `user root
allow_anonymous true
persistence true
max_inflight_messages 2
`;

/** leaveMosquittoState runs Debian's mosquitto in a folder, lets clients come and go, and ends it: mosquitto.conf and mosquitto.db stay. */
export async function leaveMosquittoState(test: TestContext, folder: string): Promise<void> {
  const [port = 0] = await freePorts(1);
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(file, `${CONFIGURATION}persistence_location ${folder}/\nlistener ${port} 127.0.0.1\n`);
  const mosquitto = watchProcess(test, ['/usr/sbin/mosquitto', ['-c', file]]);
  await mosquitto.line(/ running$/);
  const open = (version: 4 | 5) => dial(port, { version });

  const old = open(4);
  old.send("10 [ PROTOCOL 00 0000 'old' ]");
  await old.expect('20 02 00 00');
  old.send("82 [ 0001 'home/#' 02 ]");
  await old.expect('90 03 0001 02');
  const phone = open(5);
  phone.send("10 [ PROTOCOL 80 0000 { 11 00000E10 } 'phone' 'anna' ]");
  await phone.expect('20 [ 00 00 { ... } ]');
  phone.send("82 [ 0001 { 0B 07 } 'home/+/door' 2D ]"); // QoS 1, no local, retain as published, retained messages not now
  await phone.expect('90 [ 0001 {} 01 ]');

  const publisher = open(5);
  publisher.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'publisher' ]");
  await publisher.expect('20 [ 00 00 { ... } ]');
  publisher.send("33 [ 'home/a/door' 0001 {} |first| ]");
  await publisher.expect('40 [ 0001 * ]');
  publisher.send("34 [ 'home/a/door' 0002 {} |second| ]");
  await publisher.expect('50 [ 0002 * ]');
  publisher.send('62 02 0002');
  await publisher.expect('70 02 0002');
  await old.expect("32 [ 'home/a/door' @a |first| ]");
  await old.expect("34 [ 'home/a/door' @b |second| ]");
  old.send('50 02 0002'); // PUBREC: the second is released
  await old.expect('62 02 0002');
  publisher.send("32 [ 'home/b/door' 0003 { 02 00010000, 26 'k' 'v' } |third| ]");
  await publisher.expect('40 [ 0003 * ]');
  publisher.send("33 [ 'other/lamp' 0004 { 03 'text/plain' } |on| ]");
  await publisher.expect('40 [ 0004 * ]');
  publisher.send("34 [ 'home/c/door' 0005 {} |unreleased| ]");
  await publisher.expect('50 [ 0005 * ]');
  for (const peer of [old, phone, publisher]) peer.abort();
  await mosquitto.end();
}
