// QoS 1 and 2 messages on their way to one client: sent, not yet acknowledged.
//
// Packet identifiers count up from 1, so the exchange of an identifier lies in slot `id & mask` of a small array: no map, no hashing.
// When a slot is still taken by an old exchange that its client has not finished, that identifier is skipped.

import type { Qos } from '../../mqtt/packet-types.ts';
import type { Share } from '../delivery/subscription.ts';
import type { Account } from '../memory-budget.ts';
import type { Message } from '../message.ts';

/** Slots at first; doubled while more than half are taken. */
const SLOTS_MIN = 32;
const SLOTS_MAX = 65_536;
const PACKET_ID_MAX = 65_535;

/** UNSENT to RELEASED is how far a delivery has come. HELD: it has a packet identifier, and something must be done before it is sent. */
export const UNSENT = 0;
export const HELD = 1;
/** It has gone out, on this connection or an earlier one, or may have before a restart. */
export const SENT = 2;
/** QoS 2: the client has it (PUBREC), we wait for PUBCOMP. */
export const RELEASED = 3;
export type Progress = typeof UNSENT | typeof HELD | typeof SENT | typeof RELEASED;

/** Delivery is one message on its way to one session: queued (packetId 0) or in flight. */
export class Delivery {
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Subscription Identifiers it carries, or null. */
  readonly identifiers: readonly number[] | null;
  /** The shared subscription that it came by, or null: when this session ends, another member gets it. */
  readonly group: Share | null;
  packetId = 0;
  progress: Progress = UNSENT;
  /** Its place among all deliveries of the session. */
  order = 0;
  /** It is written down in the journal. */
  isKept = false;
  /** Whom the memory budget counts it for; null = it does not count. */
  heldFor: Account | null = null;

  constructor(message: Message, qos: Qos, retain: boolean, identifiers: readonly number[] | null, group: Share | null) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.identifiers = identifiers;
    this.group = group;
  }
}

/** OutgoingWindow holds at most 65,535 deliveries. How many may be in flight is the session's decision. */
export class OutgoingWindow {
  count = 0;
  /** Payload bytes in flight. */
  bytes = 0;
  #slots: (Delivery | null)[] = new Array(SLOTS_MIN).fill(null);
  #lastId = 0;
  /** Identifiers of deliveries that stay in the database: another under the same one could not be kept beside it. Null = none. */
  #reserved: Set<number> | null = null;

  /** isFull tells that no packet identifier is free. */
  get isFull(): boolean {
    return this.count + (this.#reserved?.size ?? 0) >= PACKET_ID_MAX;
  }

  /** add gives the delivery a packet identifier [MQTT-2.2.1-4]. Call only while it is not full. */
  add(delivery: Delivery): void {
    if (this.count * 2 >= this.#slots.length && this.#slots.length < SLOTS_MAX) this.#resize(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    let id = this.#lastId;
    do {
      id = id === PACKET_ID_MAX ? 1 : id + 1;
    } while (this.#slots[id & mask] !== null);
    if (this.#reserved !== null) id = this.#unreserved(id, this.#reserved);
    this.#lastId = id;
    delivery.packetId = id;
    this.#place(delivery, this.#slots.length - 1);
  }

  /** skip leaves one packet identifier out. */
  skip(): void {
    this.#lastId = this.#lastId === PACKET_ID_MAX ? 1 : this.#lastId + 1;
  }

  /** reserve keeps a packet identifier free, for as long as the broker runs. */
  reserve(packetId: number): void {
    this.#reserved ??= new Set();
    this.#reserved.add(packetId);
  }

  /** restore puts a delivery back under the packet identifier it had before a restart. */
  restore(delivery: Delivery): void {
    while (this.#slots[delivery.packetId & (this.#slots.length - 1)] !== null) this.#resize(this.#slots.length * 2);
    this.#lastId = delivery.packetId;
    this.#place(delivery, this.#slots.length - 1);
  }

  get(packetId: number): Delivery | null {
    const delivery = this.#slots[packetId & (this.#slots.length - 1)];
    return delivery !== null && delivery !== undefined && delivery.packetId === packetId ? delivery : null;
  }

  remove(delivery: Delivery): void {
    this.#slots[delivery.packetId & (this.#slots.length - 1)] = null;
    this.count--;
    this.bytes -= delivery.message.payloadLength;
  }

  /** oldestOrder is that of the first delivery in flight; null = there is none. */
  get oldestOrder(): number | null {
    let oldest: number | null = null;
    for (const delivery of this.#slots) if (delivery !== null && (oldest === null || delivery.order < oldest)) oldest = delivery.order;
    return oldest;
  }

  /** inOrder lists what is in flight, in the order of sending [MQTT-4.4.0-1] [MQTT-4.6.0-1]. */
  inOrder(): Delivery[] {
    const all = this.#slots.filter((delivery) => delivery !== null);
    return all.sort((one, other) => one.order - other.order);
  }

  /** The first identifier from `start` on that is not reserved and whose slot is free; with all slots there is one. */
  #unreserved(start: number, reserved: ReadonlySet<number>): number {
    for (;;) {
      for (let step = 0; step < PACKET_ID_MAX; step++) {
        const id = ((start - 1 + step) % PACKET_ID_MAX) + 1;
        if (!reserved.has(id) && this.#slots[id & (this.#slots.length - 1)] === null) return id;
      }
      this.#resize(this.#slots.length * 2);
    }
  }

  #place(delivery: Delivery, mask: number): void {
    this.#slots[delivery.packetId & mask] = delivery;
    this.count++;
    this.bytes += delivery.message.payloadLength;
  }

  #resize(size: number): void {
    const old = this.#slots;
    this.#slots = new Array(size).fill(null);
    for (const delivery of old) if (delivery !== null) this.#slots[delivery.packetId & (size - 1)] = delivery;
  }
}
