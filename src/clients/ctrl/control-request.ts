// What `midge ctrl` does once it is connected: subscribe to the answer, publish the command, print the answer, leave.

import type { MqttClient } from 'mqtt';
import type { Terminal } from '../../terminal/command.ts';
import { DONE, type Ending, reasonText, STATUS, TIMED_OUT } from '../outcome.ts';
import type { ClientTask } from '../run.ts';
import type { ClientSettings } from '../settings.ts';
import { type Question, recordOf, recordsOf, textOf } from './module.ts';

/** Milliseconds that mosquitto_ctrl waits for an answer. */
const PATIENCE = 10_000;

/** ControlRequest is the task of ctrl. */
export class ControlRequest implements ClientTask {
  readonly name = 'ctrl';
  readonly reconnect = false;
  readonly #settings: ClientSettings;
  readonly #question: Question;
  readonly #terminal: Terminal;
  #end: (ending: Ending) => void;

  constructor(settings: ClientSettings, question: Question, terminal: Terminal) {
    this.#settings = settings;
    this.#question = question;
    this.#terminal = terminal;
    this.#end = () => {};
  }

  begin(client: MqttClient, end: (ending: Ending) => void): void {
    this.#end = end;
    const advice = `the broker does not answer on ${this.#question.topic}: see whether it has this turned on`;
    setTimeout(() => end({ ...TIMED_OUT, withWill: false, advice }), PATIENCE).unref();
    client.once('message', (_topic, payload) => {
      const ending = this.#answered(payload);
      setImmediate(() => end(ending)); // after the acknowledgement
    });
  }

  connected(client: MqttClient): void {
    const { qos, version } = this.#settings;
    client.subscribe(`${this.#question.topic}/response`, { qos }, (_error, _granted, suback) => {
      if (suback === undefined) return; // the connection was lost before the answer
      const refused = suback.granted.map(Number).find((code) => code > 127);
      if (refused === undefined) this.#publish(client);
      else this.#fail(`Subscribe error: ${version === 5 ? reasonText(refused) : 'Subscription refused.'}`);
    });
  }

  #publish(client: MqttClient): void {
    const { topic, command } = this.#question;
    client.publish(topic, JSON.stringify({ commands: [command] }), { qos: this.#settings.qos }, (error) => {
      const code = error && 'code' in error ? error.code : undefined;
      if (typeof code === 'number' && code > 127) this.#fail(`Publish error: ${reasonText(code)}`);
    });
  }

  #fail(line: string): void {
    this.#end({ lines: [line], status: STATUS.FAILED });
  }

  #answered(payload: Buffer): Ending {
    const failed = (line: string): Ending => ({ lines: [line], status: STATUS.FAILED });
    const answer = parse(payload);
    if (answer === undefined) return failed('Error: Payload not JSON.');
    const [response] = recordsOf(recordOf(answer)?.['responses']) ?? [];
    const command = textOf(response?.['command']);
    const refusal = textOf(recordOf(answer)?.['error']); // the broker itself: it has no such topic
    if (response === undefined || command === null) return failed(`Error: Payload missing data${refusal === null ? '' : ` (${refusal})`}.`);
    const error = textOf(response['error']);
    if (error !== null) return failed(`${command}: Error: ${error}.`);
    const lines = this.#question.linesOf(recordOf(response['data']) ?? {});
    if (lines === null) return failed('Error: Invalid response from server.');
    this.#terminal.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return DONE;
  }
}

/** Undefined for what is no JSON. */
function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
