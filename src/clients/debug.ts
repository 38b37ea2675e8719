// `-d`: one line per packet, as libmosquitto words them.

import type { MqttClient, Packet } from 'mqtt';

/** watchPackets calls `say` with a line for each packet that comes or goes. */
export function watchPackets(client: MqttClient, say: (line: string) => void): void {
  let id = client.options.clientId || '(null)';
  client.on('packetsend', (packet) => {
    for (const text of sent(packet)) say(`Client ${id} sending ${text}`);
  });
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'disconnect') return say(`Received DISCONNECT (${packet.reasonCode ?? 0})`);
    if (packet.cmd === 'connack') id = packet.properties?.assignedClientIdentifier ?? id;
    say(`Client ${id} received ${received(packet)}`);
  });
}

function sent(packet: Packet): string[] {
  switch (packet.cmd) {
    case 'publish':
      return [publish(packet)];
    case 'subscribe':
      return packet.subscriptions.map(({ topic, qos, nl, rap, rh }) => {
        const options = ((nl ? 4 : 0) | (rap ? 8 : 0) | ((rh ?? 0) << 4)).toString(16).padStart(2, '0');
        return `SUBSCRIBE (Mid: ${packet.messageId}, Topic: ${topic}, QoS: ${qos}, Options: 0x${options})`;
      });
    case 'unsubscribe':
      return packet.unsubscriptions.map((topic) => `UNSUBSCRIBE (Mid: ${packet.messageId}, Topic: ${topic})`);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return [`${packet.cmd.toUpperCase()} (m${packet.messageId}, rc${packet.reasonCode ?? 0})`];
    default:
      return [packet.cmd.toUpperCase()];
  }
}

function received(packet: Packet): string {
  switch (packet.cmd) {
    case 'connack':
      return `CONNACK (${packet.reasonCode ?? packet.returnCode ?? 0})`;
    case 'publish':
      return publish(packet);
    case 'puback':
    case 'pubcomp':
      return `${packet.cmd.toUpperCase()} (Mid: ${packet.messageId}, RC:${packet.reasonCode ?? 0})`;
    case 'pubrec':
    case 'pubrel':
      return `${packet.cmd.toUpperCase()} (Mid: ${packet.messageId})`;
    default:
      return packet.cmd.toUpperCase();
  }
}

function publish({ dup, qos, retain, messageId, topic, payload }: Extract<Packet, { cmd: 'publish' }>): string {
  const flags = `d${dup ? 1 : 0}, q${qos}, r${retain ? 1 : 0}, m${messageId ?? 0}`;
  return `PUBLISH (${flags}, '${topic}', ... (${Buffer.byteLength(payload)} bytes))`;
}
