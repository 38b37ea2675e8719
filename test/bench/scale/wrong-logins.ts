// What others notice while one address tries wrong passwords, and what the broker keeps of it:
//
//   node test/bench/scale/wrong-logins.ts [LOGINS]      10000 a phase unless said
//
// The wrong ones come from 127.0.0.2, from a process of their own, 1, 10 and 100 at once, then 100 at once again for other users: those
// are new entries in every table of the throttle. As many right ones come first: what the program needs for many connections is no leak.
// Meanwhile a client from 127.0.0.1 logs in with the right password again and again.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hashPassword } from '../../../src/access/password-hash.ts';
import { freePort } from '../../support/network/free-ports.ts';
import { type Child, firstLine, startChild, waitForPort } from '../child.ts';
import { packet, text } from '../generator/client.ts';
import { describeMachine, processorSeconds, residentBytes } from '../machine.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const PASSWORD = 'correct horse battery staple';
/** Between two right logins. */
const PAUSE_MS = 10;
/** What is garbage then is collected when the next phase begins. */
const SETTLE_MS = 2000;

interface Phase {
  readonly name: string;
  readonly atOnce: number;
  /** 'wrong': of the one user; 'others': each of another, who has no account. */
  readonly kind: 'right' | 'wrong' | 'others';
}

const PHASES: readonly Phase[] = [
  { name: 'none', atOnce: 0, kind: 'right' },
  { name: 'none, but as many right ones', atOnce: 100, kind: 'right' },
  { name: '1 at once', atOnce: 1, kind: 'wrong' },
  { name: '10 at once', atOnce: 10, kind: 'wrong' },
  { name: '100 at once', atOnce: 100, kind: 'wrong' },
  { name: '100 at once, each another user', atOnce: 100, kind: 'others' },
  { name: '100 at once again', atOnce: 100, kind: 'wrong' },
];

/** main prints one line per phase. */
async function main([logins = '10000']: readonly string[]): Promise<void> {
  for (const line of describeMachine()) console.log(line);
  const folder = mkdtempSync(join(tmpdir(), 'midge-logins-'));
  const port = await freePort();
  const broker = await startBroker(folder, port);
  try {
    console.log(`${'wrong logins'.padEnd(32)} seconds  processor  others: p50   p99    max ms  logins     RSS`);
    for (const phase of PHASES) console.log(await measure(phase, { port, broker, logins: Number(logins) }));
  } finally {
    await broker.stop();
    rmSync(folder, { recursive: true });
  }
}

async function startBroker(folder: string, port: number): Promise<Child> {
  const [configuration, passwords] = [join(folder, 'bench.conf'), join(folder, 'passwd')];
  writeFileSync(passwords, `jane:${await hashPassword(PASSWORD)}\n`, { mode: 0o600 });
  writeFileSync(configuration, `listener ${port} 127.0.0.1\npassword_file ${passwords}\nlog_dest none\n`);
  const broker = await startChild(process.execPath, [MAIN, 'serve', '-c', configuration, '--state', folder], null);
  await waitForPort(port, broker, 'midge');
  return broker;
}

interface Measured {
  readonly port: number;
  readonly broker: Child;
  readonly logins: number;
}

async function measure({ name, atOnce, kind }: Phase, { port, broker, logins }: Measured): Promise<string> {
  const [began, processor] = [performance.now(), processorSeconds(broker.pid)];
  const words = [import.meta.filename, String(port), String(logins), String(atOnce), kind];
  const attacker = atOnce === 0 ? null : await startChild(process.execPath, words, null);
  const end = attacker === null ? pause(3000, '') : firstLine(attacker, 'the attacker');
  const times: number[] = [];
  let isOver = false;
  void end.then(() => {
    isOver = true;
  });
  while (!isOver) {
    const started = performance.now();
    await logIn({ port, address: '127.0.0.1', username: 'jane', password: PASSWORD, expected: 0 });
    times.push(performance.now() - started);
    await pause(PAUSE_MS);
  }
  const seconds = (performance.now() - began) / 1000;
  const used = processorSeconds(broker.pid) - processor;
  await attacker?.stop();
  await pause(SETTLE_MS);
  const columns = [0.5, 0.99, 1].map((part) => quantile(times, part).toFixed(1).padStart(6));
  const rss = (residentBytes(broker.pid) / 2 ** 20).toFixed(1);
  return `${name.padEnd(32)} ${seconds.toFixed(1).padStart(6)} s ${used.toFixed(1).padStart(7)} s  ${columns.join(' ')} ${String(times.length).padStart(14)} ${rss.padStart(7)} MiB`;
}

interface Login {
  readonly port: number;
  readonly address: string;
  readonly username: string;
  readonly password: string;
  /** Return code of CONNACK, MQTT 3.1.1; null = any but 0. */
  readonly expected: 0 | null;
}

/** logIn resolves when CONNACK is there. */
function logIn({ port, address, username, password, expected }: Login): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: address, noDelay: true });
    socket.once('error', reject);
    socket.write(packet(0x10, [text('MQTT'), Buffer.from([4, 0xc2, 0, 0]), text(''), text(username), text(password)]));
    socket.once('data', (answer: Buffer) => {
      socket.resetAndDestroy(); // or the kernel keeps its port for a minute, and there are 28,000
      if ((answer[3] === 0) === (expected === 0)) resolve();
      else reject(new Error(`Cannot go on: CONNACK says ${answer[3]}`));
    });
  });
}

/** attack sends logins and prints a line when all are answered. */
async function attack([port, logins, atOnce, kind]: readonly string[]): Promise<void> {
  let left = Number(logins);
  const one = async () => {
    while (left-- > 0) {
      const username = kind === 'others' ? `user-${left}` : 'jane';
      const expected = kind === 'right' ? 0 : null;
      const password = kind === 'right' ? PASSWORD : `wrong ${left}`;
      await logIn({ port: Number(port), address: '127.0.0.2', username, password, expected });
    }
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, one));
  console.log('done');
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

const words = process.argv.slice(2);
(words.length === 4 ? attack(words) : main(words)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
