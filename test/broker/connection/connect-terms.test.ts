// What client and broker agree to, for every word of a CONNECT and every setting that bears on it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConnectTerms, negotiate, REFUSED_TERMS, type RefusedTerm } from '../../../src/broker/connection/connect-terms.ts';
import { type BrokerOptions, DEFAULT_BROKER_OPTIONS, DEFAULT_LISTENER_POLICY, type ListenerPolicy } from '../../../src/broker/options.ts';
import { NO_EXPIRY } from '../../../src/broker/session/expiry.ts';
import { encodeConnack, setSessionPresent } from '../../../src/mqtt/encode.ts';
import type { ConnectPacket, WillMessage } from '../../../src/mqtt/packets.ts';
import type { Properties } from '../../../src/mqtt/properties.ts';
import { REASON } from '../../../src/mqtt/reason-codes.ts';

const PLAIN: ConnectPacket = {
  version: 5,
  bridge: false,
  cleanStart: true,
  keepAlive: 60,
  clientId: 'lamp',
  will: null,
  username: null,
  password: null,
  properties: {},
};

const WILL: WillMessage = { topicName: 'gone', payload: Buffer.from('lamp'), qos: 1, retain: true, properties: {} };

interface Case {
  readonly packet?: Partial<ConnectPacket>;
  readonly options?: Partial<BrokerOptions>;
  readonly policy?: Partial<ListenerPolicy>;
  readonly identity?: string;
}

function resultOf({ packet, options, policy, identity }: Case): ConnectTerms | RefusedTerm {
  return negotiate(
    { ...PLAIN, ...packet },
    {
      options: { ...DEFAULT_BROKER_OPTIONS, ...options },
      origin: { policy: { ...DEFAULT_LISTENER_POLICY, ...policy }, identity: identity ?? null },
      uniqueId: () => 'unique',
    },
  );
}

function termsOf(given: Case): ConnectTerms {
  const terms = resultOf(given);
  if (typeof terms === 'string') assert.fail(`refused: ${terms}`);
  return terms;
}

const CONNACK: Properties = { topicAliasMaximum: 10, maximumPacketSize: 2_000_000, receiveMaximum: 20 };

test('terms are those of the protocol when CONNECT asks for nothing', () => {
  assert.deepEqual(termsOf({}), {
    clientId: 'lamp',
    username: null,
    cleanStart: true,
    keepAlive: 60,
    sessionExpiryInterval: 0,
    receiveMaximum: 20,
    clientReceiveMaximum: 65_535,
    clientMaximumPacketSize: Number.POSITIVE_INFINITY,
    topicAliasMaximum: 10,
    clientTopicAliasMaximum: 0,
    will: null,
    isBridge: false,
    wantsMarks: false,
    connack: CONNACK,
  });
});

test('terms give CONNACK no properties, and nobody topic aliases, before MQTT 5', () => {
  for (const version of [3, 4] as const) {
    const { connack, topicAliasMaximum, clientTopicAliasMaximum } = termsOf({ packet: { version } });
    assert.deepEqual(
      { connack, topicAliasMaximum, clientTopicAliasMaximum },
      { connack: {}, topicAliasMaximum: 0, clientTopicAliasMaximum: 0 },
    );
  }
});

/** What is asked for, what is agreed to, and what CONNACK says more (or, undefined, does not say). */
const AGREED: readonly (readonly [string, Case, Partial<ConnectTerms>, Readonly<Record<string, unknown>>?])[] = [
  ['keep alive is off', { packet: { keepAlive: 0 } }, { keepAlive: 0 }],
  [
    'keep alive is off and max_keepalive limits it',
    { packet: { keepAlive: 0 }, options: { maxKeepalive: 90 } },
    { keepAlive: 90 },
    { serverKeepAlive: 90 },
  ],
  [
    'keep alive is above max_keepalive [MQTT-3.2.2-21]',
    { packet: { keepAlive: 91 }, options: { maxKeepalive: 90 } },
    { keepAlive: 90 },
    { serverKeepAlive: 90 },
  ],
  ['keep alive is max_keepalive', { packet: { keepAlive: 90 }, options: { maxKeepalive: 90 } }, { keepAlive: 90 }],
  ['keep alive of 3.1.1 is max_keepalive', { packet: { version: 4, keepAlive: 90 }, options: { maxKeepalive: 90 } }, { keepAlive: 90 }],
  ['a session expiry is asked for', { packet: { properties: { sessionExpiryInterval: 7 } } }, { sessionExpiryInterval: 7 }],
  [
    'a session expiry is above persistent_client_expiration',
    { packet: { properties: { sessionExpiryInterval: NO_EXPIRY } }, options: { persistentClientExpiration: 60 } },
    { sessionExpiryInterval: 60 },
    { sessionExpiryInterval: 60 },
  ],
  ['a clean session of 3.1.1 ends with its connection', { packet: { version: 4 } }, { sessionExpiryInterval: 0 }],
  ['a session of 3.1.1 is kept', { packet: { version: 4, cleanStart: false } }, { sessionExpiryInterval: NO_EXPIRY, cleanStart: false }],
  [
    'a session of 3.1 is kept as long as persistent_client_expiration allows',
    { packet: { version: 3, cleanStart: false }, options: { persistentClientExpiration: 60 } },
    { sessionExpiryInterval: 60 },
  ],
  ['MQTT 5 starts anew without an expiry', { packet: { cleanStart: false } }, { sessionExpiryInterval: 0, cleanStart: false }],
  [
    'the client limits messages in flight',
    { packet: { properties: { receiveMaximum: 3 } } },
    { clientReceiveMaximum: 3, receiveMaximum: 20 },
  ],
  ['max_inflight_messages is 0', { options: { maxInflightMessages: 0 } }, { receiveMaximum: 65_535 }, { receiveMaximum: 65_535 }],
  [
    'max_inflight_messages is beyond packet identifiers',
    { options: { maxInflightMessages: 70_000 } },
    { receiveMaximum: 65_535 },
    { receiveMaximum: 65_535 },
  ],
  ['max_inflight_messages is 1', { options: { maxInflightMessages: 1 } }, { receiveMaximum: 1 }, { receiveMaximum: 1 }],
  ['the listener limits messages in flight by itself', { policy: { receiveMaximum: 5 } }, { receiveMaximum: 5 }, { receiveMaximum: 5 }],
  ['the client limits packets', { packet: { properties: { maximumPacketSize: 100 } } }, { clientMaximumPacketSize: 100 }],
  [
    'max_packet_size limits packets',
    { options: { maxPacketSize: 1000 } },
    { clientMaximumPacketSize: Number.POSITIVE_INFINITY },
    { maximumPacketSize: 1000 },
  ],
  ['the client takes few topic aliases', { packet: { properties: { topicAliasMaximum: 3 } } }, { clientTopicAliasMaximum: 3 }],
  [
    'the client takes more topic aliases than are set',
    { packet: { properties: { topicAliasMaximum: 99 } } },
    { clientTopicAliasMaximum: 10 },
  ],
  [
    'the listener has no topic aliases',
    { packet: { properties: { topicAliasMaximum: 3 } }, policy: { maxTopicAlias: 0, maxTopicAliasBroker: 0 } },
    { topicAliasMaximum: 0, clientTopicAliasMaximum: 0 },
    { topicAliasMaximum: undefined },
  ],
  [
    'a client comes without an id [MQTT-3.1.3-6]',
    { packet: { clientId: '' } },
    { clientId: 'auto-unique' },
    { assignedClientIdentifier: 'auto-unique' },
  ],
  ['a clean client of 3.1.1 comes without an id', { packet: { clientId: '', version: 4 } }, { clientId: 'auto-unique' }],
  [
    'a client without an id gets the prefix that clientid_prefixes asks for',
    { packet: { clientId: '' }, options: { clientidPrefixes: 'home-' }, policy: { autoIdPrefix: 'home-' } },
    { clientId: 'home-unique' },
    { assignedClientIdentifier: 'home-unique' },
  ],
  [
    'the user name is the client id',
    { packet: { username: 'jane' }, policy: { useUsernameAsClientid: true } },
    { clientId: 'jane', username: 'jane' },
    { assignedClientIdentifier: 'jane' },
  ],
  [
    'the name in the certificate is the client id',
    { packet: { username: 'jane', clientId: '' }, policy: { useUsernameAsClientid: true }, identity: 'joe' },
    { clientId: 'joe', username: 'joe' },
    { assignedClientIdentifier: 'joe' },
  ],
  ['the certificate names the user', { packet: { username: 'jane' }, identity: 'joe' }, { clientId: 'lamp', username: 'joe' }],
  ['a will is left', { packet: { will: WILL } }, { will: WILL }],
  ['messages are not retained', { options: { retainAvailable: false } }, {}, { retainAvailable: 0 }],
  ['the listener has a lower QoS [MQTT-3.2.2-9]', { policy: { maxQos: 1 } }, {}, { maximumQos: 1 }],
  ['a bridge of 3.1.1 comes', { packet: { version: 4, bridge: true } }, { isBridge: true }],
  ['a bridge of MQTT 5 comes', { packet: { bridge: true } }, { isBridge: false }],
];

for (const [what, given, expected, said = {}] of AGREED) {
  test(`terms are agreed to when ${what}`, () => {
    const terms = termsOf(given);
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(terms[name as keyof ConnectTerms], value, name);
    if ((given.packet?.version ?? 5) !== 5) return assert.deepEqual(terms.connack, {});
    const connack = { ...CONNACK, ...said };
    assert.deepEqual({ ...Object.fromEntries(Object.keys(connack).map((name) => [name, undefined])), ...terms.connack }, connack);
  });
}

const REFUSED: readonly (readonly [RefusedTerm, string, Case])[] = [
  ['protocol version', 'the listener does not take it', { packet: { version: 3 }, policy: { acceptProtocolVersions: [4, 5] } }],
  ['enhanced authentication', 'it has a method', { packet: { properties: { authenticationMethod: 'SCRAM' } } }],
  ['no user name', 'it is the client id', { policy: { useUsernameAsClientid: true } }],
  ['no user name', 'it is the client id and empty', { packet: { username: '' }, policy: { useUsernameAsClientid: true } }],
  ['no client id', 'it is of 3.1', { packet: { clientId: '', version: 3 } }],
  ['no client id', 'a session of 3.1.1 is to be kept', { packet: { clientId: '', version: 4, cleanStart: false } }],
  ['no client id', 'the listener wants one', { packet: { clientId: '' }, policy: { allowZeroLengthClientid: false } }],
  ['client id prefix', 'it has another', { options: { clientidPrefixes: 'home-' } }],
  ['client id prefix', 'the one that is made would have another', { packet: { clientId: '' }, options: { clientidPrefixes: 'home-' } }],
  ['keep alive', 'it is off in 3.1.1', { packet: { version: 4, keepAlive: 0 }, options: { maxKeepalive: 90 } }],
  ['keep alive', 'it is too long in 3.1', { packet: { version: 3, keepAlive: 91 }, options: { maxKeepalive: 90 } }],
  ['will topic', 'it has a wildcard', { packet: { will: { ...WILL, topicName: 'a/#' } } }],
  ['will topic', 'it is empty behind its mount point', { packet: { will: { ...WILL, topicName: '' } }, policy: { mountPoint: 'home/' } }],
  [
    'will topic',
    'its mount point makes it too long',
    { packet: { will: { ...WILL, topicName: 'a'.repeat(65_535) } }, policy: { mountPoint: 'b' } },
  ],
  [
    'will topic',
    'its mount point makes it too deep',
    { packet: { will: { ...WILL, topicName: `a${'/a'.repeat(200)}` } }, policy: { mountPoint: 'b/' } },
  ],
  ['will QoS', 'the listener has a lower one', { packet: { will: WILL }, policy: { maxQos: 0 } }],
  ['will retain', 'messages are not retained', { packet: { will: WILL }, options: { retainAvailable: false } }],
  ['will payload', 'it is above message_size_limit', { packet: { will: WILL }, options: { messageSizeLimit: 3 } }],
];

for (const [term, when, given] of REFUSED) {
  test(`terms are refused for their ${term} when ${when}`, () => assert.equal(resultOf(given), term));
}

test('terms are refused for each reason that has a code', () => {
  assert.deepEqual(new Set(REFUSED.map(([term]) => term)), new Set(Object.keys(REFUSED_TERMS)));
});

test('CONNACK says that the session is present without being encoded again [MQTT-3.2.2-3]', () => {
  for (const version of [3, 4, 5] as const) {
    for (const properties of [{}, { assignedClientIdentifier: 'x'.repeat(200) }]) {
      const connack = encodeConnack(version, false, REASON.SUCCESS, properties)!;
      setSessionPresent(connack, version);
      assert.deepEqual(connack, encodeConnack(version, true, REASON.SUCCESS, properties));
    }
  }
});
