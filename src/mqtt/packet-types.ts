// The fifteen control packets of MQTT 5 2.1.2 (fourteen before it) and the versions that we speak.

/** PACKET_TYPE is the upper half of a packet's first byte. */
export const PACKET_TYPE = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const;

/** FIRST_BYTE of acknowledgements: type, and the flags that it must have (2.1.3). */
export const FIRST_BYTE = { PUBACK: 0x40, PUBREC: 0x50, PUBREL: 0x62, PUBCOMP: 0x70 } as const;

/** ProtocolVersion is the protocol level of CONNECT: 3 = MQTT 3.1, 4 = 3.1.1, 5 = 5. */
export type ProtocolVersion = 3 | 4 | 5;

export type Qos = 0 | 1 | 2;
