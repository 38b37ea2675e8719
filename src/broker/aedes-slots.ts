// What stands in the `mq` and `persistence` slots of Aedes: the few calls that Aedes itself makes.

import { PACKET_TYPE, type Qos } from '../mqtt/packet-types.ts';
import { decodeProperties } from '../mqtt/properties.ts';
import type { AedesPacket, Listener } from './aedes-packet.ts';
import type { SubscriptionTree } from './delivery/subscription-tree.ts';
import type { Message } from './message.ts';

/** TreeEmitter is mqemitter's interface over the subscription tree, for in-process subscribers and a later back-plane. */
export class TreeEmitter {
  readonly #tree: SubscriptionTree;

  constructor(tree: SubscriptionTree) {
    this.#tree = tree;
  }

  on(topicFilter: string, listener: Listener, done?: () => void): this {
    this.#tree.addListener(topicFilter, listener);
    if (done !== undefined) queueMicrotask(done);
    return this;
  }

  removeListener(topicFilter: string, listener: Listener, done?: () => void): this {
    this.#tree.removeListener(topicFilter, listener);
    if (done !== undefined) queueMicrotask(done);
    return this;
  }

  emit(packet: AedesPacket, done?: () => void): this {
    for (const listener of this.#tree.match(packet.topic).listeners ?? []) listener(packet, () => {});
    done?.();
    return this;
  }

  close(done: () => void): void {
    queueMicrotask(done);
  }
}

/** NoPersistence satisfies what Aedes asks of a persistence at start and in its sweep for wills of vanished brokers. */
export class NoPersistence {
  async setup(_broker: unknown): Promise<void> {}

  async *streamWill(_brokers: unknown): AsyncGenerator<never> {}

  async delWill(_client: unknown): Promise<void> {}
}

/** toAedesPacket shows a message as Aedes' events know it. */
export function toAedesPacket(message: Message): AedesPacket {
  return {
    cmd: 'publish',
    topic: message.topic.name,
    payload: message.payload,
    qos: message.qos,
    retain: message.retain,
    dup: false,
    clientId: message.publisher?.clientId,
    properties: propertiesOf(message),
  };
}

/** HeardMessage is a message as in-process listeners hear it. One that reads the payload during its call may keep it; most look at the topic only, so it is copied for those who do. */
export class HeardMessage implements AedesPacket {
  readonly cmd = 'publish';
  readonly dup = false;
  readonly #message: Message;

  constructor(message: Message) {
    this.#message = message;
  }

  get topic(): string {
    return this.#message.topic.name;
  }

  get payload(): Buffer {
    this.#message.detach();
    return this.#message.payload;
  }

  get qos(): Qos {
    return this.#message.qos;
  }

  get retain(): boolean {
    return this.#message.retain;
  }

  get clientId(): string | undefined {
    return this.#message.publisher?.clientId;
  }

  get properties(): object | undefined {
    return propertiesOf(this.#message);
  }
}

function propertiesOf({ properties }: Message): object | undefined {
  return properties.length > 0 ? decodeProperties(properties, PACKET_TYPE.PUBLISH) : undefined;
}
