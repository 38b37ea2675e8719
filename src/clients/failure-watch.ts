// What ends a run from outside: the broker refuses, dismisses, never answers, is out of reach, or the connection is lost.

import type { MqttClient, Packet } from 'mqtt';
import type { Progress } from './connection.ts';
import { DONE, type Ending, LOST, NEVER_ANSWERED, refusal, STATUS, unreachable } from './outcome.ts';
import type { ClientName } from './settings.ts';

export interface WatchedTask {
  readonly name: ClientName;
  /** Try again when the connection is lost, once it has stood. */
  readonly reconnect: boolean;
}

export interface WatchOptions {
  readonly progress: Progress;
  readonly version: 3 | 4 | 5;
  readonly task: WatchedTask;
  /** end finishes the run; the first call counts. */
  readonly end: (ending: Ending) => void;
  /** advise says what may help, while the run goes on. */
  readonly advise: (ending: Ending) => void;
}

/** FailureWatch listens to one client from before it connects. */
export class FailureWatch {
  readonly #options: WatchOptions;
  #hasStood: boolean;
  #isDismissed: boolean;
  /** By the TLS handshake, if not by a CONNACK. */
  #isAnswered: boolean;
  #failure: Error | null;

  constructor(client: MqttClient, options: WatchOptions) {
    this.#options = options;
    this.#hasStood = false;
    this.#isDismissed = false;
    this.#isAnswered = options.progress.isSecure;
    this.#failure = null;
    client.on('error', (error) => this.#failed(error));
    client.on('packetreceive', (packet) => this.#received(packet));
    client.on('close', () => this.#closed());
  }

  /** remember keeps the first error of a connection: it is the reason when the connection closes. */
  remember(error: Error): void {
    this.#failure ??= error;
  }

  #failed(error: Error): void {
    this.remember(error);
    if (error.message === 'connack timeout') this.#options.end({ lines: ['Error: Keepalive exceeded'], status: STATUS.KEEPALIVE });
  }

  #received(packet: Packet): void {
    const { task, version, end } = this.#options;
    if (packet.cmd === 'disconnect') {
      this.#isDismissed = true;
      if (task.name === 'sub') end(DONE); // mosquitto_sub leaves without a word
    }
    if (packet.cmd !== 'connack') return;
    this.#isAnswered = true;
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    if (code > 0) end(refusal(task.name, version, code));
  }

  #closed(): void {
    const { progress, advise, end } = this.#options;
    const ending = this.#ending();
    if (ending !== null) end(ending);
    else {
      if (!this.#isAnswered) advise(NEVER_ANSWERED);
      this.#isAnswered = true; // once is enough
      this.#hasStood = true;
    }
    if (progress.stage === 'open') this.#hasStood = true;
    this.#failure = null;
  }

  /** #ending is how the run ends because the connection is closed, or null when it is tried again. */
  #ending(): Ending | null {
    const { progress, task } = this.#options;
    const { stage } = progress;
    if (this.#isDismissed) return { lines: ['Error: The client is not currently connected.'], status: STATUS.NOT_CONNECTED };
    if (stage === 'handshaking') return unreachable(task.name, this.#failure ?? new Error('connection closed'), true);
    if (!this.#hasStood && this.#failure !== null && stage === 'away') return unreachable(task.name, this.#failure, false);
    if (task.reconnect) return null;
    return this.#isAnswered ? LOST : NEVER_ANSWERED;
  }
}
