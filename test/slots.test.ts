// Which of the card's two systems is started: the script of the appliance, step by step, with the words that rauc says to its backend.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readAttempt, writeAttempt } from '../src/updates/update-record.ts';
import { temporaryFolder } from './support/disk/temporary-folder.ts';

const SCRIPT = join(import.meta.dirname, '../rootfs/usr/libexec/midge/slots');
const AUTOBOOT = join(import.meta.dirname, '../rootfs/boot/firmware/autoboot.txt');
/** As /proc/iomem of a Pi 3 and a Pi 4 has it. */
const IOMEM = '3f100000-3f100113 : 3f100000.watchdog watchdog@7e100000\n';
const HEALTHY = 'ActiveState=active\nNRestarts=0';

test('slots follows an update of rauc from the first write to the good system, and the firmware is told last', (t) => {
  const box = new Box(t);
  assert.equal(box.run('get-primary'), 'A');
  box.run('set-state', 'B', 'bad'); // before rauc writes
  assert.deepEqual([box.run('get-state', 'A'), box.run('get-state', 'B'), box.run('get-primary')], ['good', 'bad', 'A']);
  box.run('set-primary', 'B'); // when it has written
  assert.deepEqual([box.run('get-state', 'B'), box.run('get-primary')], ['good', 'B']);
  assert.equal(box.autoboot(), 'boot_partition=2');
  box.run('try');
  assert.deepEqual(box.calls(), ['devmem 0x3f100020 32', 'devmem 0x3f100020 32 0x5a000025', 'reboot']); // PM_RSTS: 3 in every second bit, 0x20 was there
  assert.equal(box.autoboot(), 'boot_partition=2');
  box.start('B');
  assert.deepEqual(box.calls().slice(-1), ['devmem 0x3f100020 32 0x5a000020']); // whatever resets the machine now leads to A
  assert.equal(box.run('get-current'), 'B');
  box.run('set-state', 'B', 'good'); // rauc status mark-good
  assert.equal(box.autoboot(), 'boot_partition=3');
  assert.equal(box.run('get-primary'), 'B');
  box.start('B');
  assert.equal(box.events(), '');
});

test('slots writes autoboot.txt over in place, in the same length, so that one sector changes', (t) => {
  const box = new Box(t);
  const before = statSync(box.path('/boot/firmware/autoboot.txt'));
  box.start('B');
  box.run('set-state', 'B', 'good');
  const after = statSync(box.path('/boot/firmware/autoboot.txt'));
  assert.deepEqual([after.ino, after.size], [before.ino, before.size]);
  assert.ok(after.size < 512); // the firmware reads no more
});

test('slots says why a trial has failed, at each start until the next update, and that the tried system is bad', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  box.run('try');
  box.start('A'); // the power went, or it never came up
  assert.match(box.events(), /An update failed, and the version from before runs again: It did not start/);
  assert.deepEqual([box.run('get-primary'), box.run('get-state', 'B'), box.autoboot()], ['A', 'bad', 'boot_partition=2']);
  box.start('A');
  assert.match(box.events(), /An update failed/);
  box.run('set-primary', 'B');
  box.start('A');
  assert.equal(box.events(), '');
});

test('slots does not take a start before the trial for its failure', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  box.start('A');
  assert.deepEqual([box.events(), box.run('get-primary')], ['', 'B']);
});

test('slots goes back with the last words of a broker that has restarted on trial', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  box.run('try');
  box.start('B', { service: 'ActiveState=activating\nNRestarts=1' });
  box.run('watch');
  assert.deepEqual(box.calls().slice(-1), ['reboot']);
  box.start('A');
  assert.match(box.events(), /did not stay up .* Its last words: Cannot open the data/);
  assert.equal(box.autoboot(), 'boot_partition=2');
});

test('slots leaves what became of a failed trial where midge status finds it, with the versions of the update', (t) => {
  const box = new Box(t);
  const record = box.path('/var/lib/midge-upgrade/last.json');
  mkdirSync(dirname(record), { recursive: true });
  writeAttempt(record, { at: '2026-01-31T00:00:00.000Z', from: '0.1.0', to: '0.2.0', outcome: 'on trial', reason: null, hasBegun: true });
  box.run('set-primary', 'B');
  box.run('try');
  box.start('B', { service: 'ActiveState=activating\nNRestarts=1', words: 'Cannot open "\\\\x":\tno' });
  box.run('watch');
  box.start('A');
  const { at, reason, ...rest } = readAttempt(record) ?? assert.fail('there is no record');
  assert.notEqual(at, '2026-01-31T00:00:00.000Z');
  assert.deepEqual(rest, { from: '0.1.0', to: '0.2.0', outcome: 'failed', hasBegun: true });
  assert.match(reason ?? '', /Its last words: Cannot open "\\\\?x": no/);
  assert.equal(statSync(record).mode & 0o777, 0o644);
  box.put({ devmem: 'exit 1' });
  box.run('set-primary', 'B');
  assert.throws(() => box.run('try'), /register .* cannot be written/);
  assert.deepEqual([readAttempt(record)?.from, readAttempt(record)?.to], ['0.1.0', '0.2.0'], 'it is told twice of one update');
});

test('slots says that an update is installed when its trial is over, and not before', (t) => {
  const box = new Box(t);
  const record = box.path('/var/lib/midge-upgrade/last.json');
  mkdirSync(dirname(record), { recursive: true });
  const written = {
    at: '2026-01-31T00:00:00.000Z',
    from: '0.1.0',
    to: '0.2.0',
    outcome: 'on trial',
    reason: null,
    hasBegun: true,
  } as const;
  writeAttempt(record, written);
  box.run('set-primary', 'B');
  box.run('try');
  box.start('B');
  assert.deepEqual(readAttempt(record), written);
  box.run('set-state', 'B', 'good');
  const { at, ...rest } = readAttempt(record) ?? assert.fail('there is no record');
  assert.notEqual(at, written.at);
  assert.deepEqual(rest, { from: '0.1.0', to: '0.2.0', outcome: 'installed', reason: null, hasBegun: true });
  box.run('set-state', 'B', 'good');
  assert.equal(readAttempt(record)?.at, at);
});

test('slots puts the database back that the tried version has changed, before the broker opens it, and says where the changed one is', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  box.run('try');
  box.put({ midge: 'echo "restored  /var/lib/midge/midge.db"; echo "kept      /var/lib/midge/midge.db.newer-1"' });
  box.start('A');
  assert.match(box.events(), /The database is that of before the update\. What came .* is in \/var\/lib\/midge\/midge\.db\.newer-1\./);
  assert.equal(box.calls().at(-1), `midge restore --before-upgrade -c ${box.path('/var/lib/midge/appliance.conf')}`);
  box.start('A');
  assert.equal(box.calls().filter((call) => call.startsWith('midge')).length, 1);
});

test('slots tries no system when the disk has no room for a copy of the database', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  const database = box.path('/var/lib/midge/midge.db');
  mkdirSync(dirname(database), { recursive: true });
  writeFileSync(database, '');
  truncateSync(database, 2 ** 43); // a hole
  assert.throws(() => box.run('try'), /needs \d+ MB on the data partition/);
  assert.match(readAttempt(box.path('/var/lib/midge-upgrade/last.json'))?.reason ?? '', /needs \d+ MB/);
  assert.deepEqual(box.calls(), []);
});

test('slots does not restart when the register for the partition to start cannot be written', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  box.put({ devmem: 'exit 1' });
  assert.throws(() => box.run('try'), /the register for the partition to start cannot be written/);
  assert.deepEqual(box.calls(), []);
  box.start('A');
  assert.deepEqual([box.events(), box.run('get-primary')], ['', 'B']);
});

test('slots tries no system when it cannot remember that it has: a failed trial would not be known', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  mkdirSync(box.path('/var/lib/midge-slots/tried.new')); // in the way of the file
  assert.throws(() => box.run('try'), /midge-slots cannot be written/);
  assert.deepEqual(box.calls(), []);
});

test('slots asks rauc to declare the system good when the broker has stayed healthy', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  box.run('try');
  box.start('B', { service: HEALTHY });
  box.run('watch');
  assert.deepEqual(box.calls().slice(-1), ['rauc status mark-good']);
});

test('slots takes a system for healthy whose broker is well, whatever midge status says of the machine, of bridges and of earlier updates', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  box.run('try');
  box.start('B', { service: HEALTHY, midge: '[ "$*" = "status --broker" ]' });
  box.run('watch');
  assert.deepEqual(box.calls().slice(-1), ['rauc status mark-good']);
});

test('slots goes back when the broker stays up but is not well, or does not answer', (t) => {
  const box = new Box(t);
  box.run('set-primary', 'B');
  box.run('try');
  box.start('B', { service: HEALTHY, midge: 'exit 1' });
  box.run('watch');
  assert.deepEqual(box.calls().slice(-1), ['reboot']);
  box.start('A', { midge: 'exit 0' });
  assert.match(box.events(), /The broker of the new version was not well for 5 seconds on end within \d+ seconds/);
});

test('slots does nothing when no system is on trial, and never gives the only good one up', (t) => {
  const box = new Box(t);
  box.run('watch');
  assert.deepEqual(box.calls(), []);
  assert.throws(() => box.run('try'), /no system is on trial/);
  assert.throws(() => box.run('set-state', 'A', 'bad'), /the only good system is not given up/);
  assert.throws(() => box.run('set-primary', 'C'), /there is no slot "C"/);
});

/** What programs of the system say; one that is not named says what it said before. */
interface Programs {
  readonly service?: string;
  readonly words?: string;
  readonly midge?: string;
  readonly devmem?: string;
}

/** A box with the folder as its disk, and programs that write down how they were called. */
class Box {
  readonly #root: string;

  constructor(t: TestContext) {
    this.#root = temporaryFolder(t);
    this.#write('/boot/firmware/autoboot.txt', readFileSync(AUTOBOOT, 'utf8'));
    this.#write('/proc/iomem', IOMEM);
    this.#program('devmem', `echo "devmem $*" >>${this.path('/calls')}; [ $# -gt 2 ] || echo 0x00000020`);
    this.#program('reboot', `echo reboot >>${this.path('/calls')}`);
    this.#program('rauc', `echo "rauc $*" >>${this.path('/calls')}`);
    this.put({ service: HEALTHY, words: 'Cannot open the data', midge: 'echo "nothing was changed."' });
    this.#boot('A');
  }

  path(name: string): string {
    return join(this.#root, name);
  }

  /** put says what the system's programs say. */
  put({ service, words, midge, devmem }: Programs): void {
    if (service !== undefined) this.#program('show', `printf '${service.replaceAll('\n', '\\n')}\\n'`);
    if (words !== undefined) this.#program('log', `printf '%s\\n' '${words}'`);
    if (devmem !== undefined) this.#program('devmem', devmem);
    if (midge !== undefined) this.#program('midge', `echo "midge $*" >>${this.path('/calls')}; ${midge}`);
  }

  /** start is the start of a system. */
  start(slot: 'A' | 'B', programs: Programs = {}): void {
    this.#boot(slot);
    this.put({ service: HEALTHY, ...programs });
    this.#write('/run/midge-boot/data', '');
    this.run('arrive');
  }

  run(...words: readonly string[]): string {
    const env = {
      PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
      MIDGE_SLOTS_ROOT: this.#root,
      MIDGE_SLOTS_HEALTHY: '5',
      MIDGE_SLOTS_PATIENCE: '5',
      ...Object.fromEntries(
        ['devmem', 'reboot', 'rauc', 'log', 'show', 'midge'].map((name) => [
          `MIDGE_SLOTS_${name.toUpperCase()}`,
          this.path(`/bin/${name}`),
        ]),
      ),
    };
    const { status, stdout, stderr } = spawnSync(SCRIPT, words, { encoding: 'utf8', env });
    if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  calls(): string[] {
    const file = this.path('/calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  events(): string {
    return readFileSync(this.path('/run/midge-boot/data'), 'utf8').trim();
  }

  autoboot(): string {
    return readFileSync(this.path('/boot/firmware/autoboot.txt'), 'utf8').trim().split('\n').at(-1) ?? '';
  }

  #boot(slot: string): void {
    this.#write('/proc/cmdline', `console=tty0 root=PARTUUID=4d494447-05 rauc.slot=${slot} ro\n`);
  }

  #program(name: string, text: string): void {
    this.#write(`/bin/${name}`, `#!/bin/sh\n${text}\n`);
    chmodSync(this.path(`/bin/${name}`), 0o755);
  }

  #write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }
}
