// The way to the broker: TCP, TLS, Unix socket or WebSocket under an MQTT.js client.

import { randomBytes } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connect, DefaultMessageIdProvider, type IClientOptions, MqttClient } from 'mqtt';
import type { PropertyBag } from './properties.ts';
import type { ClientSettings } from './settings.ts';
import { tlsOptions } from './tls.ts';

/** Progress of the first connection attempt, for telling what failed. */
export interface Progress {
  /** 'away' until TCP stands, 'handshaking' until TLS stands too. */
  stage: 'away' | 'handshaking' | 'open';
}

/** RECONNECT is how long libmosquitto waits before it tries again, in milliseconds. */
const RECONNECT = 1000;

/** openClient makes a client that connects when its `connect` is called. Throws ClientMistake when the TLS files are no good. */
export function openClient(settings: ClientSettings, reconnect: boolean): { client: MqttClient; progress: Progress } {
  const progress: Progress = { stage: 'away' };
  const options = clientOptions(settings, reconnect);
  if (settings.scheme === 'mqtt' && settings.proxy === null) {
    const open = socketOpener(settings, progress);
    return { client: new MqttClient(() => open(), options), progress };
  }
  const tls = tlsOptions(settings);
  const client = connect({
    ...options,
    ...tls,
    protocol: settings.scheme === 'mqtt' ? (tls ? 'mqtts' : 'mqtt') : settings.scheme,
    host: settings.host ?? 'localhost',
    ...(settings.port === 0 ? {} : { port: settings.port }),
    path: settings.path,
    ...(settings.proxy === null ? {} : { socksProxy: withPort(settings.proxy) }),
    wsOptions: { ...tls, ...(settings.bindAddress === null ? {} : { localAddress: settings.bindAddress }) },
  } as IClientOptions); // wsOptions has no TLS words in its type
  client.once('connect', () => {
    progress.stage = 'open';
  });
  return { client, progress };
}

function socketOpener(settings: ClientSettings, progress: Progress): () => Socket {
  const tls = tlsOptions(settings);
  const host = settings.host || 'localhost';
  const port = settings.port || (tls ? 8883 : 1883);
  const place =
    settings.unix === null
      ? { host, port, ...(settings.bindAddress === null ? {} : { localAddress: settings.bindAddress }) }
      : { path: settings.unix };
  return () => {
    const socket = connectTcp(place);
    socket.once('connect', () => {
      progress.stage = tls ? 'handshaking' : 'open';
      if (settings.noDelay) socket.setNoDelay(true);
    });
    if (tls === null) return socket;
    const secure = connectTls({ ...tls, socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
    socket.on('error', (error) => secure.destroy(error));
    secure.once('secureConnect', () => {
      progress.stage = 'open';
    });
    return secure;
  };
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

function connectProperties({ properties, sessionExpiry }: ClientSettings): PropertyBag {
  const bag = properties.get('connect') ?? {};
  return sessionExpiry === null || sessionExpiry === 0 ? bag : { ...bag, sessionExpiryInterval: sessionExpiry };
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

function withPort(proxy: string): string {
  const url = new URL(proxy);
  return url.port === '' ? `${proxy.replace(/\/$/, '')}:1080` : proxy;
}
