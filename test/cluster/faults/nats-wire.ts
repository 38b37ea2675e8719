// Stands between a broker and its NATS server, and stops at a word that the broker says: all before it has been said, and nothing behind it.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

const LINE_END = Buffer.from('\r\n');
/** What a question is known by, as `ask` in session-words.ts. */
const ASK = /"ask":"([a-z]+)"/;

/** Stop is a question of one broker to another, or the answer to it. */
export interface Stop {
  readonly part: 'question' | 'answer';
  readonly ask: string;
  /** The broker that is asked. */
  readonly of: string;
}

/** NatsWire is the wire of one broker. */
export class NatsWire {
  readonly port: number;
  /** Where answers to the questions of a kind go. */
  readonly #replies = new Map<string, string>();
  #stop: Stop | null = null;
  #reached: () => void = () => {};
  #held: { readonly bytes: Buffer[]; readonly to: Socket } | null = null;

  private constructor(port: number) {
    this.port = port;
  }

  /** open listens; it ends with the test. */
  static async open(test: TestContext, natsPort: number): Promise<NatsWire> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(natsPort, '127.0.0.1');
      wire.#join(near, far);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    test.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const wire = new NatsWire((server.address() as AddressInfo).port); // it listens on TCP
    return wire;
  }

  /** stopAt resolves when the broker says it; nothing of it goes on until `release`. */
  stopAt(stop: Stop): Promise<void> {
    this.#stop = stop;
    this.#replies.clear();
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  /** release lets go on what was held. */
  release(): void {
    const held = this.#held;
    this.#stop = null;
    this.#held = null;
    for (const bytes of held?.bytes ?? []) held?.to.write(bytes);
  }

  #join(near: Socket, far: Socket): void {
    const said = new NatsReader();
    const heard = new NatsReader();
    near.on('data', (chunk) => {
      for (const message of said.read(chunk)) {
        if (this.#held?.to === far) this.#held.bytes.push(message.bytes);
        else if (this.#isStop(message)) {
          this.#held = { bytes: [message.bytes], to: far };
          this.#reached();
        } else far.write(message.bytes);
      }
    });
    far.on('data', (chunk) => {
      for (const { words, payload } of heard.read(chunk)) {
        const ask = ASK.exec(payload)?.[1];
        const [, subject = '', , reply = ''] = words;
        if (ask !== undefined && words[0] === 'MSG' && words.length === 5) this.#replies.set(reply, `${ask} ${nameIn(subject)}`);
      }
      near.write(chunk);
    });
  }

  #isStop({ words: [verb, subject = ''], payload }: NatsMessage): boolean {
    const stop = this.#stop;
    if (stop === null || verb !== 'PUB') return false;
    if (stop.part === 'answer') return this.#replies.get(subject) === `${stop.ask} ${stop.of}`;
    return nameIn(subject) === stop.of && subject.endsWith('.clients') && ASK.exec(payload)?.[1] === stop.ask;
  }
}

/** The broker in `midge.CLUSTER.ID.clients`. */
function nameIn(subject: string): string {
  return subject.split('.')[2] ?? '';
}

/** NatsMessage is one operation of NATS' protocol for clients, both ways. */
interface NatsMessage {
  readonly words: readonly string[];
  /** Its text; '' where it has none. */
  readonly payload: string;
  readonly bytes: Buffer;
}

class NatsReader {
  #pending: Buffer = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<NatsMessage> {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const lineEnd = this.#pending.indexOf(LINE_END);
      if (lineEnd < 0) return;
      const words = this.#pending.toString('latin1', 0, lineEnd).split(' ');
      const begin = lineEnd + LINE_END.length;
      const size = ['PUB', 'HPUB', 'MSG', 'HMSG'].includes(words[0] ?? '') ? Number(words.at(-1)) + LINE_END.length : 0;
      if (this.#pending.length < begin + size) return;
      const payload = this.#pending.toString('latin1', begin, begin + Math.max(0, size - LINE_END.length));
      const bytes = this.#pending.subarray(0, begin + size);
      this.#pending = this.#pending.subarray(begin + size);
      yield { words, payload, bytes };
    }
  }
}
