// What `midge rr` does once it is connected: subscribe to the response topic, send the request, print the response, stop.

import type { Writable } from 'node:stream';
import type { IClientPublishOptions, MqttClient } from 'mqtt';
import { MessagePrinter, receivedMessage } from './format.ts';
import { DONE, type Ending, reasonText, STATUS, TIMED_OUT } from './outcome.ts';
import type { ClientTask } from './run.ts';
import type { ClientSettings } from './settings.ts';
import { subscribeOptions } from './subscribe-options.ts';

/** Request is what rr sends, and where it awaits the response. */
export interface Request {
  readonly topic: string;
  readonly payload: Buffer;
  readonly responseTopic: string;
}

/** Requester is the task of rr. */
export class Requester implements ClientTask {
  readonly name = 'rr';
  readonly reconnect = false;
  readonly #settings: ClientSettings;
  readonly #request: Request;
  readonly #printer: MessagePrinter;
  readonly #stdout: Writable;
  #end: (ending: Ending) => void;
  /** Milliseconds of performance.now(), null until the request is sent. */
  #sentAt: number | null;
  /** A message is printed: what comes behind it is not wanted. */
  #answered: boolean;

  constructor(settings: ClientSettings, request: Request, stdout: Writable, complain: (line: string) => void) {
    this.#settings = settings;
    this.#request = request;
    this.#printer = new MessagePrinter({ ...settings, complain });
    this.#stdout = stdout;
    this.#end = () => {};
    this.#sentAt = null;
    this.#answered = false;
  }

  begin(client: MqttClient, end: (ending: Ending) => void): void {
    this.#end = end;
    const { timeout, noRetained } = this.#settings;
    if (timeout > 0) setTimeout(() => end(TIMED_OUT), timeout * 1000).unref();
    client.on('message', (topic, payload, packet) => {
      if (this.#answered || (packet.retain && noRetained)) return;
      this.#answered = true;
      const latency = performance.now() - (this.#sentAt ?? performance.now());
      this.#stdout.write(this.#printer.bytesOf(receivedMessage(topic, payload, packet)));
      if (this.#settings.latency) this.#stdout.write(`Latency: ${latencyText(latency)}\n`);
      setImmediate(() => end(DONE)); // after the acknowledgement
    });
  }

  connected(client: MqttClient): void {
    client.subscribe(this.#request.responseTopic, subscribeOptions(this.#settings), (_error, _granted, suback) => {
      if (suback === undefined) return; // the connection was lost before the answer
      const refused = suback.granted.map(Number).find((code) => code > 127);
      if (refused === undefined) this.#send(client);
      else this.#end({ lines: [`Error: The response topic was refused: ${reasonText(refused)}.`], status: STATUS.FAILED });
    });
  }

  #send(client: MqttClient): void {
    const { qos, version, properties } = this.#settings;
    const { topic, payload, responseTopic } = this.#request;
    const bag = version === 5 ? { ...properties.get('publish'), responseTopic } : null;
    const options: IClientPublishOptions = { qos, ...(bag ? { properties: bag } : {}) };
    this.#sentAt = performance.now();
    client.publish(topic, payload, options, (error) => {
      if (!error || this.#answered) return;
      const code = 'code' in error ? error.code : undefined;
      const reason = typeof code === 'number' && code > 127 ? reasonText(code) : error.message;
      this.#end({ lines: [`Error: The request was refused: ${reason}.`], status: STATUS.FAILED });
    });
  }
}

/** latencyText has mosquitto_rr's units. */
function latencyText(milliseconds: number): string {
  if (milliseconds >= 1000) return (milliseconds / 1000).toFixed(9);
  return milliseconds >= 1 ? `${milliseconds.toFixed(6)}ms` : `${(milliseconds * 1000).toFixed(6)}µs`;
}
