// Either end of the bench of bridges: it counts what comes, acknowledges QoS 1, and publishes.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFrame, firstByte } from '../../src/broker/message.ts';
import { Decoder } from '../../src/mqtt/decoder.ts';
import { encodeConnack, encodeSuback, encodeUnsuback } from '../../src/mqtt/encode.ts';
import { encodeConnect, encodeSubscribe } from '../../src/mqtt/encode-client.ts';
import { FIRST_BYTE, PACKET_TYPE, type ProtocolVersion, type Qos } from '../../src/mqtt/packet-types.ts';

const PAYLOAD = Buffer.alloc(100, 'x');
const TOPIC = Buffer.from('bench/topic');
const NO_PROPERTIES = {};
/** QoS 1 messages outstanding, as many as both brokers take by default; and QoS 0 messages on their way. */
const WINDOW = 20;
const ON_THEIR_WAY = 20_000;
const BATCH = 100;
/** Milliseconds between two looks at what is due. */
const STEP_MS = 5;

/** until waits for a condition. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

/** Peer is a server for one client, or a client. */
export class Peer {
  readonly #version: ProtocolVersion;
  port = 0;
  isConnected = false;
  isSubscribed = false;
  received = 0;
  #acknowledged = 0;
  #sent = 0;
  #socket: Socket | null = null;
  #end: () => void = () => {};
  #answers: Buffer[] = [];
  #onAcknowledged: () => void = () => {};

  /** Clients speak MQTT 3.1.1, a server what its bridge speaks. */
  constructor(version: ProtocolVersion) {
    this.#version = version;
  }

  static async asServer(version: ProtocolVersion): Promise<Peer> {
    const peer = new Peer(version);
    const server = createServer({ noDelay: true }, (socket) => peer.#use(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    peer.port = (server.address() as AddressInfo).port;
    peer.#end = () => server.close();
    return peer;
  }

  static async asClient(port: number, subscribes: boolean, clientId = 'bench'): Promise<Peer> {
    const peer = new Peer(4);
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    peer.#use(socket);
    const will = { will: null, username: null, password: null, properties: NO_PROPERTIES };
    socket.write(encodeConnect({ version: 4, bridge: false, cleanStart: true, keepAlive: 0, clientId, ...will }));
    await until(() => peer.isConnected);
    const all = { topicFilter: '#', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    if (subscribes) socket.write(encodeSubscribe(4, 1, [all]));
    if (subscribes) await until(() => peer.isSubscribed);
    return peer;
  }

  end(): void {
    this.#socket?.destroy();
    this.#end();
  }

  /** publish resolves when so many have come to the other end. */
  async publish(qos: Qos, messages: number, to: Pick<Peer, 'received'>, onTheirWay = ON_THEIR_WAY): Promise<void> {
    const goal = to.received + messages;
    if (qos === 0) await this.#flood(messages, to, onTheirWay);
    else this.#keepWindow(messages);
    await until(() => to.received >= goal);
  }

  /** offer publishes so many a second, whatever comes of them, and calls back each second with the number sent so far. */
  async offer(qos: Qos, { rate, seconds }: { rate: number; seconds: number }, each: (sent: number) => void): Promise<number> {
    const began = performance.now();
    let [sent, looks] = [0, 0];
    while (sent < rate * seconds) {
      const passed = (performance.now() - began) / 1000;
      const due = Math.min(rate * seconds, Math.floor(passed * rate)) - sent;
      if (due > 0)
        this.#socket!.write(Buffer.concat(Array.from({ length: due }, () => publishPacket(this.#version, qos, (sent++ % 60_000) + 1)))); // it is connected
      if (passed > looks + 1) each(sent);
      looks = Math.floor(passed);
      await sleep(STEP_MS);
    }
    return sent;
  }

  async #flood(messages: number, to: Pick<Peer, 'received'>, onTheirWay: number): Promise<void> {
    const socket = this.#socket!; // it is connected
    const batch = Buffer.concat(Array.from({ length: BATCH }, () => publishPacket(this.#version, 0, 0)));
    const base = to.received;
    for (let sent = 0; sent < messages; sent += BATCH) {
      if (!socket.write(batch)) await once(socket, 'drain');
      await until(() => sent - (to.received - base) < onTheirWay);
    }
  }

  #keepWindow(messages: number): void {
    const end = this.#sent + messages;
    this.#onAcknowledged = () => {
      const packets: Buffer[] = [];
      while (this.#sent < end && this.#sent - this.#acknowledged < WINDOW)
        packets.push(publishPacket(this.#version, 1, (this.#sent++ % 60_000) + 1));
      if (packets.length > 0) this.#socket!.write(Buffer.concat(packets)); // as above
    };
    this.#onAcknowledged();
  }

  #use(socket: Socket): void {
    this.#socket = socket;
    const decoder = new Decoder({ onPacket: (buffer, start, body, end) => this.#take(buffer, start, body, end) }, 1_000_000);
    socket.on('error', () => {}); // the broker is stopped
    socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk);
      if (this.#answers.length > 0) socket.write(Buffer.concat(this.#answers));
      this.#answers = [];
      this.#onAcknowledged();
    });
  }

  #take(buffer: Buffer, start: number, body: number, end: number): boolean {
    const packetId = end - body < 2 ? 0 : buffer.readUInt16BE(body); // of PUBLISH, the length of its topic
    switch (buffer[start]! >> 4) {
      case PACKET_TYPE.CONNECT:
        this.isConnected = true;
        this.#answers.push(encodeConnack(this.#version, false, 0, NO_PROPERTIES)!);
        break;
      case PACKET_TYPE.CONNACK:
        this.isConnected = true;
        break;
      case PACKET_TYPE.SUBSCRIBE:
        this.isSubscribed = true;
        this.#answers.push(encodeSuback(this.#version, packetId, [1]));
        break;
      case PACKET_TYPE.SUBACK:
        this.isSubscribed = true;
        break;
      case PACKET_TYPE.UNSUBSCRIBE:
        this.#answers.push(encodeUnsuback(this.#version, packetId, [0]));
        break;
      case PACKET_TYPE.PUBACK:
        this.#acknowledged++;
        break;
      case PACKET_TYPE.PUBLISH: {
        this.received++;
        const at = body + 2 + packetId;
        if ((buffer[start]! & 0x06) !== 0) this.#answers.push(Buffer.from([FIRST_BYTE.PUBACK, 2, buffer[at]!, buffer[at + 1]!]));
        break;
      }
    }
    return true;
  }
}

function publishPacket(version: ProtocolVersion, qos: Qos, packetId: number): Buffer {
  const { bytes, packetIdAt } = encodeFrame(TOPIC, PAYLOAD, version === 5 ? Buffer.alloc(0) : null, qos > 0);
  bytes[0] = firstByte(qos, false, false);
  if (packetIdAt >= 0) bytes.writeUInt16BE(packetId, packetIdAt);
  return bytes;
}
