// What may happen to a network connection in each of its states: one table, which the code reads.
//
//   connecting ──► authenticating ──► committing ──► connected       any of them ──► disconnecting ──► closed
//
//   connecting       CONNECT has not come
//   authenticating   CONNECT is being decided, perhaps by an authenticator that takes its time
//   committing       the session belongs to the connection, and CONNACK waits until the store has noted that; messages wait in the session
//   connected        CONNACK has gone out
//   disconnecting    the last words have been written; nothing more is said or heard
//   closed           the stream has ended

import { PACKET_TYPE } from '../../mqtt/packet-types.ts';

export const CONNECTION_STATES = ['connecting', 'authenticating', 'committing', 'connected', 'disconnecting', 'closed'] as const;

export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** CONNECTION_EVENT numbers what can happen; a control packet has the number of its type. */
export const CONNECTION_EVENT = {
  ...PACKET_TYPE,
  /** Bytes have come. */
  CHUNK: 16,
  /** Bytes or a packet that no client may send. */
  BAD_PACKET: 17,
  CONNECT_TIMEOUT: 18,
  KEEP_ALIVE_TIMEOUT: 19,
  /** The client has had its time to read the last words. */
  CLOSE_TIMEOUT: 20,
  /** The authenticator has decided. */
  VERDICT: 21,
  /** The store has noted the session. */
  COMMIT: 22,
  /** We end it and say why: its session is taken over, the broker stops, an administrator wants it, a packet was bad. */
  DISCONNECT_BY_US: 23,
  /** We end it without a word. */
  CLOSE_BY_US: 24,
  /** The stream has ended or failed. */
  STREAM_END: 25,
} as const;

export type ConnectionEvent = (typeof CONNECTION_EVENT)[keyof typeof CONNECTION_EVENT];

/**
 * Reaction to an event: 'do' what it is for; 'hold' the packet until CONNACK has gone out; 'refuse' it as a protocol error, or by CONNACK
 * where that has not gone out; do it 'silently', without DISCONNECT; ask 'later' again; 'ignore' it.
 */
export type Reaction = 'do' | 'hold' | 'refuse' | 'silently' | 'later' | 'ignore';

type Row = readonly [Reaction, Reaction, Reaction, Reaction, Reaction, Reaction];

// biome-ignore format: columns are states
const TABLE: Readonly<Record<keyof typeof CONNECTION_EVENT, Row>> = {
  //                    connecting  authenticating  committing  connected  disconnecting  closed
  CONNECT:            [ 'do',       'hold',         'hold',     'refuse',  'ignore',      'ignore' ], // [MQTT-3.1.0-2]
  CONNACK:            [ 'refuse',   'hold',         'hold',     'refuse',  'ignore',      'ignore' ],
  PUBLISH:            [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ], // [MQTT-3.1.0-1], and so below
  PUBACK:             [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  PUBREC:             [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  PUBREL:             [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  PUBCOMP:            [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  SUBSCRIBE:          [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  SUBACK:             [ 'refuse',   'hold',         'hold',     'refuse',  'ignore',      'ignore' ],
  UNSUBSCRIBE:        [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  UNSUBACK:           [ 'refuse',   'hold',         'hold',     'refuse',  'ignore',      'ignore' ],
  PINGREQ:            [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  PINGRESP:           [ 'refuse',   'hold',         'hold',     'refuse',  'ignore',      'ignore' ],
  DISCONNECT:         [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  AUTH:               [ 'refuse',   'hold',         'hold',     'do',      'ignore',      'ignore' ],
  CHUNK:              [ 'do',       'do',           'do',       'do',      'ignore',      'ignore' ],
  BAD_PACKET:         [ 'refuse',   'silently',     'silently', 'do',      'ignore',      'ignore' ],
  CONNECT_TIMEOUT:    [ 'do',       'do',           'ignore',   'ignore',  'ignore',      'ignore' ],
  KEEP_ALIVE_TIMEOUT: [ 'ignore',   'ignore',       'later',    'do',      'ignore',      'ignore' ],
  CLOSE_TIMEOUT:      [ 'ignore',   'ignore',       'ignore',   'ignore',  'do',          'ignore' ],
  VERDICT:            [ 'ignore',   'do',           'ignore',   'ignore',  'ignore',      'ignore' ],
  COMMIT:             [ 'ignore',   'ignore',       'do',       'ignore',  'ignore',      'ignore' ],
  DISCONNECT_BY_US:   [ 'silently', 'silently',     'silently', 'do',      'ignore',      'ignore' ],
  CLOSE_BY_US:        [ 'do',       'do',           'do',       'do',      'ignore',      'ignore' ],
  STREAM_END:         [ 'do',       'do',           'do',       'do',      'do',          'ignore' ],
};

/** Reactions of one state, by the number of the event. */
export type Reactions = readonly Reaction[];

/** REACTIONS is the table by state. */
export const REACTIONS: Readonly<Record<ConnectionState, Reactions>> = {
  connecting: column(0),
  authenticating: column(1),
  committing: column(2),
  connected: column(3),
  disconnecting: column(4),
  closed: column(5),
};

/** refusedPacketInWords says what is wrong with a packet that is refused in a state. */
export function refusedPacketInWords(state: ConnectionState, type: number): string {
  if (state === 'connecting') return 'First packet is not CONNECT';
  return type === PACKET_TYPE.CONNECT ? 'Second CONNECT' : `Packet type ${type} from a client`;
}

function column(at: 0 | 1 | 2 | 3 | 4 | 5): Reactions {
  const reactions: Reaction[] = ['refuse']; // 0 is no packet type, and the decoder lets none through
  for (const [name, row] of Object.entries(TABLE)) reactions[CONNECTION_EVENT[name as keyof typeof TABLE]] = row[at]; // keys of TABLE
  return reactions;
}
