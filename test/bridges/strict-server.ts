// A far broker that is stricter than any that is installed here: it has the limits of the big services, and notes who does not keep them.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Decoder } from '../../src/mqtt/decoder.ts';
import { encodeConnack, encodeDisconnect, encodeSuback, encodeUnsuback } from '../../src/mqtt/encode.ts';
import { FIRST_BYTE, PACKET_TYPE } from '../../src/mqtt/packet-types.ts';
import { type ConnectPacket, readAck, readConnect, readSubscribe, readUnsubscribe } from '../../src/mqtt/packets.ts';
import type { Properties } from '../../src/mqtt/properties.ts';
import { readPublish } from '../../src/mqtt/publish-packet.ts';
import { REASON, type ReasonCode } from '../../src/mqtt/reason-codes.ts';

/** Rules: what is left out is allowed. */
export interface Rules {
  /** Of CONNACK, MQTT 5, and kept to: Receive Maximum, Maximum QoS, Maximum Packet Size, Retain Available. */
  readonly connack?: Properties;
  readonly mostFilters?: number;
  readonly mostUnacknowledged?: number;
  readonly maximumQos?: number;
  readonly closesOnBridgeBit?: boolean;
  /** What a broker of MQTT 3.1.1 does about MQTT 5: it says in its own version that it does not speak it, or closes the connection. */
  readonly aboutMqtt5?: 'says no' | 'closes';
  /** Of CONNECT, in seconds; and the client ids that are let in. */
  readonly mostKeepAlive?: number;
  readonly clientIds?: RegExp;
  /** Topics that a publisher is thrown out for. */
  readonly closesOnTopic?: RegExp;
  /** Gives the reason code for a topic filter. */
  readonly grants?: (topicFilter: string) => number;
  /** A DISCONNECT right after CONNACK. */
  readonly disconnect?: { readonly reason: ReasonCode; readonly properties: Properties };
  /** Closes after CONNACK without a word. */
  readonly closesAtOnce?: boolean;
  /** Does not even answer CONNECT. */
  readonly saysNothing?: boolean;
  /** Answers nothing after CONNACK. */
  readonly isMute?: boolean;
}

export interface StrictServer {
  readonly port: number;
  readonly connects: readonly ConnectPacket[];
  readonly subscribes: readonly (readonly string[])[];
  readonly published: readonly { readonly topic: string; readonly text: string; readonly qos: number; readonly retain: boolean }[];
  /** What was done against the rules. */
  readonly violations: readonly string[];
  /** The most PUBLISH packets that waited for their acknowledgement at once. */
  readonly mostWaiting: number;
  /** cut ends all connections. */
  cut(): void;
}

/** strictServer listens until the test ends. */
export async function strictServer(test: TestContext, rules: Rules): Promise<StrictServer> {
  const server = new Strict(rules);
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    server.serve(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  server.port = (listener.address() as AddressInfo).port;
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return server;
}

class Strict implements StrictServer {
  port = 0;
  readonly connects: ConnectPacket[] = [];
  readonly subscribes: (readonly string[])[] = [];
  readonly published: { topic: string; text: string; qos: number; retain: boolean }[] = [];
  readonly violations: string[] = [];
  mostWaiting = 0;
  readonly #rules: Rules;
  readonly #sockets = new Set<Socket>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  serve(socket: Socket): void {
    const client = { version: 4 as 3 | 4 | 5, waiting: [] as Buffer[] };
    const decoder = new Decoder(
      {
        onPacket: (buffer, start, body, end) => {
          if (!socket.writableEnded) this.#take(socket, client, buffer, start, body, end);
          return true;
        },
      },
      1_000_000,
    );
    socket.on('data', (chunk) => decoder.push(chunk));
  }

  #take(socket: Socket, client: { version: 3 | 4 | 5; waiting: Buffer[] }, buffer: Buffer, start: number, body: number, end: number): void {
    const rules = this.#rules;
    const { version } = client;
    const violate = (words: string) => {
      this.violations.push(words);
      socket.destroy();
    };
    switch (buffer[start]! >> 4) {
      case PACKET_TYPE.CONNECT:
        return this.#connect(socket, client, readConnect(buffer, body, end));
      case PACKET_TYPE.SUBSCRIBE: {
        if (rules.isMute) return;
        const { packetId, requests } = readSubscribe(buffer, body, end, version);
        this.subscribes.push(requests.map(({ topicFilter }) => topicFilter));
        if (requests.length > (rules.mostFilters ?? 1000)) return violate(`${requests.length} filters`);
        socket.write(
          encodeSuback(
            version,
            packetId,
            requests.map(({ topicFilter, qos }) => rules.grants?.(topicFilter) ?? qos),
          ),
        );
        return;
      }
      case PACKET_TYPE.UNSUBSCRIBE: {
        const { packetId, topicFilters } = readUnsubscribe(buffer, body, end, version);
        socket.write(
          encodeUnsuback(
            version,
            packetId,
            topicFilters.map(() => 0),
          ),
        );
        return;
      }
      case PACKET_TYPE.PUBLISH: {
        const packet = readPublish(buffer, start, body, end, version === 5);
        const { qos, retain, packetId } = packet;
        const topic = buffer.toString('utf8', packet.topicStart, packet.topicEnd);
        if (rules.closesOnTopic?.test(topic)) return violate(`a message to ${topic}`);
        if (qos > (rules.maximumQos ?? rules.connack?.maximumQos ?? 2)) return violate(`QoS ${qos}`);
        if (retain && rules.connack?.retainAvailable === 0) return violate('RETAIN');
        if (end - start > (rules.connack?.maximumPacketSize ?? 1_000_000)) return violate(`${end - start} bytes`);
        this.published.push({ topic, text: buffer.toString('utf8', packet.payloadStart, packet.end), qos, retain });
        if (qos === 0) return;
        const first = qos === 1 ? FIRST_BYTE.PUBACK : FIRST_BYTE.PUBREC;
        client.waiting.push(Buffer.from([first, 2, packetId >> 8, packetId & 0xff]));
        this.mostWaiting = Math.max(this.mostWaiting, client.waiting.length);
        if (client.waiting.length > (rules.connack?.receiveMaximum ?? rules.mostUnacknowledged ?? 1000)) return violate('Receive Maximum');
        if (client.waiting.length === 1) setTimeout(() => this.#acknowledge(socket, client.waiting), 2); // slowly: they gather
        return;
      }
      case PACKET_TYPE.PUBREL: {
        const { packetId } = readAck(buffer, body, end, version, PACKET_TYPE.PUBREL);
        socket.write(Buffer.from([FIRST_BYTE.PUBCOMP, 2, packetId >> 8, packetId & 0xff]));
        return;
      }
      case PACKET_TYPE.PINGREQ:
        if (!rules.isMute) socket.write(Buffer.from([0xd0, 0]));
        return;
      default:
        return;
    }
  }

  #acknowledge(socket: Socket, waiting: Buffer[]): void {
    if (!socket.destroyed) socket.write(Buffer.concat(waiting.splice(0)));
  }

  #connect(socket: Socket, client: { version: 3 | 4 | 5 }, connect: ConnectPacket): void {
    const { connack = {}, closesOnBridgeBit, aboutMqtt5, disconnect, closesAtOnce } = this.#rules;
    this.connects.push(connect);
    this.#sockets.add(socket.on('close', () => this.#sockets.delete(socket)));
    if (this.#rules.saysNothing) return;
    client.version = connect.version;
    if (connect.version === 5 && aboutMqtt5 === 'says no') return void socket.end(Buffer.from([0x20, 2, 0, 1]));
    if (connect.version === 5 && aboutMqtt5 === 'closes') return void socket.destroy();
    if (connect.keepAlive > (this.#rules.mostKeepAlive ?? 65_535)) this.violations.push(`keep alive ${connect.keepAlive}`);
    if (this.#rules.clientIds?.test(connect.clientId) === false) this.violations.push(`client id ${connect.clientId}`);
    if (connect.bridge && closesOnBridgeBit) return socket.destroy() as unknown as undefined;
    const refusal = connect.will?.retain && connack.retainAvailable === 0 ? REASON.RETAIN_NOT_SUPPORTED : REASON.SUCCESS;
    socket.write(encodeConnack(connect.version, false, refusal, refusal === REASON.SUCCESS ? connack : {})!);
    if (refusal !== REASON.SUCCESS) socket.end();
    else if (disconnect !== undefined) socket.end(encodeDisconnect(disconnect.reason, disconnect.properties));
    else if (closesAtOnce) socket.end();
  }
}
