// The same card in other machines, and what a boot costs: a Raspberry Pi 3 as QEMU knows it, a watchdog, a system without the broker.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Card, IMAGE, obstacle } from '../image/card.ts';
import { BOOT_PATIENCE, type Machine, type MachineOptions, switchOn } from '../image/machine.ts';
import { makeSshKey, runBySsh } from '../support/network/ssh.ts';

const skip = obstacle();
const LOGIN = { username: 'jane', password: 'correct horse battery' };
const OWN_UNITS = ['midge.service', 'midge-boot.service', 'midge-report.service', 'midge-report.path', 'midge-report.timer'];
/** The kernel would restart by itself after a panic: it must not, so that only the watchdog is left. */
const HANG = 'echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger';

test('image boots to a broker when the board is a Raspberry Pi 3', { skip }, async (t) => {
  const card = new Card(t, IMAGE ?? '');
  card.write('midge.txt', `account = ${LOGIN.username} ${LOGIN.password}\n`);
  const start = Date.now();
  const machine = await switchOn(t, card, { board: 'raspi3b' });
  const client = await machine.connect(LOGIN);
  t.diagnostic(`first CONNACK after ${seconds(start)} s`);
  assert.doesNotMatch(await machine.ready(), /failed=/);
  await client.endAsync();
  await machine.cut();
});

test('image boots to its first CONNACK in little more time than the same system needs without midge', { skip }, async (t) => {
  const card = new Card(t, IMAGE ?? '');
  card.write('midge.txt', `account = ${LOGIN.username} ${LOGIN.password}\n`);
  const untilConnack = async (machine: Machine) => (await machine.connect(LOGIN)).endAsync();
  const untilSystem = (machine: Machine) => machine.console.line(/Reached target \S*multi-user/, 0, BOOT_PATIENCE);
  const first = await timeOf(t, card, {}, untilConnack); // grows the data partition, makes authority and certificates
  const without = await timeOf(t, card, { kernelWords: OWN_UNITS.map((unit) => `systemd.mask=${unit}`).join(' ') }, untilSystem);
  const second = await timeOf(t, card, {}, untilConnack);
  t.diagnostic(`first boot ${first} s to CONNACK, later ones ${second} s; ${without} s to multi-user.target without midge`);
  assert.ok(second < 4 * without, 'midge costs more than three times the system');
});

test('image is reset by the watchdog, and starts again, when its kernel hangs', { skip }, async (t) => {
  const card = new Card(t, IMAGE ?? '');
  const key = makeSshKey(card.folder);
  card.write('midge.txt', `ssh_key = ${key.line}\n`);
  const machine = await switchOn(t, card, { hasWatchdog: true });
  await machine.ready();
  const place = { port: machine.ports.ssh, key, patience: BOOT_PATIENCE };
  assert.equal((await runBySsh(place, 'cat /sys/class/watchdog/watchdog0/state')).stdout, 'active\n');
  void runBySsh({ ...place, patience: 0 }, HANG);
  await machine.console.ended; // QEMU ends at a reset
});

async function timeOf(t: TestContext, card: Card, options: MachineOptions, until: (machine: Machine) => Promise<unknown>): Promise<number> {
  const start = Date.now();
  const machine = await switchOn(t, card, options);
  await until(machine);
  const taken = seconds(start);
  if (options.kernelWords === undefined) await machine.ready();
  await machine.cut();
  return taken;
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1000);
}
