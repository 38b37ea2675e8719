// A publisher that goes through numbered topics with QoS 1, at most 500 messages outstanding, and takes the PUBACKs as the proof that all are there.

import { Client, PLAIN, packet, text } from '../generator/client.ts';
import { uint16 } from './clients.ts';

const BATCH = 500;
const PAYLOAD = Buffer.alloc(16, '5');
const PUBLISH_QOS1 = 0x32;
const RETAIN = 0x01;

/** Loader belongs to one connection. */
export class Loader {
  readonly #client: Client;
  readonly #firstByte: number;
  #acknowledged = 0;
  #sent = 0;
  #goal = 0;
  #done: () => void = () => {};

  private constructor(port: number, retain: boolean) {
    this.#firstByte = PUBLISH_QOS1 | (retain ? RETAIN : 0);
    this.#client = new Client({ ...PLAIN, port }, 'loader', () => {
      if (++this.#acknowledged < this.#sent) return;
      if (this.#sent < this.#goal) this.#sendBatch();
      else this.#done();
    });
  }

  /** open connects. */
  static async open(port: number, { retain }: { retain: boolean }): Promise<Loader> {
    const loader = new Loader(port, retain);
    await loader.#client.open();
    return loader;
  }

  /** loadTo publishes the topics up to that number (a multiple of 500) and resolves with the seconds until the last PUBACK. */
  async loadTo(goal: number): Promise<number> {
    const began = performance.now();
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    this.#goal = goal;
    this.#sendBatch();
    await Promise.race([done, this.#client.lost]);
    return (performance.now() - began) / 1000;
  }

  close(): void {
    this.#client.close();
  }

  #sendBatch(): void {
    const frames: Buffer[] = [];
    for (let i = 0; i < BATCH; i++) {
      const number = this.#sent + i;
      const topic = text(`home/${Math.floor(number / 10_000)}/room/${Math.floor(number / 100) % 100}/sensor/${number % 100}`);
      frames.push(packet(this.#firstByte, [topic, uint16(i + 1), PAYLOAD]));
    }
    this.#sent += BATCH;
    this.#client.write(Buffer.concat(frames));
  }
}
