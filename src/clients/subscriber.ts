// What `midge sub` does once it is connected: subscribe, print, count, and stop when it was told to.

import type { Writable } from 'node:stream';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { filterMatches } from '../mqtt/topics.ts';
import { MessagePrinter, receivedMessage } from './format.ts';
import { DONE, type Ending, TIMED_OUT } from './outcome.ts';
import type { ClientTask } from './run.ts';
import type { ClientSettings } from './settings.ts';
import { subscribeOptions } from './subscribe-options.ts';
import { WatchedTopics } from './watched-topics.ts';

/** Subscriber is the task of sub. */
export class Subscriber implements ClientTask {
  readonly name = 'sub';
  readonly reconnect = true;
  readonly #settings: ClientSettings;
  readonly #printer: MessagePrinter;
  readonly #stdout: Writable;
  readonly #complain: (line: string) => void;
  #end: (ending: Ending) => void;
  readonly #watched: WatchedTopics | null;
  #counted: number;
  /** Messages since the last line of --message-rate. */
  #recent: number;
  /** open: print what comes; last: this one still, then end; over: neither print nor acknowledge. */
  #state: 'open' | 'last' | 'over';

  constructor(settings: ClientSettings, stdout: Writable, complain: (line: string) => void) {
    this.#settings = settings;
    this.#printer = new MessagePrinter({ ...settings, complain });
    this.#stdout = stdout;
    this.#complain = complain;
    this.#end = () => {};
    this.#watched = settings.watch && !settings.messageRate ? new WatchedTopics() : null;
    this.#counted = 0;
    this.#recent = 0;
    this.#state = 'open';
  }

  begin(client: MqttClient, end: (ending: Ending) => void): void {
    this.#end = end;
    const { timeout, messageRate, host } = this.#settings;
    if (timeout > 0) setTimeout(() => end(TIMED_OUT), timeout * 1000).unref();
    if (messageRate) setInterval(() => this.#printRate(), 1000).unref();
    if (this.#watched) this.#stdout.write(this.#watched.heading(host ?? 'localhost'));
    client.on('message', (topic, payload, packet) => this.#receive(client, topic, payload, packet));
    // Called right after each 'message'; the acknowledgement is sent when `done` is called without an error. So a slow reader of our output
    // slows the broker down, and a QoS 1 message behind the last wanted one stays in the session.
    client.handleMessage = (_packet, done) => this.#settle(done);
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'suback' && this.#settings.exitAfterSubscribe) this.#state = 'over';
    });
  }

  connected(client: MqttClient): void {
    const { topics, unsubscribe, properties } = this.#settings;
    if (topics.length > 0)
      client.subscribe(topics, subscribeOptions(this.#settings), (error, _granted, suback) => this.#subscribed(error, suback));
    const leave = properties.get('unsubscribe');
    if (unsubscribe.length > 0) client.unsubscribe(unsubscribe, leave ? { properties: leave } : {}, () => this.#unsubscribed());
  }

  #settle(done: (error?: Error) => void): void {
    if (this.#state === 'over') {
      done(new Error('not wanted any more'));
    } else if (this.#state === 'last') {
      this.#state = 'over';
      setImmediate(() => this.#end(DONE)); // after the acknowledgement
      done();
    } else if (this.#stdout.writableNeedDrain) {
      this.#stdout.once('drain', () => done());
    } else {
      done();
    }
  }

  #subscribed(error: Error | null, suback?: { granted: unknown[]; messageId?: number | undefined }): void {
    if (suback === undefined) return; // the connection was lost before the answer
    const granted = suback.granted.map(Number);
    if (this.#settings.debug && !this.#settings.quiet) this.#stdout.write(`Subscribed (mid: ${suback.messageId}): ${granted.join(', ')}\n`);
    if (error !== null && granted.every((code) => code > 127)) {
      this.#complain('All subscription requests were denied.');
      this.#end(DONE);
    } else if (this.#settings.exitAfterSubscribe) {
      this.#end(DONE);
    }
  }

  #unsubscribed(): void {
    const { topics, exitAfterSubscribe } = this.#settings;
    if (topics.length === 0 && exitAfterSubscribe) this.#end(DONE);
  }

  #printRate(): void {
    this.#stdout.write(`${this.#recent} msgs/s\n`);
    this.#recent = 0;
  }

  #receive(client: MqttClient, topic: string, payload: Buffer, packet: IPublishPacket): void {
    this.#recent++;
    if (this.#state !== 'open' || this.#settings.messageRate) return;
    const { retain } = packet;
    const { retainedOnly, noRetained, filterOut, removeRetained, messageCount, randomFilter } = this.#settings;
    if (retainedOnly && !retain) {
      this.#state = 'last';
      return;
    }
    if ((retain && noRetained) || filterOut.some((filter) => filterMatches(filter, topic))) return;
    if (retain && removeRetained) client.publish(topic, '', { qos: 1, retain: true });
    if (randomFilter !== null && Math.random() * 100 >= randomFilter) return;
    this.#print(topic, payload, packet);
    this.#counted++;
    if (messageCount > 0 && this.#counted >= messageCount) this.#state = 'last';
  }

  #print(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const bytes = this.#printer.bytesOf(receivedMessage(topic, payload, packet));
    const [before, after] = this.#watched?.around(topic) ?? ['', ''];
    if (bytes.length > 0) this.#stdout.write(Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]));
  }
}
