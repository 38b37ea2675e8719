// A crowd of TLS clients with a password that connect and subscribe at once: node test/bench/scale/crowd.ts PORT CLIENTS.
// Prints the seconds until the last has its SUBACK, and how many were refused; those come again, as devices do.

import { setTimeout as pause } from 'node:timers/promises';
import { BENCH_USER } from '../brokers/configuration.ts';
import { Client, PLAIN } from '../generator/client.ts';

const AGAIN_MS = 1000;

const [port, clients] = process.argv.slice(2).map(Number);
const began = performance.now();
let refused = 0;
await Promise.all(Array.from({ length: clients ?? 0 }, (_, at) => comeIn(at)));
console.log(`${((performance.now() - began) / 1000).toFixed(1)} s; ${refused} refused`);

async function comeIn(at: number): Promise<void> {
  for (;;) {
    try {
      const client = new Client({ ...PLAIN, ...BENCH_USER, port: port ?? 0, tls: true }, `device${at}`, () => {});
      await client.open();
      await client.subscribe(`bench/devices/${at}`, 0);
      return;
    } catch {
      refused++;
      await pause(AGAIN_MS);
    }
  }
}
