// Markers of a move: messages of our own on the way between two brokers. What comes behind one was sent after its broker has cut.

import type { AedesPacket } from '../broker/aedes-packet.ts';
import type { Broker } from '../broker/broker.ts';
import { Subscription } from '../broker/delivery/subscription.ts';
import { Message } from '../broker/message.ts';
import type { Qos } from '../mqtt/packet-types.ts';
import { sessionFrom, sessionTo } from './options.ts';

const TOPICS = '$cluster/moves/';
const FROM = sessionFrom('');

/** MARKED are the QoS of markers: QoS 2 waits for a disk where QoS 1 does not, so that each has its own order. */
const MARKED = [1, 2] as const;

/** Markers are those of one move, by the brokers that they come from. */
export class Markers {
  readonly #lower = new Set<string>();
  readonly #exact = new Set<string>();
  #look: () => void = () => {};

  /** add notes a marker of a QoS. */
  add(source: string, qos: Qos): void {
    (qos === 2 ? this.#exact : this.#lower).add(source);
    this.#look();
  }

  /** addAll notes all markers of a broker. */
  addAll(source: string): void {
    for (const qos of MARKED) this.add(source, qos);
  }

  /** isBefore tells whether a message has come behind the marker of its source. */
  isBefore(source: string, { qos }: Pick<Message, 'qos'>): boolean {
    return (qos === 2 ? this.#exact : this.#lower).has(source);
  }

  /** missing are those of some sources whose markers have not all come. */
  missing(sources: readonly string[]): string[] {
    return sources.filter((source) => !this.#lower.has(source) || !this.#exact.has(source));
  }

  /** all resolves when they are there, or with false after a time. */
  all(sources: readonly string[], milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.#look = () => {
        if (this.missing(sources).length > 0) return;
        clearTimeout(timer);
        resolve(true);
      };
      this.#look();
    });
  }
}

/** MarkerPost sends those of one broker, and hears those of the others. */
export class MarkerPost {
  readonly #broker: Broker;
  readonly #id: string;
  readonly #listener: (packet: AedesPacket) => void;

  /** `heard` gets the name of the move, and the broker that the marker comes from. */
  constructor(broker: Broker, id: string, heard: (move: string, source: string, qos: Qos) => void) {
    this.#broker = broker;
    this.#id = id;
    this.#listener = ({ topic, qos, clientId = '' }) => {
      if (clientId.startsWith(FROM)) heard(topic.slice(TOPICS.length), clientId.slice(FROM.length), qos); // no client of ours may have such an id
    };
  }

  start(): void {
    this.#broker.tree.addListener(`${TOPICS}+`, this.#listener);
  }

  stop(): void {
    this.#broker.tree.removeListener(`${TOPICS}+`, this.#listener);
  }

  /** sourceOf gives the broker to which a message was published. */
  sourceOf({ publisher }: Message): string {
    const clientId = publisher?.clientId ?? '';
    return clientId.startsWith(FROM) ? clientId.slice(FROM.length) : this.#id;
  }

  /** send has markers follow the messages that wait for a broker already. False = it was never linked. */
  send(peer: string, move: string): boolean {
    const session = this.#broker.sessions.get(sessionTo(peer));
    if (session === null) return false;
    const topic = this.#broker.topics.named(TOPICS + move);
    for (const qos of MARKED) {
      const options = { qos, noLocal: true, retainAsPublished: false, identifier: 0 };
      const message = Message.of({ topic, qos, retain: false, payload: Buffer.alloc(0) });
      session.outgoing.deliver(message, new Subscription(session, topic.name, options, null, null));
    }
    return true;
  }
}
