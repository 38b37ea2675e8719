// Tries a bridge once, step by step, for a person who wants to know why it does not work. The running bridge is not touched: the trial has
// another client id and a clean session, and publishes nothing unless it is asked to.

import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { reasonOf } from '../base/errors.ts';
import { LinkError } from '../broker/client/link-error.ts';
import { MqttClient, NOBODY } from '../broker/client/mqtt-client.ts';
import { encodeFrame, firstByte } from '../broker/message.ts';
import { MAX_REMAINING_LENGTH } from '../mqtt/decoder.ts';
import type { ProtocolVersion } from '../mqtt/packet-types.ts';
import type { SubscriptionRequest } from '../mqtt/packets.ts';
import type { ConnackPacket } from '../mqtt/server-packets.ts';
import { adviceFor } from './advice.ts';
import { firstManner, type Manner, PROTOCOL_NAMES, plainerManner } from './manner.ts';
import type { BridgeAddress, BridgeOptions } from './options.ts';
import type { BridgeTls } from './tls-material.ts';
import { goesOut, remoteFilter } from './topics.ts';
import { addressText, nameError, openTransport } from './transport.ts';

/** A level of the topics of a trial's messages. */
const TRIAL_LEVEL = 'midge-bridge-test';

/** TrialStep is one line of the answer. */
export interface TrialStep {
  readonly step: 'address' | 'name' | 'connection' | 'mqtt' | 'subscription' | 'publish' | 'advice';
  readonly ok: boolean;
  /** Without a full stop. */
  readonly text: string;
}

export interface TrialSetup {
  readonly tls: BridgeTls;
  /** True = it sends an empty message to one topic of each pattern that goes out. */
  readonly publishes: boolean;
  /** How one lets it send messages, for who may. */
  readonly publishHint?: string;
  /** say is told what happens, as it does. */
  say(step: TrialStep): void;
}

/** tryBridge tries every address of a bridge. Gives true when each answers and refuses nothing. */
export async function tryBridge(options: BridgeOptions, setup: TrialSetup): Promise<boolean> {
  let isGood = true;
  for (const address of options.addresses) {
    setup.say({ step: 'address', ok: true, text: addressText(address) });
    isGood = (await new Trial(options, address, setup).run()) && isGood;
  }
  return isGood;
}

class Trial {
  readonly #options: BridgeOptions;
  readonly #address: BridgeAddress;
  readonly #setup: TrialSetup;
  readonly #clientId: string;

  constructor(options: BridgeOptions, address: BridgeAddress, setup: TrialSetup) {
    this.#options = options;
    this.#address = address;
    this.#setup = setup;
    this.#clientId = `${options.remoteClientId}-test-${randomBytes(3).toString('hex')}`;
  }

  async run(): Promise<boolean> {
    if (!(await this.#findName())) return false;
    for (let manner: Manner | null = firstManner(this.#options); manner !== null; ) {
      const outcome = await this.#connect(manner);
      if (!(outcome instanceof LinkError)) return this.#subscribe(outcome);
      this.#say({ step: stepOf(outcome), ok: false, text: outcome.message });
      manner = plainerManner(manner, outcome, this.#options);
      if (manner === null) this.#advise(outcome);
      else this.#say({ step: 'advice', ok: true, text: `a bridge tries ${wordsFor(manner)} now` });
    }
    return false;
  }

  #say(step: TrialStep): void {
    this.#setup.say(step);
  }

  async #findName(): Promise<boolean> {
    const { host } = this.#address;
    if (isIP(host.replace(/%.*$/, '')) > 0) return true;
    try {
      const found = await lookup(host, { all: true });
      this.#say({ step: 'name', ok: true, text: `${host} has the address ${found.map(({ address }) => address).join(', ')}` });
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException; // as lookup throws
      const failure = nameError(host, code) ?? new LinkError('name', `the name "${host}" cannot be looked up: ${reasonOf(error)}`);
      this.#say({ step: 'name', ok: false, text: failure.message });
      this.#advise(failure);
      return false;
    }
  }

  async #connect({ version, bridgeBit }: Manner): Promise<MqttClient | LinkError> {
    const options = this.#options;
    try {
      const { signal } = new AbortController();
      const stream = await openTransport(this.#address, { options, tls: this.#setup.tls.for(this.#address), signal });
      this.#say({ step: 'connection', ok: true, text: wordsOf(stream, this.#address) });
      const client = new MqttClient(stream, NOBODY, options.maxPacketSize ?? MAX_REMAINING_LENGTH);
      const connack = await client.connect({
        version,
        bridge: bridgeBit,
        cleanStart: true,
        keepAlive: options.keepAlive,
        clientId: this.#clientId,
        will: null,
        username: options.remoteUsername,
        password: options.remotePassword === null ? null : Buffer.from(options.remotePassword),
        properties: {},
      });
      this.#say({
        step: 'mqtt',
        ok: true,
        text: `the other broker accepts the connection, ${PROTOCOL_NAMES[version]}${limitsOf(connack)}`,
      });
      return client;
    } catch (error) {
      return error instanceof LinkError ? error : new LinkError('local', reasonOf(error));
    }
  }

  async #subscribe(client: MqttClient): Promise<boolean> {
    const wanted = this.#options.topics.filter(({ direction }) => direction !== 'out');
    const requests = wanted.map(({ remotePrefix, pattern, qos }): SubscriptionRequest => {
      return { topicFilter: remotePrefix + pattern, qos, noLocal: client.version === 5, retainAsPublished: false, retainHandling: 2 };
    });
    let isGood = true;
    client.release();
    try {
      const codes = await client.subscribe(requests);
      for (const [index, { topicFilter, qos }] of requests.entries()) {
        const code = codes[index] ?? 0x80;
        const granted = code < 0x80 ? `granted with QoS ${code}${code < qos ? `, not ${qos}` : ''}` : `refused (0x${code.toString(16)})`;
        this.#say({ step: 'subscription', ok: code < 0x80, text: `${topicFilter}: ${granted}` });
        isGood &&= code < 0x80;
      }
    } catch (error) {
      this.#say({ step: 'subscription', ok: false, text: reasonOf(error) });
      isGood = false;
    }
    for (const topicFilter of this.#options.topics.filter(goesOut).map(remoteFilter)) {
      if (client.state === 'connected') isGood = (await this.#publish(client, topicFilter)) && isGood;
    }
    client.close();
    return isGood;
  }

  /** A topic without a wildcard may be somebody's: a message to it would be a real one. */
  async #publish(client: MqttClient, topicFilter: string): Promise<boolean> {
    const { publishes, publishHint = '' } = this.#setup;
    const topicName = topicFilter.replaceAll(/[+#]/g, TRIAL_LEVEL);
    if (!publishes || topicName === topicFilter) {
      const how = publishes ? 'it is the topic of real messages' : `the test would have to send a message${publishHint}`;
      this.#say({ step: 'advice', ok: true, text: `not tried: whether it lets us publish to ${topicFilter} (${how})` });
      return true;
    }
    const outcome = await client.publishOwn((packetId) => emptyMessage(topicName, packetId, client.version)).catch(reasonOf);
    const isTaken = typeof outcome === 'number' && outcome < 0x80;
    const silence = client.version === 5 ? '' : ', or drops them: before MQTT 5 a broker does not say';
    const refusal = typeof outcome === 'number' ? `refused (0x${outcome.toString(16)})` : outcome;
    this.#say({ step: 'publish', ok: isTaken, text: isTaken ? `takes messages to ${topicName}${silence}` : `${topicName}: ${refusal}` });
    return isTaken;
  }

  /** The likeliest first. */
  #advise(error: LinkError): void {
    const { fault, atConnect } = error;
    const first = adviceFor(error, this.#options, this.#address.host);
    if (first !== null) this.#say({ step: 'advice', ok: true, text: first });
    const text =
      fault === 'client id' || (fault === 'closed' && atConnect)
        ? `the trial has the client id "${this.#clientId}": a broker that knows its clients by their id may refuse this one and take "${this.#options.remoteClientId}"`
        : null;
    if (text !== null) this.#say({ step: 'advice', ok: true, text });
  }
}

function wordsFor({ version, bridgeBit }: Manner): string {
  const name = PROTOCOL_NAMES[version];
  return version === 5 || bridgeBit ? name : `${name} as a plain client (try_private)`;
}

function emptyMessage(topicName: string, packetId: number, version: ProtocolVersion): Buffer {
  const { bytes, packetIdAt } = encodeFrame(Buffer.from(topicName), Buffer.alloc(0), version === 5 ? Buffer.alloc(0) : null, true);
  bytes[0] = firstByte(1, false, false);
  bytes.writeUInt16BE(packetId, packetIdAt);
  return bytes;
}

function stepOf({ fault, atConnect }: LinkError): TrialStep['step'] {
  if (fault === 'name') return 'name';
  return atConnect || !['network', 'tls', 'websocket', 'local'].includes(fault) ? 'mqtt' : 'connection';
}

function wordsOf(stream: unknown, { scheme }: BridgeAddress): string {
  const isWebSocket = scheme === 'ws' || scheme === 'wss';
  if (stream instanceof TLSSocket) {
    const { subject, valid_to: end } = stream.getPeerCertificate();
    const day = () => new Date(end).toISOString().slice(0, 10);
    const name = subject === undefined ? '' : `, certificate of ${subject.CN ?? 'nobody by name'} valid to ${day()}`;
    return `TCP and ${stream.getProtocol()} stand${name}`;
  }
  if (isWebSocket) return scheme === 'wss' ? 'TCP, TLS and WebSocket stand' : 'TCP and WebSocket stand, without TLS';
  return 'TCP stands, without TLS';
}

function limitsOf({ properties }: ConnackPacket): string {
  const { receiveMaximum, maximumQos, retainAvailable, maximumPacketSize, serverKeepAlive, topicAliasMaximum } = properties;
  const limits = [
    ...(maximumQos === undefined ? [] : [`QoS ${maximumQos} at most`]),
    ...(retainAvailable === 0 ? ['no retained messages'] : []),
    ...(receiveMaximum === undefined ? [] : [`${receiveMaximum} messages unacknowledged`]),
    ...(maximumPacketSize === undefined ? [] : [`packets of ${maximumPacketSize} bytes`]),
    ...(topicAliasMaximum ? [`${topicAliasMaximum} topic aliases`] : []),
    ...(serverKeepAlive === undefined ? [] : [`a keep alive of ${serverKeepAlive} s`]),
  ];
  return limits.length === 0 ? '' : `; its limits: ${limits.join(', ')}`;
}
