// The message loads: who publishes to whom, with how many messages outstanding. One row of the report each.

/** Transport is how the clients of a load reach the broker. */
export type Transport = 'tcp' | 'tls' | 'websocket';

/** GeneratorSettings are the generator's arguments that make a load; what is absent has its default (1 client, QoS 0, MQTT 3.1.1, 64 bytes of payload). */
export interface GeneratorSettings {
  readonly publishers?: number;
  readonly subscribers?: number;
  readonly topics?: number;
  /** 1: every subscriber takes all topics with one wildcard filter. */
  readonly wildcard?: 0 | 1;
  /** Topics that each publisher goes round, message by message; absent: it stays with one. */
  readonly spread?: number;
  /** Messages that each publisher may have outstanding. */
  readonly window: number;
  /** Bytes. */
  readonly payload?: number;
  readonly qos?: 0 | 1 | 2;
  /** 1: the sessions of the subscribers outlive the run. */
  readonly kept?: 0 | 1;
  readonly version?: 3 | 4 | 5;
}

/** Sessions of the subscribers: clean ones, kept ones that are online, or kept ones that are away. The latter two are measured with persistence. */
export type Sessions = 'clean' | 'kept' | 'away';

export interface Load {
  readonly name: string;
  readonly title: string;
  /** Part of `--quick`. */
  readonly quick: boolean;
  readonly transport: Transport;
  /** The broker has a password file and an ACL file loaded, the clients log in. */
  readonly access: boolean;
  readonly settings: GeneratorSettings;
  readonly sessions: Sessions;
  /** Name of the row that this one is a variant of: the report says what part of its rate is left. */
  readonly variantOf: string | null;
}

const PAIRS = { publishers: 20, subscribers: 20, topics: 20 } as const;
const FAN_OUT = { publishers: 1, subscribers: 50, window: 100 } as const;
const FAN_IN = { publishers: 50, subscribers: 1, topics: 50, wildcard: 1, window: 20 } as const;

/** LOADS are the rows of the message table, in its order. */
export const LOADS: readonly Load[] = [
  load('fan-out', '1 -> 50, QoS 0, 100 outstanding', FAN_OUT, { quick: true }),
  load('fan-in', '50 -> 1, QoS 0, 20 outstanding each', FAN_IN, { quick: true }),
  load('pairs', '20 pairs, QoS 0, 50 outstanding each', { ...PAIRS, window: 50 }, { quick: true }),
  load(
    'pairs-topics',
    '20 pairs, QoS 0, every message on another of 10 topics',
    { ...PAIRS, window: 50, spread: 10 },
    { variantOf: 'pairs' },
  ),
  load('one-pair', '1 pair, QoS 0, 100 outstanding', { window: 100 }, { quick: true }),
  load('pairs-qos1', '20 pairs, QoS 1, 20 outstanding each', { ...PAIRS, window: 20, qos: 1 }, { quick: true }),
  load('pairs-qos2', '20 pairs, QoS 2, 20 outstanding each', { ...PAIRS, window: 20, qos: 2 }),
  load('one-by-one', '1 pair, QoS 0, one message at a time', { window: 1 }, { quick: true }),
  load('one-by-one-qos1', '1 pair, QoS 1, one message at a time', { window: 1, qos: 1 }),
  load('fan-out-v5', '1 -> 50, QoS 0, MQTT 5', { ...FAN_OUT, version: 5 }, { variantOf: 'fan-out' }),
  load('pairs-v5', '20 pairs, QoS 0, MQTT 5', { ...PAIRS, window: 50, version: 5 }, { variantOf: 'pairs' }),
  load('pairs-qos1-v5', '20 pairs, QoS 1, MQTT 5', { ...PAIRS, window: 20, qos: 1, version: 5 }, { variantOf: 'pairs-qos1' }),
  load('pairs-access', '20 pairs, QoS 0, passwords and ACL loaded', { ...PAIRS, window: 50 }, { access: true, variantOf: 'pairs' }),
  load(
    'pairs-qos1-access',
    '20 pairs, QoS 1, passwords and ACL loaded',
    { ...PAIRS, window: 20, qos: 1 },
    { access: true, variantOf: 'pairs-qos1' },
  ),
  load('pairs-tls', '20 pairs, QoS 0, TLS', { ...PAIRS, window: 50 }, { transport: 'tls', variantOf: 'pairs' }),
  load('one-by-one-tls', '1 pair, one message at a time, TLS', { window: 1 }, { transport: 'tls' }),
  load('pairs-websocket', '20 pairs, QoS 0, WebSocket', { ...PAIRS, window: 50 }, { transport: 'websocket', variantOf: 'pairs' }),
  load('kept-online', '20 pairs, QoS 1, sessions kept', { ...PAIRS, window: 20, qos: 1, kept: 1 }, { sessions: 'kept' }),
  load('kept-away', '20 publishers, QoS 1, to 20 kept sessions that are away', { ...PAIRS, window: 100, qos: 1 }, { sessions: 'away' }),
  ...[
    sized('256', '256 bytes', 20, 50, 256),
    sized('1k', '1 KiB', 20, 50, 1024),
    sized('4k', '4 KiB', 10, 20, 4096),
    sized('16k', '16 KiB', 5, 20, 16_384),
    sized('64k', '64 KiB', 5, 10, 65_536),
    sized('1m', '1 MiB', 2, 4, 1_048_576),
  ],
  load('fan-out-16k', '1 -> 50, QoS 0, payload of 16 KiB', { ...FAN_OUT, window: 20, payload: 16_384 }),
  load('fan-out-2000', '1 -> 2,000, QoS 0, 5 outstanding', { publishers: 1, subscribers: 2000, window: 5 }),
  load('pairs-1000', '1,000 pairs, QoS 0, one message at a time each', { publishers: 1000, subscribers: 1000, topics: 1000, window: 1 }),
  load('one-by-one-websocket', '1 pair, one message at a time, WebSocket', { window: 1 }, { transport: 'websocket' }),
];

/** familiesOf groups loads with their variants, to be measured in the same rounds: their ratio is then as good as the one between brokers. */
export function familiesOf(loads: readonly Load[]): Load[][] {
  const families = new Map<string, Load[]>();
  for (const load of loads) {
    const name = load.variantOf ?? load.name;
    families.set(name, [...(families.get(name) ?? []), load]);
  }
  return [...families.values()];
}

/** The same pairs with larger payloads: fewer of them, and fewer outstanding, as that many bytes are on their way. */
function sized(suffix: string, words: string, pairs: number, window: number, payload: number): Load {
  const settings = { publishers: pairs, subscribers: pairs, topics: pairs, window, payload };
  return load(`pairs-${suffix}`, `${pairs} pairs, QoS 0, ${window} outstanding each, payload of ${words}`, settings);
}

function load(name: string, title: string, settings: GeneratorSettings, differs: Partial<Load> = {}): Load {
  return { name, title, settings, quick: false, transport: 'tcp', access: false, sessions: 'clean', variantOf: null, ...differs };
}
