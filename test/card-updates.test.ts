// Updates of the card with the real rauc on files: what it asks of its backend and what stands in autoboot.txt after each step, what is refused, and what an
// update that was killed leaves behind. The systems are files of random bytes; `npm run test:image` boots real ones.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type CardMachine, cardMachine, upgradeCard } from '../src/cli/card-upgrade.ts';
import type { Terminal } from '../src/terminal/command.ts';
import { temporaryFolder } from './support/disk/temporary-folder.ts';
import { missing } from './support/process/foreign-program.ts';
import { type WatchedProcess, watchProcess } from './support/process/watched-process.ts';

const ROOT = join(import.meta.dirname, '..');
const SCRIPT = join(ROOT, 'rootfs/usr/libexec/midge/slots');
const COMPATIBLE = /^compatible=(.*)$/m.exec(readFileSync(join(ROOT, 'rootfs/etc/rauc/system.conf'), 'utf8'))?.[1] ?? '';
const KILLS = 5;
const SLOT_BYTES = 2 ** 23;

const skip =
  missing(['rauc', 'mksquashfs', 'dbus-daemon', 'dbus-send', 'openssl'], 'rauc squashfs-tools dbus') ||
  (process.getuid?.() === 0 ? false : 'only root mounts an update');

test('rauc leads the backend from an update to the good system, and autoboot.txt changes last', { skip }, async (t) => {
  const box = await Box.create(t);
  const bundle = box.bundle('2.0.0');
  const before = box.digests();
  assert.equal(await box.upgrade(bundle), 0);
  assert.deepEqual(box.asked(), ['set-state B bad', 'set-primary B']);
  assert.equal(box.autoboot(), 2);
  assert.deepEqual([box.digests().bootA, box.digests().rootA], [before.bootA, before.rootA]);
  assert.notEqual(box.digests().rootB, before.rootB);
  assert.deepEqual([box.slots('get-primary'), box.slots('get-state', 'B')], ['B', 'good']);

  box.slots('try');
  assert.deepEqual([box.calls(), box.autoboot()], [['devmem 0x3f100020 32', 'devmem 0x3f100020 32 0x5a000025', 'reboot'], 2]);
  await box.start('B');
  box.slots('arrive');
  assert.deepEqual([box.calls().at(-1), box.autoboot()], ['devmem 0x3f100020 32 0x5a000020', 2]);
  execFileSync('rauc', ['-c', box.configuration, 'status', 'mark-good'], { stdio: 'pipe' });
  assert.deepEqual([box.asked().at(-1), box.autoboot()], ['set-state B good', 3]);
  assert.equal(box.slots('get-primary'), 'B');
});

test('card upgrade refuses what rauc does not take, and what is for another board or older, with nothing changed', { skip }, async (t) => {
  const box = await Box.create(t);
  const stranger = box.signer('owner');
  const ofStranger = box.bundle('2.0.0', { signer: stranger });
  const good = box.bundle('2.0.0');
  const changed = box.copy(good, (bytes) => bytes.fill(0x55, 100, 200));
  const before = box.digests();
  for (const [bundle, wanted] of [
    [ofStranger, /nobody whom this card trusts has signed the update/],
    [changed, /nobody whom this card trusts has signed the update, or it was changed since/],
    [box.copy(good, (bytes) => bytes.subarray(0, bytes.length / 2)), /not a whole update: it is truncated or damaged/],
    [box.copy(good, () => Buffer.from('something else')), /not a whole update: it is truncated or damaged, or something else/],
    [box.bundle('2.0.0', { compatible: 'other-board' }), /the update is for "other-board", and this machine is "midge-raspberrypi-arm64"/],
    [box.bundle('0.9.0'), /the update is midge 0\.9\.0, older than 1\.0\.0/],
  ] as const)
    await assert.rejects(box.upgrade(bundle), wanted);
  assert.deepEqual(box.digests(), before);
  assert.deepEqual([box.asked(), box.autoboot(), box.slots('get-primary')], [[], 2, 'A']);

  box.trust(stranger);
  assert.equal(await box.upgrade(ofStranger), 0, "the owner's own key is taken now");
  assert.equal(box.slots('get-primary'), 'B');
});

test('card upgrade is refused while a system is on trial: the only good one is not written over', { skip }, async (t) => {
  const box = await Box.create(t);
  const [first, second] = [box.bundle('2.0.0'), box.bundle('3.0.0')];
  assert.equal(await box.upgrade(first), 0);
  box.slots('try');
  await box.start('B');
  box.slots('arrive');
  const [before, asked] = [box.digests(), box.asked()];
  await assert.rejects(box.upgrade(second), /on trial/);
  assert.deepEqual([box.digests(), box.asked(), box.autoboot(), box.slots('get-primary')], [before, asked, 2, 'B']);
});

test(`card starts the system from before when the update was killed at a moment of chance, ${KILLS} times`, { skip }, async (t) => {
  const box = await Box.create(t);
  const bundle = box.bundle('2.0.0');
  const before = box.digests();
  for (let kill = 0; kill < KILLS; kill++) {
    const installed = box.upgrade(bundle).catch(() => null);
    await delay(randomInt(1500)); // the moment is the point
    await box.service.kill();
    await installed;
    assert.deepEqual([box.digests().bootA, box.digests().rootA, box.autoboot()], [before.bootA, before.rootA, 2]);
    // Only a system that is whole waits for a trial.
    if (box.slots('get-primary') === 'B') assert.deepEqual([box.rootB(), box.slots('get-state', 'B')], [box.image, 'good']);
    await box.start('A');
  }
  assert.equal(await box.upgrade(bundle), 0);
  assert.deepEqual([box.slots('get-primary'), box.rootB()], ['B', box.image]);
});

/** Signer is a certificate, its key, and the authority above. */
interface Signer {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Box has files for partitions, the real backend below a folder, and a bus and a service of rauc of its own. */
class Box {
  readonly #test: TestContext;
  readonly #root: string;
  readonly #bus: string;
  readonly #project: Signer;
  readonly configuration: string;
  /** Of the root partition in every bundle. */
  readonly image: string;
  service!: WatchedProcess;

  static async create(t: TestContext): Promise<Box> {
    const bus = watchProcess(t, ['dbus-daemon', ['--session', '--nofork', '--print-address']]);
    const box = new Box(t, await bus.line(/^unix:/));
    await box.start('A');
    return box;
  }

  private constructor(t: TestContext, bus: string) {
    this.#test = t;
    this.#bus = bus;
    this.#root = temporaryFolder(t);
    // rauc's client and service look there.
    const old = { ...process.env };
    t.after(() => {
      for (const name of ['DBUS_SESSION_BUS_ADDRESS', 'DBUS_STARTER_BUS_TYPE']) {
        if (old[name] === undefined) delete process.env[name];
        else process.env[name] = old[name];
      }
    });
    process.env['DBUS_SESSION_BUS_ADDRESS'] = bus;
    process.env['DBUS_STARTER_BUS_TYPE'] = 'session';
    this.#project = this.signer('project');
    for (const name of ['bootA', 'rootA', 'bootB', 'rootB']) this.#write(name, randomBytes(SLOT_BYTES));
    const image = randomBytes(SLOT_BYTES);
    this.#write('image', image);
    this.image = sha256(image);
    this.#write('box/boot/firmware/autoboot.txt', readFileSync(join(ROOT, 'rootfs/boot/firmware/autoboot.txt')));
    this.#write('box/proc/iomem', '3f100000-3f100113 : 3f100000.watchdog watchdog@7e100000\n');
    this.#program('devmem', `echo "devmem $*" >>${this.#path('calls')}; [ $# -gt 2 ] || echo 0x00000020`);
    this.#program('reboot', `echo reboot >>${this.#path('calls')}`);
    this.#program('midge', 'echo nothing was changed.');
    this.#program('backend', `echo "$*" >>${this.#path('asked')}\n${this.#environment()} exec ${SCRIPT} "$@"`);
    for (const name of ['mnt', 'data', 'keys']) mkdirSync(this.#path(name));
    this.configuration = this.#path('system.conf');
    const slot = (kind: string, at: number, more: string) =>
      `[slot.${kind}.${at}]\ndevice=${this.#path(`${kind === 'rootfs' ? 'root' : kind}${'AB'[at]}`)}\ntype=raw\n${more}\n`;
    const slots = [0, 1].map((at) => slot('rootfs', at, `bootname=${'AB'[at]}`) + slot('boot', at, `parent=rootfs.${at}`)).join('');
    this.#write(
      'system.conf',
      `[system]\ncompatible=${COMPATIBLE}\nbootloader=custom\nbundle-formats=plain\ndata-directory=${this.#path('data')}\nmountprefix=${this.#path('mnt')}
[keyring]\npath=${this.#project.authority}\ndirectory=${this.#path('keys')}\nuse-bundle-signing-time=true
[handlers]\nbootloader-custom-backend=${this.#path('bin/backend')}\n${slots}`,
    );
  }

  /** start is the start of a system: with it goes all that ran, and what was mounted. */
  async start(slot: 'A' | 'B'): Promise<void> {
    await this.service?.kill();
    this.#write('box/proc/cmdline', `rauc.slot=${slot}\n`);
    const words = ['-m', 'rauc', '-c', this.configuration, `--override-boot-slot=${slot}`, 'service'];
    this.service = watchProcess(this.#test, ['unshare', words]);
    while (!this.#isAnswering()) await delay(50);
  }

  upgrade(bundle: string): Promise<number> {
    const real = cardMachine(() => true);
    const machine: CardMachine = {
      ...real,
      compatible: () => COMPATIBLE,
      run: (program, ...words) => (program === 'rauc' ? real.run(program, '-c', this.configuration, ...words) : this.slots(...words)),
      follow: (program, ...words) => real.follow(program, '-c', this.configuration, ...words),
    };
    const terminal = { stdout: { write: () => true } } as unknown as Terminal; // all that is used of it
    return upgradeCard({ bundle, current: '1.0.0', allowDowngrade: false, isDry: false, terminal, machine });
  }

  slots(...words: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', `${this.#environment()} exec ${SCRIPT} "$@"`, 'sh', ...words], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return stdout.trim();
  }

  /** asked are the changes that rauc has asked of its backend. */
  asked(): string[] {
    return this.#lines('asked').filter((line) => line.startsWith('set-'));
  }

  calls(): string[] {
    return this.#lines('calls');
  }

  autoboot(): number {
    return Number(/^boot_partition=(\d)$/m.exec(readFileSync(this.#path('box/boot/firmware/autoboot.txt'), 'utf8'))?.[1]);
  }

  digests(): Readonly<Record<'bootA' | 'rootA' | 'bootB' | 'rootB', string>> {
    const of = (name: string) => sha256(readFileSync(this.#path(name)));
    return { bootA: of('bootA'), rootA: of('rootA'), bootB: of('bootB'), rootB: of('rootB') };
  }

  rootB(): string {
    return this.digests().rootB;
  }

  signer(name: string): Signer {
    const folder = this.#path(name);
    execFileSync(join(ROOT, 'build/image/keys.sh'), [folder]);
    return { authority: join(folder, 'authority.pem'), certificate: join(folder, 'release.pem'), key: join(folder, 'release.key') };
  }

  /** trust puts an authority where the owner of a card does. */
  trust({ authority }: Signer): void {
    const hash = execFileSync('openssl', ['x509', '-hash', '-noout', '-in', authority], { encoding: 'utf8' }).trim();
    let number = 0;
    for (; this.#lines(`keys/${hash}.${number}`).length > 0; ) number++;
    copyFileSync(authority, this.#path(`keys/${hash}.${number}`));
  }

  bundle(version: string, { signer = this.#project, compatible = COMPATIBLE }: { signer?: Signer; compatible?: string } = {}): string {
    const content = mkdtempSync(this.#path('bundle-'));
    for (const name of ['root.img', 'boot.img']) copyFileSync(this.#path('image'), join(content, name));
    const images = '[image.rootfs]\nfilename=root.img\n[image.boot]\nfilename=boot.img\n';
    writeFileSync(
      join(content, 'manifest.raucm'),
      `[update]\ncompatible=${compatible}\nversion=${version}\n[bundle]\nformat=plain\n${images}`,
    );
    const path = `${content}.raucb`;
    execFileSync('rauc', ['bundle', `--cert=${signer.certificate}`, `--key=${signer.key}`, content, path], { stdio: 'pipe' });
    rmSync(content, { recursive: true });
    return path;
  }

  copy(bundle: string, change: (bytes: Buffer) => Buffer): string {
    const path = `${mkdtempSync(this.#path('copy-'))}/x.raucb`;
    writeFileSync(path, change(readFileSync(bundle)));
    return path;
  }

  #isAnswering(): boolean {
    const method = 'org.freedesktop.DBus.NameHasOwner';
    const words = [`--bus=${this.#bus}`, '--print-reply', '--dest=org.freedesktop.DBus', '/', method, 'string:de.pengutronix.rauc'];
    return spawnSync('dbus-send', words, { encoding: 'utf8' }).stdout.includes('boolean true');
  }

  #environment(): string {
    const bin = (name: string) => `MIDGE_SLOTS_${name.toUpperCase()}=${this.#path(`bin/${name}`)}`;
    return `MIDGE_SLOTS_ROOT=${this.#path('box')} ${['devmem', 'reboot', 'midge'].map(bin).join(' ')}`;
  }

  #lines(name: string): string[] {
    try {
      return readFileSync(this.#path(name), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }

  #program(name: string, text: string): void {
    this.#write(`bin/${name}`, `#!/bin/sh\n${text}\n`);
    chmodSync(this.#path(`bin/${name}`), 0o755);
  }

  #write(name: string, bytes: string | Buffer): void {
    mkdirSync(dirname(this.#path(name)), { recursive: true });
    writeFileSync(this.#path(name), bytes);
  }

  #path(name: string): string {
    return join(this.#root, name);
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
