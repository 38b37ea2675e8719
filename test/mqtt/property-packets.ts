// Every MQTT 5 property in every packet of a client: where it may stand, where not, twice, and cut (MQTT 5.0, 2.2.2.2). Part of the
// packet table.

import type { PacketRow } from './packets.ts';

interface Property {
  readonly id: string;
  readonly name: string;
  /** A right value, as hex-template. */
  readonly value: string;
  /** Packets of a client that may carry it. */
  readonly packets: readonly string[];
  /** Values that are Protocol Errors. */
  readonly wrong?: readonly string[];
}

const ACKS = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'];
const MESSAGES = ['PUBLISH', 'will'];
const EVERYWHERE = ['CONNECT', ...MESSAGES, ...ACKS, 'SUBSCRIBE', 'UNSUBSCRIBE', 'DISCONNECT', 'AUTH'];

const PROPERTIES: readonly Property[] = [
  { id: '01', name: 'Payload Format Indicator', value: '01', packets: MESSAGES },
  { id: '02', name: 'Message Expiry Interval', value: '0000003C', packets: MESSAGES },
  { id: '03', name: 'Content Type', value: "'text'", packets: MESSAGES },
  { id: '08', name: 'Response Topic', value: "'r/t'", packets: MESSAGES },
  { id: '09', name: 'Correlation Data', value: '0002 00FF', packets: MESSAGES },
  { id: '0B', name: 'Subscription Identifier', value: '07', packets: ['SUBSCRIBE'], wrong: ['00'] },
  { id: '11', name: 'Session Expiry Interval', value: '0000003C', packets: ['CONNECT', 'DISCONNECT'] },
  { id: '12', name: 'Assigned Client Identifier', value: "'id'", packets: [] },
  { id: '13', name: 'Server Keep Alive', value: '003C', packets: [] },
  { id: '15', name: 'Authentication Method', value: "'m'", packets: ['CONNECT', 'AUTH'] },
  { id: '16', name: 'Authentication Data', value: "'d'", packets: ['AUTH'] }, // in CONNECT only behind a method: has its own row
  { id: '17', name: 'Request Problem Information', value: '01', packets: ['CONNECT'], wrong: ['02'] },
  { id: '18', name: 'Will Delay Interval', value: '00000005', packets: ['will'] },
  { id: '19', name: 'Request Response Information', value: '01', packets: ['CONNECT'], wrong: ['02', 'FF'] },
  { id: '1A', name: 'Response Information', value: "'r'", packets: [] },
  { id: '1C', name: 'Server Reference', value: "'s'", packets: [] },
  { id: '1F', name: 'Reason String', value: "'fine'", packets: [...ACKS, 'DISCONNECT', 'AUTH'] },
  { id: '21', name: 'Receive Maximum', value: '0014', packets: ['CONNECT'], wrong: ['0000'] },
  { id: '22', name: 'Topic Alias Maximum', value: '000A', packets: ['CONNECT'] },
  { id: '23', name: 'Topic Alias', value: '0001', packets: ['PUBLISH'] },
  { id: '24', name: 'Maximum QoS', value: '01', packets: [] },
  { id: '25', name: 'Retain Available', value: '01', packets: [] },
  { id: '26', name: 'User Property', value: "'k' 'v'", packets: EVERYWHERE },
  { id: '27', name: 'Maximum Packet Size', value: '00010000', packets: ['CONNECT'], wrong: ['00000000'] },
  { id: '28', name: 'Wildcard Subscription Available', value: '01', packets: [] },
  { id: '29', name: 'Subscription Identifier Available', value: '01', packets: [] },
  { id: '2A', name: 'Shared Subscription Available', value: '01', packets: [] },
];

/** Packets with a place for properties, `%`. */
const CARRIERS: Readonly<Record<string, string>> = {
  CONNECT: "10 [ 'MQTT' 05 02 003C [ % ] 'a' ]",
  will: "10 [ 'MQTT' 05 06 003C 00 'a' [ % ] 'w' 'x' ]",
  PUBLISH: "30 [ 't' [ % ] |x| ]",
  PUBACK: '40 [ 0001 00 [ % ] ]',
  PUBREC: '50 [ 0001 00 [ % ] ]',
  PUBREL: '62 [ 0001 00 [ % ] ]',
  PUBCOMP: '70 [ 0001 00 [ % ] ]',
  SUBSCRIBE: "82 [ 0001 [ % ] 't' 00 ]",
  UNSUBSCRIBE: "A2 [ 0001 [ % ] 't' ]",
  DISCONNECT: 'E0 [ 00 [ % ] ]',
  AUTH: 'F0 [ 18 [ % ] ]',
};

/** Allowed in the packet by table 2-4, but from a server only, or not without another property: a Protocol Error, 3.3.4, 3.14.2.2.5, 3.1.2.11.10. */
const NOT_FROM_A_CLIENT = ['Subscription Identifier in PUBLISH', 'Server Reference in DISCONNECT', 'Authentication Data in CONNECT'];

/** propertyRows gives the rows of all combinations. */
export function propertyRows(): PacketRow[] {
  return PROPERTIES.flatMap((property) =>
    Object.entries(CARRIERS).flatMap(([packet, carrier]) => rowsOf(property, packet, carrier)),
  ).concat(unknownRows());
}

function rowsOf(property: Property, packet: string, carrier: string): PacketRow[] {
  const name = `${property.name} in ${packet}`;
  const once = `${property.id} ${property.value}`;
  const row = (title: string, content: string) => ({ name: title, version: 5 as const, template: carrier.replace('%', content) });
  if (!property.packets.includes(packet)) return [{ ...row(name, once), refused: NOT_FROM_A_CLIENT.includes(name) ? [0x82] : [0x81] }];
  const twice = property.id === '26' ? { means: {} } : { refused: [0x82] };
  return [
    { ...row(name, once), means: {} },
    { ...row(`${name}, twice`, `${once} ${once}`), ...twice },
    { ...row(`${name}, without value`, property.id), refused: [0x81] },
    ...(property.wrong ?? []).map((value) => ({ ...row(`${name}, ${value}`, `${property.id} ${value}`), refused: [0x82] })),
  ];
}

function unknownRows(): PacketRow[] {
  return Object.entries(CARRIERS).flatMap(([packet, carrier]) =>
    ['00', '04', '0A', '20', '2B', '7F', '8101', 'FFFFFF7F'].map((id) => ({
      name: `unknown property ${id} in ${packet}`,
      version: 5 as const,
      template: carrier.replace('%', `${id} 00`),
      refused: [0x81],
    })),
  );
}
