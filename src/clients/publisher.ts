// What `midge pub` does once it is connected: one message, the same one again and again, or one per line of standard input.

import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { IClientPublishOptions, IConnackPacket, MqttClient } from 'mqtt';
import { DONE, type Ending, reasonText } from './outcome.ts';
import type { ClientTask } from './run.ts';
import type { ClientSettings } from './settings.ts';

/** Acknowledgement is what of a PUBACK or PUBREC is told. */
interface Acknowledgement {
  readonly messageId?: number;
  readonly properties?: { readonly reasonString?: string };
}

/** Publisher is the task of pub. `payload` null = lines of `stdin`. */
export class Publisher implements ClientTask {
  readonly name = 'pub';
  readonly reconnect: boolean;
  readonly #settings: ClientSettings;
  readonly #topic: string;
  readonly #payload: Buffer | null;
  readonly #stdin: Readable;
  readonly #complain: (line: string) => void;
  #end: (ending: Ending) => void;
  #begun: boolean;

  constructor(settings: ClientSettings, topic: string, payload: Buffer | null, stdin: Readable, complain: (line: string) => void) {
    this.reconnect = payload === null;
    this.#settings = settings;
    this.#topic = topic;
    this.#payload = payload;
    this.#stdin = stdin;
    this.#complain = complain;
    this.#end = () => {};
    this.#begun = false;
  }

  begin(_client: MqttClient, end: (ending: Ending) => void): void {
    this.#end = end;
  }

  connected(client: MqttClient, connack: IConnackPacket): void {
    if (this.#begun) return; // MQTT.js sends again what is not acknowledged
    this.#begun = true;
    const refused = this.#refusal(connack);
    if (refused !== null) {
      this.#complain(refused);
      this.#end(DONE);
      return;
    }
    const work = this.#payload === null ? this.#publishLines(client, connack) : this.#publishRepeatedly(client, this.#payload);
    work.then(
      () => this.#end(DONE),
      (error: unknown) => this.#end({ lines: [`Error: ${error instanceof Error ? error.message : error}`], status: 1 }),
    );
  }

  /** refusal is what libmosquitto says before it sends anything. */
  #refusal({ properties }: IConnackPacket): string | null {
    const { qos, retain } = this.#settings;
    if (this.#topic === '' && this.#properties()?.topicAlias === undefined) {
      return "Error: Invalid input. Does your topic contain '+' or '#'?";
    }
    if (properties?.maximumQoS !== undefined && qos > properties.maximumQoS) {
      return 'Error: Message QoS not supported on broker, try a lower QoS.';
    }
    return retain && properties?.retainAvailable === false ? 'Error: Retained messages not supported on broker.' : null;
  }

  async #publishRepeatedly(client: MqttClient, payload: Buffer): Promise<void> {
    for (let round = 0; round < this.#settings.repeat; round++) {
      if (round > 0 && this.#settings.repeatDelay > 0) await pause(this.#settings.repeatDelay);
      await this.#publish(client, payload);
    }
  }

  /** publishLines keeps at most -M messages in flight, fewer when the broker can only take fewer (MQTT 5 4.9). */
  async #publishLines(client: MqttClient, { properties }: IConnackPacket): Promise<void> {
    const window = Math.min(this.#settings.maxInflight, properties?.receiveMaximum ?? 65_535);
    const inflight = new Set<Promise<void>>();
    for await (const line of linesOf(this.#stdin)) {
      const sending: Promise<void> = this.#publish(client, line).finally(() => inflight.delete(sending));
      inflight.add(sending);
      if (inflight.size >= window) await Promise.race(inflight);
    }
    await Promise.all(inflight);
  }

  /** publish resolves when the message is sent (QoS 0) or acknowledged. A refusal by the broker is a warning, as in mosquitto_pub. */
  #publish(client: MqttClient, payload: Buffer): Promise<void> {
    const { qos, retain } = this.#settings;
    const properties = this.#properties();
    return new Promise((resolve, reject) => {
      client.publish(this.#topic, payload, { qos, retain, ...(properties ? { properties } : {}) }, (error, packet) => {
        const code = error && 'code' in error ? error.code : undefined;
        if (typeof code === 'number' && code > 127) {
          const { messageId = 0, properties: told } = (packet ?? {}) as Acknowledgement; // what the broker has answered with
          this.#complain(`Warning: Publish ${messageId} failed: ${reasonText(code)}.`);
          if (told?.reasonString) this.#complain(told.reasonString);
          resolve();
        } else if (error) {
          reject(error);
        } else {
          resolve();
        }
      });
    });
  }

  #properties(): IClientPublishOptions['properties'] {
    const bag = this.#settings.properties.get('publish');
    return bag && { ...bag };
  }
}

/** linesOf gives the lines of a stream as bytes, without their `\n`; also the last one when it has none. */
async function* linesOf(stream: Readable): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of stream) {
    const bytes = chunk as Buffer; // no encoding is set
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield Buffer.concat([...rest, bytes.subarray(start, end)]);
      rest = [];
      start = end + 1;
    }
    if (start < bytes.length) rest.push(bytes.subarray(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
