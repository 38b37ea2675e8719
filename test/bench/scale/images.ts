// Images beside another load: node test/bench/scale/images.ts PORT. Prints "ready", and how many of how many came when its input ends.

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, PLAIN, packet, text } from '../generator/client.ts';
import { ask, openIdle, subscribePacket } from './clients.ts';

const SIZE = 1_048_576;
const EVERY_MS = 100;
const SUBSCRIBERS = 5;
/** The slow one takes so many bytes at a time, and waits so long in between. */
const SLOW_BYTES = 65_536;
const TOPIC = 'images/camera';

const port = Number(process.argv[2]);
const image = packet(0x30, [text(TOPIC), Buffer.alloc(SIZE, 'i')]);
let received = 0;
let sent = 0;
for (let at = 0; at < SUBSCRIBERS; at++) {
  const subscriber = new Client({ port, ...PLAIN }, `viewer${at}`, () => received++);
  await subscriber.open();
  await subscriber.subscribe(TOPIC, 0);
}
const [slow] = await openIdle({ port, tls: false, count: 1, prefix: 'slow' });
await ask(slow!, subscribePacket(1, [TOPIC]), 0x90); // one was asked for
let taken = 0;
slow!.on('data', (chunk: Buffer) => {
  taken += chunk.length;
  if (taken < SLOW_BYTES) return;
  taken = 0;
  slow!.pause();
  setTimeout(() => slow!.resume(), EVERY_MS);
});
const camera = new Client({ port, ...PLAIN }, 'camera', () => {});
await camera.open();
console.log('ready');
const end = once(process.stdin.resume(), 'end');
let isOver = false;
void end.then(() => {
  isOver = true;
});
while (!isOver) {
  camera.write(image);
  sent++;
  await pause(EVERY_MS);
}
console.log(`${received} of ${sent * SUBSCRIBERS}`);
process.exit();
