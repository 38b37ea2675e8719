// What `midge boot report` brings to the boot partition, the screen and the log.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { applyBootPartition } from '../../../src/app/boot/boot.ts';
import { CONTROL } from '../../../src/app/boot/paths.ts';
import { reportBoot } from '../../../src/app/boot/report.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { createControl } from '../../../src/control/control.ts';
import { testAuthority } from '../../support/network/test-certificates.ts';
import { makeMachine } from './machine.ts';

const AUTHORITY = '/var/lib/midge/certificates/ca.crt';
const REPORT = '/boot/firmware/midge-report.txt';
const COPY = '/boot/firmware/ca.crt';

test('boot report brings the authority and the report to the boot partition, and says once that the machine is ready', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\nport = 8883\n' });
  const { cert } = await testAuthority();
  await applyBootPartition(machine.world);
  machine.write(AUTHORITY, cert);
  machine.write('/dev/tty1', '');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), /accounts +jane\r\nSSH +off\r\n(?:.*\r\n)*.*midge\.txt line 2: port/u);
  assert.equal(machine.read(COPY).trim(), cert.trim());
  assert.ok(machine.read('/dev/tty1').endsWith(machine.read(REPORT)));
  assert.match(machine.said.join('\n'), /^\S+\.local is ready: .* accounts=1 authority=[0-9A-F:]{95}$/);
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.equal(machine.said.length, 1);
});

test('boot report tells what was not followed from what was followed with a warning', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane short\nport = 22\n' });
  await applyBootPartition(machine.world);
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), /^Not followed:\r\n {4}midge\.txt line 2: .*\r\n\r\n/m);
  assert.match(
    machine.read(REPORT),
    /^Followed, but look at it again:\r\n {4}midge\.txt line 1: the password of "jane" is short.*\r\n\r\n/m,
  );
});

test('boot report says anew when the broker does not run any more', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  await reportBoot(machine.world, 'midge', 'machine and broker');
  await reportBoot({ ...machine.world, run: async () => null }, 'midge', 'machine and broker');
  assert.equal(machine.said.length, 2);
  assert.match(machine.said[1] ?? '', /is NOT RUNNING/);
  assert.match(machine.read(REPORT), /THE BROKER IS NOT RUNNING/);
});

test('boot report tells the name that the network gave when another machine has that of the host', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'ssh_key = ssh-ed25519 AAAA jane\n' });
  const [own] = hostname().split('.');
  let announced: string | null = `${own}-2.local`;
  mkdirSync(dirname(machine.path(CONTROL)), { recursive: true });
  const operations = { run: async () => ({ machine: { announced } }) };
  const control = createControl({ path: machine.path(CONTROL), operations, log: silentLogger });
  await control.start();
  t.after(() => control.stop());
  machine.write('/var/lib/ssh/authorized_keys', 'a key');
  const report = async () => {
    await reportBoot(machine.world, 'midge', 'machine and broker');
    return machine.read(REPORT);
  };
  assert.match(await report(), new RegExp(`^name +${own}-2\\.local\r\n +\\(${own}\\.local is another machine\\)\r\n`, 'm'));
  assert.match(machine.read(REPORT), new RegExp(`ssh root@${own}-2\\.local`));
  assert.match(machine.said.at(-1) ?? '', new RegExp(`^${own}-2\\.local is ready: `));
  for (const odd of [null, 'x\x1b[2J.local', `${own}.local`]) {
    announced = odd;
    assert.match(await report(), new RegExp(`^name +${own}\\.local\r\naddresses`, 'm'));
  }
});

test('boot report shows the set-up code of the web page until there is an admin, and nothing else that the broker calls so', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  const code = '0123-4567-89ab-cdef-0123-4567-89ab-cdef';
  let answer: unknown = { code };
  mkdirSync(dirname(machine.path(CONTROL)), { recursive: true });
  const operations = { run: async (name: string) => (name === 'setup code' ? answer : { machine: { announced: 'box.local' } }) };
  const control = createControl({ path: machine.path(CONTROL), operations, log: silentLogger });
  await control.start();
  t.after(() => control.stop());
  machine.write('/dev/tty1', '');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), new RegExp(`^web page +https://box\\.local\r\n(?:.*\r\n)* +${code}\r\n`, 'm'));
  assert.ok(machine.read('/dev/tty1').includes(code), 'the screen shows it too');
  for (const odd of [{ code: null }, { code: 'http://evil.example' }, {}]) {
    answer = odd;
    await reportBoot(machine.world, 'midge', 'machine and broker');
    assert.doesNotMatch(machine.read(REPORT), /set-up code/);
  }
});

test('boot report leaves screen and SSH alone when only the broker is ours', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  machine.write('/dev/tty1', 'login: ');
  await reportBoot(machine.world, 'midge', 'broker');
  assert.equal(machine.read('/dev/tty1'), 'login: ');
  assert.doesNotMatch(machine.read(REPORT), /SSH/);
});

test('boot report shows nobody what is no certificate when it is in the place of the authority', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  machine.write(AUTHORITY, 'root:$6$secret');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.ok(!machine.exists(COPY));
  assert.match(machine.read(REPORT), /authority +not made yet/);
});

test('boot report does not let the name of an account steer the screen', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  machine.write('/var/lib/midge/passwd', 'ja\x1b[2Jne:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), /ja\?\[2Jne/);
});
