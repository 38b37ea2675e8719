// `-D PACKET NAME VALUE`: MQTT 5 properties from the command line, with mosquitto's checks.

import { PACKET_TYPE } from '../mqtt/packet-types.ts';
import { PROPERTY_TABLE, WILL } from '../mqtt/properties.ts';
import { ClientMistake } from './mistake.ts';

/** PropertyBag is a set of properties by the names that MQTT.js gives them. */
export type PropertyBag = Record<string, unknown>;

/** PacketProperties are the bags of one run, by packet: 'connect', 'publish', 'will', ... */
export type PacketProperties = Map<string, PropertyBag>;

const PACKETS: Readonly<Record<string, number>> = {
  connect: PACKET_TYPE.CONNECT,
  connack: PACKET_TYPE.CONNACK,
  publish: PACKET_TYPE.PUBLISH,
  puback: PACKET_TYPE.PUBACK,
  pubrec: PACKET_TYPE.PUBREC,
  pubrel: PACKET_TYPE.PUBREL,
  pubcomp: PACKET_TYPE.PUBCOMP,
  subscribe: PACKET_TYPE.SUBSCRIBE,
  suback: PACKET_TYPE.SUBACK,
  unsubscribe: PACKET_TYPE.UNSUBSCRIBE,
  unsuback: PACKET_TYPE.UNSUBACK,
  disconnect: PACKET_TYPE.DISCONNECT,
  auth: PACKET_TYPE.AUTH,
  will: WILL,
};

/** SENT are the packets that pub or sub send with properties of the user. */
const SENT: readonly string[] = ['connect', 'publish', 'subscribe', 'unsubscribe', 'disconnect', 'will'];

/** LARGEST value per type of number. */
const LARGEST = { byte: 0xff, 'two bytes': 0xffff, 'four bytes': 0xffffffff, variable: 0xffffffff } as const;

/** BOOLEANS are the properties that MQTT.js wants as true and false. */
const BOOLEANS: readonly string[] = ['payloadFormatIndicator', 'requestProblemInformation', 'requestResponseInformation'];

/** takeProperty reads the words behind `-D` into `into` and gives how many it took. Throws ClientMistake. */
export function takeProperty(words: readonly string[], into: PacketProperties): number {
  const [command, identifier, value, second] = words;
  if (command === undefined || identifier === undefined || value === undefined) throw tooFew();
  const packet = command.toLowerCase();
  const type = PACKETS[packet];
  if (type === undefined) throw new ClientMistake(`Error: Invalid command ${command} given in --property argument.`, { blankLine: true });
  const row = PROPERTY_TABLE.find((each) => propertyWord(each.name) === identifier.toLowerCase());
  if (row === undefined)
    throw new ClientMistake(`Error: Invalid property name ${identifier} given in --property argument.`, { blankLine: true });
  const where = `for ${command} in --property argument.`;
  if (!row.packets.includes(type)) throw new ClientMistake(`Error: ${identifier} property not allowed ${where}`, { blankLine: true });
  if (!SENT.includes(packet) || (packet === 'publish' && row.name === 'subscriptionIdentifier'))
    throw new ClientMistake(`Error: ${identifier} property not supported ${where}`, { blankLine: true });
  const bag = into.get(packet) ?? {};
  into.set(packet, bag);
  if (row.type === 'pair') {
    if (second === undefined) throw tooFew();
    addPair(bag, row.name, value, second);
    return 4;
  }
  if (row.name in bag) bag[DUPLICATE] = true;
  bag[row.name] = row.type === 'string' || row.type === 'binary' ? textValue(row, identifier, value) : numberValue(row, identifier, value);
  return 3;
}

/** checkProperties finds what MQTT 5 forbids in the whole of each bag: a property twice, and zeros where none may be. Throws ClientMistake. */
export function checkProperties(properties: PacketProperties): void {
  for (const [packet, bag] of properties) {
    const name = packet === 'will' ? 'Will' : packet.toUpperCase();
    if (bag[DUPLICATE]) throw new ClientMistake(`Error in ${name} properties: Duplicate property in property list`);
    const forbidden = bag['receiveMaximum'] === 0 || bag['maximumPacketSize'] === 0 || bag['topicAlias'] === 0;
    if (forbidden) {
      throw new ClientMistake(`Error in ${name} properties: A network protocol error occurred when communicating with the broker.`);
    }
  }
}

/** propertyWord is the name of a property on the command line and in JSON: `contentType` -> `content-type`. */
export function propertyWord(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** DUPLICATE marks a bag in which a property was given twice. No property has this name. */
const DUPLICATE = '-duplicate';

type Row = (typeof PROPERTY_TABLE)[number];

function addPair(bag: PropertyBag, _name: string, key: string, value: string): void {
  const pairs = (bag['userProperties'] ?? Object.create(null)) as Record<string, string | string[]>; // only written here
  const before = pairs[key];
  pairs[key] = before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value];
  bag['userProperties'] = pairs;
}

function textValue(row: Row, identifier: string, value: string): string | Buffer {
  if (Buffer.byteLength(value) > 0xffff) {
    throw new ClientMistake(`Error: Property value too long for property ${identifier}.`, { blankLine: true });
  }
  return row.type === 'binary' ? Buffer.from(value) : value;
}

function numberValue(row: Row, identifier: string, text: string): number | boolean {
  const value = Number.parseInt(text, 10) || 0;
  const largest = LARGEST[row.type as keyof typeof LARGEST]; // strings and pairs are dealt with before
  if (value < 0 || value > largest) {
    throw new ClientMistake(`Error: Property value (${value}) out of range for property ${identifier}.`, { blankLine: true });
  }
  return BOOLEANS.includes(row.name) ? value !== 0 : value;
}

function tooFew(): ClientMistake {
  return new ClientMistake('Error: --property argument given but not enough arguments specified.', { blankLine: true });
}
