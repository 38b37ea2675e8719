// The way to the broker: TCP, TLS, Unix socket or WebSocket under an MQTT.js client.

import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { connect, DefaultMessageIdProvider, type IClientOptions, MqttClient } from 'mqtt';
import type { PropertyBag } from './properties.ts';
import type { ClientSettings } from './settings.ts';
import { openThroughProxy } from './socks.ts';
import { tlsOptions } from './tls.ts';

/** Progress of the first connection attempt, for telling what failed. */
export interface Progress {
  /** 'away' until TCP stands, 'handshaking' until TLS stands too. */
  stage: 'away' | 'handshaking' | 'open';
  readonly isSecure: boolean;
}

/** RECONNECT is how long libmosquitto waits before it tries again, in milliseconds. */
const RECONNECT = 1000;

/** USUAL_RECEIVE_MAXIMUM is libmosquitto's; from there on it does not say how much it takes. */
const USUAL_RECEIVE_MAXIMUM = 20;

/** openClient makes a client that connects when its `connect` is called. Throws ClientMistake when the TLS files are no good. */
export function openClient(settings: ClientSettings, reconnect: boolean): { client: MqttClient; progress: Progress } {
  const options = clientOptions(settings, reconnect);
  const tls = tlsOptions(settings);
  const progress: Progress = { stage: 'away', isSecure: tls !== null };
  const host = settings.host || 'localhost';
  const port = settings.port || (tls ? 8883 : 1883);
  const open = socketOpener(settings, { host, port, tls, progress });
  if (!settings.webSocket) return { client: new MqttClient(open, options), progress };
  const protocol = tls ? ('wss' as const) : ('ws' as const);
  const client = connect({ ...options, protocol, host, port, path: settings.path, wsOptions: { createConnection: open } });
  client.once('connect', () => {
    progress.stage = 'open';
  });
  return { client, progress };
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | null;
  readonly progress: Progress;
}

/** socketOpener makes the way below MQTT or WebSocket: straight or through a proxy, with or without TLS. A WebSocket stands later than that. */
function socketOpener(settings: ClientSettings, { host, port, tls, progress }: Place): () => Duplex {
  const { keylog } = settings.tls;
  const stood = settings.webSocket ? 'away' : 'open';
  return () => {
    const socket = settings.proxy === null ? openSocket(settings, host, port) : openThroughProxy(settings.proxy, host, port);
    socket.once('connect', () => {
      progress.stage = tls ? 'handshaking' : stood;
    });
    if (tls === null) return socket;
    const secure = connectTls({ ...tls, socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
    if (keylog !== null) secure.on('keylog', (line) => appendFileSync(keylog, line, { mode: 0o600 }));
    socket.on('error', (error) => secure.destroy(error));
    secure.once('secureConnect', () => {
      progress.stage = stood;
    });
    return secure;
  };
}

function openSocket({ unix, bindAddress, noDelay }: ClientSettings, host: string, port: number): Socket {
  const place = unix === null ? { host, port, ...(bindAddress === null ? {} : { localAddress: bindAddress }) } : { path: unix };
  return connectTcp({ ...place, noDelay });
}

function clientOptions(settings: ClientSettings, reconnect: boolean): IClientOptions {
  const { version, username, password, will } = settings;
  return {
    protocolVersion: version,
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    clientId: clientIdOf(settings),
    clean: settings.cleanSession,
    keepalive: settings.keepalive,
    reschedulePings: true,
    connectTimeout: settings.keepalive * 1000, // libmosquitto gives up on a silent broker by its keep alive, too
    reconnectPeriod: reconnect ? RECONNECT : 0,
    resubscribe: false,
    timerVariant: 'native',
    manualConnect: true,
    messageIdProvider: Object.assign(new DefaultMessageIdProvider(), { nextId: 1 }), // counts from anywhere by itself
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(version === 5 ? { properties: connectProperties(settings) } : {}),
    ...(will.topic === null ? {} : { will: willOf(settings, will.topic) }),
  };
}

function connectProperties({ properties, sessionExpiry, messageCount }: ClientSettings): PropertyBag {
  return {
    // No more than are wanted: what comes behind the last one would be lost.
    ...(messageCount > 0 && messageCount < USUAL_RECEIVE_MAXIMUM ? { receiveMaximum: messageCount } : {}),
    ...properties.get('connect'),
    ...(sessionExpiry === null || sessionExpiry === 0 ? {} : { sessionExpiryInterval: sessionExpiry }),
  };
}

function willOf({ will, version, properties }: ClientSettings, topic: string): NonNullable<IClientOptions['will']> {
  const bag = properties.get('will');
  const payload = Buffer.from(will.payload ?? '');
  return { topic, payload, qos: will.qos, retain: will.retain, ...(version === 5 && bag ? { properties: bag } : {}) };
}

/** clientIdOf: without -i the broker makes one; MQTT 3.1 has no such thing, and mosquitto's clients make theirs like this. */
function clientIdOf({ id, idPrefix, version }: ClientSettings): string {
  if (id !== null) return id;
  if (idPrefix !== null) return `${idPrefix}${process.pid}`;
  return version === 3 ? `mosq-${randomBytes(14).toString('base64url').replace(/[-_]/g, 'x').slice(0, 18)}` : '';
}
