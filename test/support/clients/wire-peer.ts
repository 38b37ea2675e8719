// The far end of a connection in tests: sends bytes as they are, gives what comes back packet by packet.

import type { Duplex } from 'node:stream';
import { type Bindings, hex, matches, readLength, splitProperties, type Version } from '../protocol/hex-template.ts';

/** Milliseconds before a test gives up on something that must come. Longer than any healthy broker needs, shorter than patience. */
const PATIENCE = 30_000;

export const CLOSED = Symbol('closed');

/** WirePeer is one network connection of a test client. */
export class WirePeer {
  readonly version: Version;
  readonly #stream: Duplex;
  readonly #bytewise: boolean;
  readonly #packets: Buffer[];
  #pending: Buffer;
  #closed: boolean;
  #wake: (() => void) | null;

  /** Options: the version that templates are read for, and whether each byte is sent by a write of its own. */
  constructor(stream: Duplex, options: { version?: Version; bytewise?: boolean } = {}) {
    this.version = options.version ?? 5;
    this.#stream = stream;
    this.#bytewise = options.bytewise ?? false;
    this.#packets = [];
    this.#pending = Buffer.alloc(0);
    this.#closed = false;
    this.#wake = null;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('end', () => {
      stream.end(); // as a client without half-open sockets does
      this.#finish();
    });
    stream.on('close', () => this.#finish());
    stream.on('error', () => this.#finish());
  }

  /** send writes bytes, or the bytes of a template (see hex-template.ts). */
  send(packet: string | Buffer, bindings?: Bindings): void {
    const bytes = typeof packet === 'string' ? hex(packet, this.version, bindings) : packet;
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    if (!this.#bytewise) this.#stream.write(bytes);
    else for (let i = 0; i < bytes.length; i++) this.#stream.write(bytes.subarray(i, i + 1));
  }

  /** next gives the next packet, or CLOSED when the server has closed the connection. Throws when neither comes. */
  async next(): Promise<Buffer | typeof CLOSED> {
    if (this.#packets.length === 0 && !this.#closed) await this.#event();
    const packet = this.#packets.shift();
    if (packet !== undefined) return packet;
    if (!this.#closed) throw new Error(`nothing came within ${PATIENCE / 1000} s`);
    return CLOSED;
  }

  /** expect takes the next packet and throws when it is not as the template says. */
  async expect(template: string, bindings?: Bindings): Promise<Buffer> {
    const packet = await this.#nextFor(template);
    if (!matches(template, canonical(packet, this.version), this.version, bindings))
      throw new Error(`expected ${template}, got ${show(packet)}`);
    return packet;
  }

  /** expectExactly is expect without allowing other forms of the same meaning (see canonical). */
  async expectExactly(template: string): Promise<void> {
    const packet = await this.#nextFor(template);
    if (!matches(template, packet, this.version)) throw new Error(`expected exactly ${template}, got ${show(packet)}`);
  }

  async #nextFor(template: string): Promise<Buffer> {
    const packet = await this.next().catch((error: Error) => {
      throw new Error(`expected ${template}, but ${error.message}`);
    });
    if (packet === CLOSED) throw new Error(`expected ${template}, but the connection was closed`);
    return packet;
  }

  /** expectClosed waits until the server has closed the connection and throws when a packet comes instead. */
  async expectClosed(): Promise<void> {
    const packet = await this.next().catch((error: Error) => {
      throw new Error(`expected the connection to be closed, but ${error.message}`);
    });
    if (packet !== CLOSED) throw new Error(`expected the connection to be closed, got ${show(packet)}`);
    this.#stream.destroy();
  }

  /** expectSilence proves that nothing was on its way: the answer to a PINGREQ is the next packet. */
  async expectSilence(): Promise<void> {
    this.send('C0 00');
    const packet = await this.next().catch((error: Error) => {
      throw new Error(`expected PINGRESP, but ${error.message}`);
    });
    if (packet === CLOSED) throw new Error('expected nothing, but the connection was closed');
    if (packet[0] !== 0xd0) throw new Error(`expected nothing, got ${show(packet)}`);
  }

  /** settle waits until the server has handled all that was sent; other packets that come meanwhile are kept for later. */
  async settle(): Promise<void> {
    const kept: Buffer[] = [];
    this.send('C0 00');
    for (let packet = await this.next(); packet !== CLOSED && packet[0] !== 0xd0; packet = await this.next()) kept.push(packet);
    this.#packets.unshift(...kept);
  }

  /** waiting are packets that came and were not taken. */
  get waiting(): readonly Buffer[] {
    return this.#packets;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** end closes our side in order (TCP FIN). */
  end(): void {
    this.#stream.end();
  }

  /** abort drops the connection. */
  abort(): void {
    this.#stream.destroy();
  }

  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const length = readLength(this.#pending.subarray(1));
      if (length === null || this.#pending.length < 1 + length.end + length.value) break;
      this.#packets.push(this.#pending.subarray(0, 1 + length.end + length.value));
      this.#pending = this.#pending.subarray(1 + length.end + length.value);
    }
    this.#wake?.();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#pending.length > 0) this.#packets.push(this.#pending); // half a packet: shown, and never expected
    this.#wake?.();
  }

  #event(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, PATIENCE);
      this.#wake = () => {
        if (this.#packets.length > 0 || this.#closed) done();
      };
    });
  }
}

/** show is a packet as a failure message prints it. */
export function show(packet: Buffer): string {
  const text = packet.subarray(0, 80).toString('hex').toUpperCase().match(/../g)?.join(' ') ?? '';
  return packet.length > 80 ? `${text} ... (${packet.length} bytes)` : text;
}

/**
 * canonical shortens an acknowledgement or DISCONNECT of MQTT 5 to its shortest form: without Reason String, without an empty
 * property list, without Reason Code 0 (MQTT 5.0, 3.4.2.1, 3.14.2.1). The standard allows all forms.
 */
export function canonical(packet: Buffer, version: Version): Buffer {
  const type = packet[0]! >> 4;
  if (version !== 5 || ![4, 5, 6, 7, 14].includes(type)) return packet;
  const codeAt = type === 14 ? 2 : 4;
  if (packet.length <= codeAt) return packet;
  const length = readLength(packet.subarray(codeAt + 1));
  const all = splitProperties(length === null ? Buffer.alloc(0) : packet.subarray(codeAt + 1 + length.end));
  if (all === null || packet[1]! > 127) return packet;
  const properties = Buffer.concat(all.filter((property) => property[0] !== 0x1f));
  const code = packet[codeAt]! === 0 && properties.length === 0 ? [] : [packet[codeAt]!];
  const tail = properties.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.of(properties.length), properties]);
  const content = Buffer.concat([packet.subarray(2, codeAt), Buffer.from(code), tail]);
  return Buffer.concat([Buffer.of(packet[0]!, content.length), content]);
}
