// A subscriber as the standard wants it: it forgets nothing when connections are lost, and takes QoS 2 messages once (4.3.3, method B).

import { ackBytes, openRawClient, type RawClient, type RawPacket, readPublish, subscribeBytes } from './raw-client.ts';

const PUBLISH = 3;
const PUBREL = 6;
const SUBACK = 9;
const PUBACK_FIRST = 0x40;
const PUBREC_FIRST = 0x50;
const PUBCOMP_FIRST = 0x70;

/** SteadfastSubscriber has a kept session with one subscription of QoS 2. */
export class SteadfastSubscriber {
  readonly name: string;
  readonly #version: 4 | 5;
  readonly #topicFilter: string;
  /** Payload and QoS of every PUBLISH that is not the repetition of a QoS 2 one. */
  readonly #onMessage: (payload: Buffer, qos: number) => void;
  readonly #mayBeForgotten: boolean;
  /** Packet identifiers of QoS 2 messages that are here and not released. */
  readonly #incoming: Set<number>;
  #client: RawClient | null;
  #hasSubscribed: boolean;

  /** `mayBeForgotten`: it subscribes again when its session is gone; else that is an error. */
  constructor(
    name: string,
    version: 4 | 5,
    topicFilter: string,
    onMessage: (payload: Buffer, qos: number) => void,
    { mayBeForgotten = false } = {},
  ) {
    this.#mayBeForgotten = mayBeForgotten;
    this.name = name;
    this.#version = version;
    this.#topicFilter = topicFilter;
    this.#onMessage = onMessage;
    this.#incoming = new Set();
    this.#client = null;
    this.#hasSubscribed = false;
  }

  /** attach connects, the first time with a SUBSCRIBE. Rejects when the session is gone, or the broker ends the connection. */
  async attach(port: number | string): Promise<void> {
    const options = { port, clientId: this.name, version: this.#version, clean: false };
    const { client, hasSession } = await openRawClient(options, (packet, from) => this.#take(packet, from));
    this.#client = client;
    const isForgotten = this.#mayBeForgotten && this.#hasSubscribed && !hasSession;
    if (hasSession !== this.#hasSubscribed && !isForgotten) throw new Error(`session "${this.name}" is ${hasSession ? 'there' : 'gone'}`);
    if (hasSession) return;
    this.#incoming.clear();
    await client.ask(subscribeBytes(this.#version, this.#topicFilter, 2), SUBACK);
    this.#hasSubscribed = true;
  }

  /** isAttached tells whether it has a connection, which the broker has not ended. */
  get isAttached(): boolean {
    return this.#client?.isOpen === true;
  }

  detach(): void {
    this.#client?.abort();
    this.#client = null;
  }

  #take(packet: RawPacket, from: RawClient): void {
    if (packet.first >> 4 === PUBREL) {
      const packetId = packet.body.readUInt16BE(0);
      this.#incoming.delete(packetId);
      from.send(ackBytes(PUBCOMP_FIRST, packetId));
      return;
    }
    if (packet.first >> 4 !== PUBLISH) throw new Error(`${this.name}: unexpected packet ${packet.first.toString(16)}`);
    const { payload, qos, packetId } = readPublish(this.#version, packet);
    if (qos < 2 || !this.#incoming.has(packetId)) this.#onMessage(payload, qos);
    if (qos === 2) this.#incoming.add(packetId);
    if (qos > 0) from.send(ackBytes(qos === 1 ? PUBACK_FIRST : PUBREC_FIRST, packetId));
  }
}
