// Which handler takes which packet: the table of contents of broker/handlers/.

import { PACKET_TYPE } from '../../mqtt/packet-types.ts';
import { readAck, readAuth, readConnect, readConnectVersion, readDisconnect, readSubscribe, readUnsubscribe } from '../../mqtt/packets.ts';
import { readPublish } from '../../mqtt/publish-packet.ts';
import { MalformedPacket, protocolError } from '../../mqtt/reason-codes.ts';
import type { Connection, SignedIn } from '../connection/connection.ts';
import { handleAuth } from './auth.ts';
import { handleConnect } from './connect.ts';
import { handleDisconnect } from './disconnect.ts';
import { handlePingreq } from './pingreq.ts';
import { handlePuback } from './puback.ts';
import { handlePubcomp } from './pubcomp.ts';
import { handlePublish, isOfCluster } from './publish.ts';
import { handlePubrec } from './pubrec.ts';
import { handlePubrel } from './pubrel.ts';
import { handleSubscribe } from './subscribe.ts';
import { handleUnsubscribe } from './unsubscribe.ts';

/** dispatch reads the body of a packet that may come now (connection-states.ts) and calls its handler. It throws MalformedPacket for what may not be sent. */
export function dispatch(connection: Connection, type: number, buffer: Buffer, start: number, body: number, end: number): void {
  const version = connection.version;
  const client = connection as SignedIn; // by the table CONNECT alone comes before there is a session
  switch (type) {
    case PACKET_TYPE.PUBLISH:
      // Another broker of the cluster sends what its subscriptions get, with the mark of a shared one.
      return handlePublish(client, readPublish(buffer, start, body, end, version === 5, isOfCluster(client) ? 'server' : 'client'));
    case PACKET_TYPE.PUBACK:
      return handlePuback(client, readAck(buffer, body, end, version, type));
    case PACKET_TYPE.PUBREC:
      return handlePubrec(client, readAck(buffer, body, end, version, type));
    case PACKET_TYPE.PUBREL:
      return handlePubrel(client, readAck(buffer, body, end, version, type));
    case PACKET_TYPE.PUBCOMP:
      return handlePubcomp(client, readAck(buffer, body, end, version, type));
    case PACKET_TYPE.SUBSCRIBE:
      return handleSubscribe(client, readSubscribe(buffer, body, end, version));
    case PACKET_TYPE.UNSUBSCRIBE:
      return handleUnsubscribe(client, readUnsubscribe(buffer, body, end, version));
    case PACKET_TYPE.PINGREQ:
      if (body !== end) throw new MalformedPacket('PINGREQ with a body');
      return handlePingreq(client);
    case PACKET_TYPE.CONNECT:
      connection.version = readConnectVersion(buffer, body, end);
      if ((buffer[start]! & 0x0f) !== 0 && connection.version !== 3) throw new MalformedPacket('Reserved flags'); // [MQTT-2.1.3-1]; 3.1 does not use them
      return handleConnect(connection, readConnect(buffer, body, end));
    case PACKET_TYPE.DISCONNECT:
      return handleDisconnect(client, readDisconnect(buffer, body, end, version));
    case PACKET_TYPE.AUTH:
      if (version !== 5) throw protocolError('AUTH before MQTT 5');
      return handleAuth(client, readAuth(buffer, body, end));
  }
}
