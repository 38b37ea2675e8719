// The settings that an app for MQTT asks for, when it is not OwnTracks: people type or copy them.

import type { SignIn } from './owntracks.ts';
import { accountOf, clientIdOf, type PhoneName } from './phone.ts';

/** MqttSettings are in the order in which apps ask for them. */
export interface MqttSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: true;
  /** Path of the WebSocket; null = MQTT over TCP. */
  readonly webSocketPath: string | null;
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  readonly cleanSession: false;
  readonly protocolVersion: '3.1.1';
}

/** mqttSettings gives those of a phone. */
export function mqttSettings(phone: PhoneName, { broker, password }: SignIn): MqttSettings {
  return {
    host: broker.host,
    port: broker.port,
    tls: true,
    webSocketPath: broker.protocol === 'websockets' ? '/mqtt' : null,
    username: accountOf(phone),
    password,
    clientId: clientIdOf(phone),
    cleanSession: false,
    protocolVersion: '3.1.1',
  };
}
