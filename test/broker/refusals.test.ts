// What the refusal log is told of clients that the engine turns away, in the words that an operator reads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalSentence } from '../../src/base/refusal-sentences.ts';
import type { BrokerOptions, ListenerPolicy } from '../../src/broker/options.ts';
import type { AuthenticationVerdict, LetInClient, Refusal } from '../../src/broker/ports.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import type { Version } from '../support/protocol/hex-template.ts';

interface Case {
  readonly sends: string | Buffer;
  readonly version?: Version;
  readonly options?: Partial<BrokerOptions>;
  readonly policy?: Partial<ListenerPolicy>;
  readonly verdict?: AuthenticationVerdict;
  readonly cause: string;
  readonly reason: string;
}

const USER = `10 [ PROTOCOL 82 0000 {} 'phone' 'jane' ]`;
const USER_AND_PASSWORD = `10 [ PROTOCOL C2 0000 {} 'phone' 'jane' 'secret' ]`;
const NOBODY = `10 [ PROTOCOL 02 0000 {} 'phone' ]`;
const will = (flags: string, topicName = 'home') => `10 [ PROTOCOL ${flags} 0000 {} 'phone' {} '${topicName}' 'gone' ]`;

const CASES: readonly Case[] = [
  { sends: 'GET / HTTP/1.1\r\n\r\n', cause: 'wrong protocol', reason: 'speaks HTTP to an MQTT port' },
  { sends: Buffer.from('16030100c8', 'hex'), cause: 'wrong protocol', reason: 'speaks TLS to a port without TLS' },
  { sends: Buffer.from('SSH-2.0-x\r\n'), cause: 'wrong protocol', reason: 'speaks something that is not MQTT' },
  {
    sends: Buffer.from('100c00044d5154540902003c0000', 'hex'),
    cause: 'protocol version',
    reason: 'asks for a protocol that this broker does not speak: protocol version 9 is not supported',
  },
  {
    sends: NOBODY,
    version: 4,
    policy: { acceptProtocolVersions: [5] },
    cause: 'protocol version',
    reason: 'speaks MQTT 3.1.1, which this listener does not accept (accept_protocol_versions)',
  },
  {
    sends: `10 [ PROTOCOL 02 0000 { 15 'SCRAM' } 'phone' ]`,
    cause: 'not allowed',
    reason: 'asks for enhanced authentication, which this broker does not do',
  },
  {
    sends: `10 [ PROTOCOL 02 0000 {} '' ]`,
    policy: { allowZeroLengthClientid: false },
    cause: 'client id',
    reason: 'gives no client id where one is needed',
  },
  {
    sends: NOBODY,
    options: { clientidPrefixes: 'lamp-' },
    cause: 'client id',
    reason: 'has a client id that does not begin with "lamp-" (clientid_prefixes)',
  },
  {
    sends: NOBODY,
    policy: { useUsernameAsClientid: true },
    cause: 'not allowed',
    reason: 'gives no user name, which is the client id here (use_username_as_clientid)',
  },
  {
    sends: `10 [ PROTOCOL 02 0078 {} 'phone' ]`,
    version: 4,
    options: { maxKeepalive: 60 },
    cause: 'not allowed',
    reason: 'has a keep alive of 120 s, and max_keepalive is 60',
  },
  { sends: will('06', 'home/#'), cause: 'will', reason: 'has a will whose topic is no topic name' },
  {
    sends: will('06'),
    options: { messageSizeLimit: 3 },
    cause: 'will',
    reason: 'has a will with more payload than message_size_limit',
  },
  { sends: will('16'), policy: { maxQos: 1 }, cause: 'will', reason: 'has a will with a QoS above max_qos' },
  {
    sends: will('26'),
    options: { retainAvailable: false },
    cause: 'will',
    reason: 'has a will to be retained, and retain_available is false',
  },
  { sends: USER, verdict: 'bad credentials', cause: 'credentials', reason: 'gives no password' },
  { sends: USER_AND_PASSWORD, verdict: 'bad credentials', cause: 'credentials', reason: 'gives a wrong user name or password' },
  {
    sends: NOBODY,
    verdict: 'not authorised',
    cause: 'not allowed',
    reason: 'gives no user name, and this listener lets nobody in without',
  },
  {
    sends: USER_AND_PASSWORD,
    verdict: 'not authorised',
    cause: 'not allowed',
    reason: 'gives a user name, but nobody has an account here',
  },
  { sends: USER_AND_PASSWORD, verdict: 'held', cause: 'held', reason: 'was refused unseen after too many wrong logins' },
  {
    sends: USER_AND_PASSWORD,
    verdict: 'unavailable',
    cause: 'unavailable',
    reason: 'could not be checked: too many logins wait, or the check failed',
  },
  { sends: NOBODY, options: { globalMaxClients: 0 }, cause: 'busy', reason: 'finds no room: global_max_clients is reached' },
  {
    sends: Buffer.from('10c801', 'hex'),
    options: { maxPacketSize: 100 },
    cause: 'bad packet',
    reason: 'sends more than max_packet_size allows: packet of 203 bytes exceeds the maximum of 100',
  },
  {
    sends: `10 [ PROTOCOL 03 0000 {} 'phone' ]`,
    cause: 'bad packet',
    reason: 'sends a packet that breaks the rules of MQTT: reserved flag of CONNECT is set',
  },
];

for (const { sends, version, options, policy, verdict, cause, reason } of CASES) {
  test(`refusal log is told that a client ${reason}`, async () => {
    const told: Refusal[] = [];
    await using broker = await startTestBroker({
      ...(options === undefined ? {} : { options }),
      ...(policy === undefined ? {} : { policy }),
      ...(verdict === undefined ? {} : { authenticator: { authenticate: () => verdict } }),
      refusals: { refused: (refusal) => told.push(refusal), connected: () => {} },
    });
    const client = broker.open(version === undefined ? {} : { version });
    client.send(typeof sends === 'string' && !sends.startsWith('10 ') ? Buffer.from(sends) : sends);
    while (told.length === 0) await new Promise(setImmediate);
    client.abort();
    assert.deepEqual(
      told.map((refusal) => [refusal.reason.cause, refusalSentence(refusal.reason)]),
      [[cause, reason]],
    );
  });
}

for (const [name, hasAccount] of [
  ['proven, where the listener has its account', true],
  ['not proven, where the listener lets anybody in', false],
] as const) {
  test(`refusal log is told that the user name of a client that is let in is ${name}`, async () => {
    const told: LetInClient[] = [];
    await using broker = await startTestBroker({
      authenticator: { authenticate: () => 'accepted', hasAccount: () => hasAccount },
      refusals: { refused: () => {}, connected: (client) => told.push(client) },
    });
    const client = broker.open({ version: 5 });
    client.send(USER_AND_PASSWORD);
    await client.expect('20 [ 00 00 { ... } ]');
    client.abort();
    assert.deepEqual(told, [{ clientId: 'phone', username: 'jane', isProven: hasAccount }]);
  });
}

test('refusal log is told of a client that sends nothing, and of one that does not finish its CONNECT', async () => {
  for (const [bytes, reason] of [
    ['', 'connects but sends nothing within 1 s'],
    ['10', 'began to speak but sends no whole CONNECT within 1 s'],
  ] as const) {
    const told: Refusal[] = [];
    await using broker = await startTestBroker({
      options: { connectTimeout: 1 },
      refusals: { refused: (refusal) => told.push(refusal), connected: () => {} },
    });
    const client = broker.open();
    if (bytes !== '') client.send(Buffer.from(bytes, 'hex'));
    await client.expectClosed();
    assert.deepEqual(
      told.map((refusal) => refusalSentence(refusal.reason)),
      [reason],
    );
  }
});
