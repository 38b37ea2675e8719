// A will message and its delay, MQTT 5 3.1.2.5 and 3.1.3.2.2.

import type { WillMessage } from '../../mqtt/packets.ts';
import type { Timer } from '../timer-wheel.ts';

/** Will is what a client wants said when it is gone without a word. */
export class Will {
  readonly packet: WillMessage;
  /** With the mount point. */
  readonly topicName: string;
  /** Seconds between the end of the connection and the message; 0 = at once. */
  readonly delay: number;
  timer: Timer | null = null;

  constructor(packet: WillMessage, mountPoint: string) {
    this.packet = packet;
    this.topicName = mountPoint + packet.topicName;
    this.delay = packet.properties.willDelayInterval ?? 0;
  }
}
