// Properties of a message as mosquitto's database has them.

import { PacketReader } from '../mqtt/packet-reader.ts';
import { PACKET_TYPE } from '../mqtt/packet-types.ts';
import { type Properties, readProperties } from '../mqtt/properties.ts';

/** keptProperties reads properties that stand behind their length; null when there are none, or they make no sense. */
export function keptProperties(bytes: Buffer): Properties | null {
  if (bytes.length === 0) return null;
  try {
    return readProperties(new PacketReader(bytes, 0, bytes.length), PACKET_TYPE.PUBLISH);
  } catch {
    return null;
  }
}
