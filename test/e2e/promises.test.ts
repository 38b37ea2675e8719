// What a client was told is there when the power goes right after that, and all that was not synced is lost: the table in docs/storage.md.
//
// The rows that have more to them (QoS 2 both ways, checkpoints, torn writes) are also in power-cut-disk.test.ts, which cuts at any call.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { dial } from '../support/clients/dial.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { NO_COMPILER } from '../support/disk/disk-recorder.ts';
import { ForgetfulDisk } from '../support/disk/forgetful-disk.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';
import type { WatchedProcess } from '../support/process/watched-process.ts';

/** Box is a machine whose power can be cut. */
class Box {
  readonly #test: TestContext;
  readonly #folder: string;
  readonly #disk: ForgetfulDisk;
  #broker: WatchedProcess | null;
  #port: number;

  constructor(t: TestContext) {
    this.#folder = temporaryFolder(t);
    const state = join(this.#folder, 'state/midge');
    mkdirSync(state, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#folder, 'midge.conf'), 'allow_anonymous true\npersistence true\nqueue_qos0_messages true\n');
    this.#test = t;
    this.#disk = new ForgetfulDisk(state, this.#folder);
    this.#broker = null;
    this.#port = 0;
  }

  async start(): Promise<void> {
    this.#disk.begin();
    const words = ['serve', '-p', '0', '-c', join(this.#folder, 'midge.conf')];
    this.#broker = startMidge(this.#test, this.#folder, words, { env: this.#disk.env });
    this.#port = await openPort(this.#broker);
  }

  /** come connects a client and resolves when CONNACK has come. */
  async come(clientId: string, { flags = '02', will = '', isThere = false } = {}): Promise<WirePeer> {
    const peer = dial(this.#port, { version: 4 });
    this.#test.after(() => peer.abort());
    peer.send(`10 [ PROTOCOL ${flags} 0000 '${clientId}' ${will} ]`);
    await peer.expect(isThere ? '20 02 01 00' : '20 02 00 00');
    return peer;
  }

  /** onDisk resolves when a commit with this text was synced. */
  async onDisk(text: string): Promise<void> {
    while (!this.#disk.isSynced('midge.db-wal', text)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** cutPower ends the broker, loses what was not synced, and starts it again. */
  async cutPower(): Promise<void> {
    await this.#broker?.kill();
    this.#disk.cut('lost', 'midge.db-wal');
    await this.start();
  }

  /** kept checks what a new client gets as retained. */
  async kept(topicFilter: string, ...packets: readonly string[]): Promise<void> {
    const reader = await this.come('reader');
    reader.send(`82 [ 0001 '${topicFilter}' 01 ]`);
    await reader.expect('90 03 0001 01');
    for (const packet of packets) await reader.expect(packet);
    await reader.expectSilence();
  }
}

const KEPT = '00';
const KEPT_WITH_WILL = '2C';
const WITH_WILL = '2E';

function promise(name: string, check: (box: Box) => Promise<void>): void {
  test(`after a power cut midge has ${name}`, { skip: NO_COMPILER }, async (t) => {
    const box = new Box(t);
    await box.start();
    await check(box);
  });
}

promise('a new session that is kept, from its CONNACK on', async (box) => {
  await box.come('phone', { flags: KEPT });
  await box.cutPower();
  await box.come('phone', { flags: KEPT, isThere: true });
});

promise('the will of a kept session, from its CONNACK on, and publishes it', async (box) => {
  await box.come('phone', { flags: KEPT });
  await box.cutPower();
  await box.come('phone', { flags: KEPT_WITH_WILL, will: "'phone/state' 'gone'", isThere: true });
  await box.cutPower();
  await box.kept('phone/state', "33 [ 'phone/state' 0001 |gone| ]");
});

promise('no session any more, from the CONNACK of a clean start on', async (box) => {
  await box.come('phone', { flags: KEPT });
  await box.cutPower();
  await box.come('phone');
  await box.cutPower();
  await box.come('phone', { flags: KEPT });
});

promise('a subscription from its SUBACK on, and none from its UNSUBACK on', async (box) => {
  const phone = await box.come('phone', { flags: KEPT });
  phone.send("82 [ 0001 'a' 01 'b' 01 ]");
  await phone.expect('90 04 0001 01 01');
  await box.cutPower();
  const again = await box.come('phone', { flags: KEPT, isThere: true });
  again.send("A2 [ 0002 'a' ]");
  await again.expect('B0 02 0002');
  await box.cutPower();
  const last = await box.come('phone', { flags: KEPT, isThere: true });
  last.send("30 [ 'a' |m| ] 30 [ 'b' |m| ]");
  await last.expect("30 [ 'b' |m| ]");
  await last.expectSilence();
});

promise('a QoS 1 message for a kept session from its PUBACK on, and a QoS 2 message from its PUBREC on, once', async (box) => {
  const phone = await box.come('phone', { flags: KEPT });
  phone.send("82 [ 0001 'a' 02 ]");
  await phone.expect('90 03 0001 02');
  phone.send('E0 00');
  await phone.expectClosed();
  const sensor = await box.come('sensor', { flags: KEPT });
  sensor.send("32 [ 'a' 0001 |one| ]");
  await sensor.expect('40 02 0001');
  await box.cutPower();
  const again = await box.come('sensor', { flags: KEPT, isThere: true });
  again.send("34 [ 'a' 0002 |two| ]");
  await again.expect('50 02 0002');
  await box.cutPower();
  const third = await box.come('sensor', { flags: KEPT, isThere: true });
  third.send("3C [ 'a' 0002 |two| ] 62 02 0002");
  await third.expect('50 02 0002');
  await third.expect('70 02 0002');
  await box.cutPower();
  const fourth = await box.come('sensor', { flags: KEPT, isThere: true });
  fourth.send("34 [ 'a' 0002 |three| ]");
  await fourth.expect('50 02 0002');
  const back = await box.come('phone', { flags: KEPT, isThere: true });
  await back.expect("32 [ 'a' 0001 |one| ]");
  await back.expect("34 [ 'a' 0002 |two| ]");
  await back.expect("34 [ 'a' 0003 |three| ]");
  await back.expectSilence();
});

promise('retained QoS 1 and 2 from PUBACK and PUBREC on, and QoS 0 within a second', async (box) => {
  const sensor = await box.come('sensor');
  sensor.send("33 [ 'k/1' 0001 |one| ]");
  await sensor.expect('40 02 0001');
  await box.cutPower();
  const again = await box.come('sensor');
  again.send("35 [ 'k/2' 0002 |two| ]");
  await again.expect('50 02 0002');
  await box.cutPower();
  const third = await box.come('sensor');
  third.send("31 [ 'k/0' |zero| ]");
  await box.onDisk('zero');
  await box.cutPower();
  await box.kept('k/#', "31 [ 'k/0' |zero| ]", "33 [ 'k/1' 0001 |one| ]", "33 [ 'k/2' 0002 |two| ]");
});

promise('the will of a client without a kept session within a second, and publishes it', async (box) => {
  await box.come('lamp', { flags: WITH_WILL, will: "'lamp/state' 'offline'" });
  await box.onDisk('offline');
  await box.cutPower();
  await box.kept('lamp/state', "33 [ 'lamp/state' 0001 |offline| ]");
});

promise('none of the QoS 0 messages that waited for a kept session', async (box) => {
  const phone = await box.come('phone', { flags: KEPT });
  phone.send("82 [ 0001 'a' 01 ]");
  await phone.expect('90 03 0001 01');
  phone.send('E0 00');
  await phone.expectClosed();
  const sensor = await box.come('sensor');
  sensor.send("30 [ 'a' |lost| ] 31 [ 'later' |later| ]");
  await box.onDisk('later');
  await box.cutPower();
  await (await box.come('phone', { flags: KEPT, isThere: true })).expectSilence();
});
