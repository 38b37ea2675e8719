// MQTT.js at the running program: each feature of MQTT 5 over each transport.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { connect, type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient, type Packet } from 'mqtt';
import { type ClientHouse, LIMITS, PASSWORD, startClientHouse, TRANSPORTS, type Transport, USER } from './client-house.ts';

/** A client with the packets that it has got. */
interface Guest {
  readonly client: MqttClient;
  readonly connack: IConnackPacket;
  readonly received: Packet[];
  /** messages gives all PUBLISH packets, once there are `count`. */
  messages(count: number): Promise<IPublishPacket[]>;
  /** packet gives the first packet of a kind, once it is there. */
  packet<Command extends Packet['cmd']>(command: Command): Promise<Extract<Packet, { cmd: Command }>>;
}

/** Visit is what a feature gets: topics and names of its own, and a way in. */
interface Visit {
  /** First level of the topics of this feature. */
  readonly own: string;
  /** id gives a client identifier of this feature. */
  id(name: string): string;
  enter(options?: IClientOptions): Promise<Guest>;
  house: ClientHouse;
}

const KEPT = { clean: false, properties: { sessionExpiryInterval: 1000 } };

const PROPERTIES = {
  payloadFormatIndicator: true,
  messageExpiryInterval: 1000,
  responseTopic: 'answers/here',
  correlationData: Buffer.from([0, 1, 0xff]),
  userProperties: { colour: ['red', 'green'], größe: '3 m' },
  contentType: 'text/plain',
};

/** FEATURES: what is tried over every transport. */
const FEATURES: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  async 'CONNACK announces limits, the keep alive and a client id that was left out'({ enter }) {
    const { connack } = await enter({ clientId: '', keepalive: 1000, properties: { userProperties: { from: 'a test' } } });
    const { assignedClientIdentifier, ...limits } = connack.properties ?? {};
    assert.match(assignedClientIdentifier ?? '', /./);
    assert.deepEqual(
      { ...limits },
      {
        serverKeepAlive: LIMITS.keepAlive,
        maximumPacketSize: LIMITS.packetSize,
        topicAliasMaximum: LIMITS.topicAliases,
        receiveMaximum: LIMITS.inflight,
      },
    );
  },

  async 'PUBLISH carries every property at QoS 0, 1 and 2'({ enter, own }) {
    const { client, messages } = await enter();
    await client.subscribeAsync(`${own}/#`, { qos: 2 });
    for (const qos of [0, 1, 2] as const) await client.publishAsync(`${own}/${qos}`, `QoS ${qos}`, { qos, properties: PROPERTIES });
    const got = await messages(3);
    assert.deepEqual(
      got.map(({ topic, qos, payload }) => [topic, qos, payload.toString()]),
      [0, 1, 2].map((qos) => [`${own}/${qos}`, qos, `QoS ${qos}`]),
    );
    for (const { properties } of got) assert.deepEqual(plain(properties), plain(PROPERTIES));
  },

  async 'PUBACK tells that nobody listens, PUBACK and PUBREC that a topic is denied'({ enter, own }) {
    const { client, received } = await enter();
    await client.publishAsync(`${own}/nobody`, '', { qos: 1 });
    await client.publishAsync(`${own}/nobody`, '', { qos: 2 });
    await assert.rejects(client.publishAsync('forbidden/x', '', { qos: 1 }), { code: 0x87 });
    await assert.rejects(client.publishAsync('forbidden/x', '', { qos: 2 }), { code: 0x87 });
    const answers = received.flatMap((packet) =>
      packet.cmd === 'puback' || packet.cmd === 'pubrec' ? [[packet.cmd, packet.reasonCode]] : [],
    );
    assert.deepEqual(answers, [
      ['puback', 0x10],
      ['pubrec', 0x00], // 0x10 would be allowed here too
      ['puback', 0x87],
      ['pubrec', 0x87],
    ]);
  },

  async 'SUBSCRIBE with identifiers names every subscription that a message matches'({ enter, own }) {
    const { client, messages } = await enter();
    await client.subscribeAsync(`${own}/#`, { qos: 1, properties: { subscriptionIdentifier: 7, userProperties: { a: 'b' } } });
    await client.subscribeAsync(`${own}/+`, { qos: 1, properties: { subscriptionIdentifier: 268_435_455 } });
    await client.publishAsync(`${own}/1`, 'x', { qos: 1 });
    const identifiers = (await messages(1)).flatMap(({ properties }) => properties?.subscriptionIdentifier ?? []);
    if (identifiers.length === 1) identifiers.push(...[(await messages(2))[1]?.properties?.subscriptionIdentifier ?? []].flat());
    assert.deepEqual(
      identifiers.sort((a, b) => a - b),
      [7, 268_435_455],
    );
  },

  async 'no local keeps a message from the client that sent it'({ enter, own }) {
    const [{ client, messages }, other] = [await enter(), await enter()];
    await client.subscribeAsync(`${own}/#`, { qos: 1, nl: true });
    await client.publishAsync(`${own}/mine`, 'x', { qos: 1 });
    await other.client.publishAsync(`${own}/theirs`, 'x', { qos: 1 });
    assert.equal((await messages(1))[0]?.topic, `${own}/theirs`);
  },

  async 'retain handling and retain as published are followed'({ enter, own }) {
    const { client, messages, received } = await enter();
    await client.publishAsync(`${own}/kept`, 'x', { qos: 1, retain: true });
    await client.subscribeAsync(`${own}/#`, { qos: 1, rh: 2 });
    await client.subscribeAsync(`${own}/#`, { qos: 1, rh: 1 });
    await client.publishAsync(`${own}/end`, 'x', { qos: 1, retain: true });
    assert.deepEqual(
      (await messages(1)).map(({ topic, retain }) => [topic, retain]),
      [[`${own}/end`, false]],
    );
    await client.unsubscribeAsync(`${own}/#`);
    received.length = 0;
    await client.subscribeAsync(`${own}/#`, { qos: 1, rh: 1, rap: true });
    await client.publishAsync(`${own}/last`, '', { qos: 1, retain: true });
    const got = await messages(3);
    assert.deepEqual(
      got.map(({ topic, retain }) => `${topic} ${retain}`).sort(),
      ['end', 'kept', 'last'].map((name) => `${own}/${name} true`),
    );
    for (const name of ['kept', 'end']) await client.publishAsync(`${own}/${name}`, '', { qos: 1, retain: true });
  },

  async 'SUBACK and UNSUBACK have a reason for each filter'({ enter, own }) {
    const { client, received } = await enter();
    await client.subscribeAsync({ [`${own}/0`]: { qos: 0 }, [`${own}/1`]: { qos: 1 }, [`${own}/2`]: { qos: 2 } });
    await client.unsubscribeAsync([`${own}/0`, `${own}/none`], { properties: { userProperties: { a: 'b' } } });
    const reasons = received.flatMap((packet) => (packet.cmd === 'suback' || packet.cmd === 'unsuback' ? [packet.granted] : []));
    assert.deepEqual(reasons, [
      [0, 1, 2],
      [0, 0x11],
    ]);
  },

  async 'topic aliases work towards the broker'({ enter, own }) {
    const [sender, { client, messages }] = [await enter({ autoAssignTopicAlias: true }), await enter()];
    await client.subscribeAsync(`${own}/#`, { qos: 1 });
    const sent: Packet[] = [];
    sender.client.on('packetsend', (packet) => sent.push(packet));
    const topics = Array.from({ length: 3 * (LIMITS.topicAliases + 2) }, (_, n) => `${own}/${Math.floor(n / 3)}`);
    for (const topic of topics) await sender.client.publishAsync(topic, 'x', { qos: 1 });
    assert.ok(sent.some((packet) => packet.cmd === 'publish' && packet.topic === '' && packet.properties?.topicAlias !== undefined));
    assert.deepEqual(
      (await messages(topics.length)).map(({ topic }) => topic),
      topics,
    );
  },

  async 'topic aliases work towards the client'({ enter, own }) {
    const [sender, { client, received }] = [await enter(), await enter({ properties: { topicAliasMaximum: 2 } })];
    const topics: string[] = [];
    client.on('message', (topic) => topics.push(topic));
    await client.subscribeAsync(`${own}/#`, { qos: 1 });
    const expected = [1, 1, 2, 2, 3, 3, 1].map((n) => `${own}/${n}`);
    for (const topic of expected) await sender.client.publishAsync(topic, 'x', { qos: 1 });
    while (topics.length < expected.length) await next(client, 'message');
    assert.deepEqual(topics, expected);
    const aliases = received.flatMap((packet) => (packet.cmd === 'publish' ? (packet.properties?.topicAlias ?? []) : []));
    assert.ok(aliases.length > 0 && aliases.every((alias) => alias === 1 || alias === 2), String(aliases));
  },

  async 'the receive maximum of a client bounds what it is sent'({ enter, own }) {
    const held: (() => void)[] = [];
    const customHandleAcks: IClientOptions['customHandleAcks'] = (_topic, _payload, _packet, done) => void held.push(() => done(0));
    const [sender, { client }] = [await enter(), await enter({ properties: { receiveMaximum: 2 }, customHandleAcks })];
    await client.subscribeAsync(`${own}/#`, { qos: 2 });
    let wire = ''; // MQTT.js takes no packet before it has answered the one before
    client.stream.on('data', (chunk: Buffer) => {
      wire += chunk.toString('latin1');
    });
    const sent = () => wire.split('a message').length - 1;
    for (let n = 0; n < 6; n++) await sender.client.publishAsync(`${own}/${n}`, 'a message', { qos: n < 3 ? 1 : 2 });
    client.sendPing();
    while (!wire.includes('\xd0\x00')) await once(client.stream, 'data');
    assert.equal(sent(), 2);
    for (let answered = 0; answered < 6; answered++) {
      while (held.length === 0) await turn();
      assert.ok(sent() <= answered + 2, `${sent()} messages after ${answered} answers`);
      held.shift()?.();
    }
    assert.equal(sent(), 6);
  },

  async 'a client with a kept session that sends more than the receive maximum is told, comes back and loses nothing'({ enter, id, own }) {
    const [sender, { client, messages }] = [await enter({ clientId: id('eager'), ...KEPT, reconnectPeriod: 1 }), await enter()];
    await client.subscribeAsync(`${own}/#`, { qos: 2 });
    const topics = Array.from({ length: 100 }, (_, n) => `${own}/${n}`);
    const sent = topics.map((topic, n) => sender.client.publishAsync(topic, 'x', { qos: n % 2 === 0 ? 1 : 2 })); // MQTT.js keeps to no receive maximum
    assert.equal((await sender.packet('disconnect')).reasonCode, 0x93);
    await Promise.all(sent);
    assert.deepEqual(new Set((await messages(100)).map(({ topic }) => topic)), new Set(topics));
  },

  async 'a client of MQTT 3.1.1 may send 500 messages at once'({ enter, own }) {
    const [sender, { client, messages }] = [await enter({ protocolVersion: 4 }), await enter()];
    await client.subscribeAsync(`${own}/#`, { qos: 2 });
    const topics = Array.from({ length: 500 }, (_, n) => `${own}/${n}`);
    await Promise.all(topics.map((topic, n) => sender.client.publishAsync(topic, 'x', { qos: n % 2 === 0 ? 1 : 2 })));
    assert.deepEqual(new Set((await messages(500)).map(({ topic }) => topic)), new Set(topics));
  },

  async 'the maximum packet size of a client keeps larger messages from it'({ enter, own }) {
    const [sender, { client, messages }] = [await enter(), await enter({ properties: { maximumPacketSize: 200 } })];
    await client.subscribeAsync(`${own}/#`, { qos: 1 });
    await sender.client.publishAsync(`${own}/large`, 'x'.repeat(300), { qos: 1 });
    await sender.client.publishAsync(`${own}/small`, 'x', { qos: 1 });
    assert.equal((await messages(1))[0]?.topic, `${own}/small`);
  },

  async 'DISCONNECT says that a packet is too large'({ enter, own }) {
    const { client, packet } = await enter();
    client.publish(`${own}/large`, 'x'.repeat(LIMITS.packetSize), { qos: 1 });
    assert.equal((await packet('disconnect')).reasonCode, 0x95);
  },

  async 'DISCONNECT says that another client took the session over'({ enter, id }) {
    const { packet } = await enter({ clientId: id('same') });
    await enter({ clientId: id('same') });
    assert.equal((await packet('disconnect')).reasonCode, 0x8e);
  },

  async 'DISCONNECT says that the keep alive has run out'({ enter }) {
    const never = { set: () => 0, clear: () => {} };
    const { packet } = await enter({ keepalive: 1, timerVariant: never }); // no PINGREQ
    assert.equal((await packet('disconnect')).reasonCode, 0x8d);
  },

  async 'DISCONNECT says that the broker shuts down'({ enter, house }) {
    const { packet } = await enter();
    await house.restart();
    assert.equal((await packet('disconnect')).reasonCode, 0x8b);
  },

  async 'a will has its properties and waits for its delay, or for the session to end'({ enter, id, own }) {
    const { client, messages } = await enter();
    await client.subscribeAsync(`${own}/#`, { qos: 1 });
    const will = { topic: `${own}/will`, payload: Buffer.from('gone'), qos: 1 as const, retain: false };
    const delayed = { clientId: id('delayed'), ...KEPT, will: { ...will, properties: { ...PROPERTIES, willDelayInterval: 1000 } } };
    (await enter(delayed)).client.stream.destroy();
    const back = await enter(delayed); // in time: no will
    await client.publishAsync(`${own}/between`, 'x', { qos: 1 });
    back.client.stream.destroy();
    await enter({ clientId: id('delayed'), clean: true }); // ends the session, and with it the delay
    const [between, gone] = await messages(2);
    assert.equal(between?.topic, `${own}/between`);
    assert.equal(gone?.topic, `${own}/will`);
    assert.deepEqual(plain(gone?.properties), plain(PROPERTIES));
  },

  async 'DISCONNECT with reason 0x04 publishes the will, a plain one does not'({ enter, own }) {
    const { client, messages } = await enter();
    await client.subscribeAsync(`${own}/#`, { qos: 1 });
    const will = (name: string) => ({ will: { topic: `${own}/${name}`, payload: Buffer.from('gone'), qos: 1 as const, retain: false } });
    await (await enter(will('plain'))).client.endAsync(false);
    await (await enter(will('said'))).client.endAsync(false, { reasonCode: 0x04, properties: { reasonString: 'bye' } });
    assert.equal((await messages(1))[0]?.topic, `${own}/said`);
  },

  async 'request and response meet by topic and correlation data'({ enter, own, id }) {
    const [asker, answerer] = [await enter({ properties: { requestResponseInformation: true } }), await enter()];
    await answerer.client.subscribeAsync(`${own}/ask`, { qos: 1 });
    await asker.client.subscribeAsync(`${own}/answer/${id('asker')}`, { qos: 1 });
    const correlationData = Buffer.from('one');
    await asker.client.publishAsync(`${own}/ask`, '?', {
      qos: 1,
      properties: { responseTopic: `${own}/answer/${id('asker')}`, correlationData },
    });
    const { responseTopic, ...rest } = (await answerer.messages(1))[0]?.properties ?? {};
    await answerer.client.publishAsync(responseTopic ?? '', '!', {
      qos: 1,
      properties: { correlationData: rest.correlationData ?? Buffer.alloc(0) },
    });
    const [answer] = await asker.messages(1);
    assert.deepEqual([answer?.payload.toString(), answer?.properties?.correlationData], ['!', correlationData]);
  },

  async 'a shared subscription gives each message to one member'({ enter, own }) {
    const [sender, ...members] = [await enter(), await enter(), await enter()];
    for (const { client } of members) await client.subscribeAsync(`$share/group/${own}/#`, { qos: 1 });
    for (let n = 0; n < 10; n++) await sender.client.publishAsync(`${own}/${n}`, 'x', { qos: 1 });
    const got = (await Promise.all(members.map(({ messages }) => messages(5)))).flat();
    assert.deepEqual(
      got.map(({ topic }) => topic).sort(),
      Array.from({ length: 10 }, (_, n) => `${own}/${n}`),
    );
  },

  async 'a kept session gives in order what came while its client was away, without what has expired'({ enter, id, own }) {
    const away = { clientId: id('away'), ...KEPT };
    const first = await enter(away);
    assert.equal(first.connack.sessionPresent, false);
    await first.client.subscribeAsync(`${own}/#`, { qos: 2 });
    await first.client.endAsync(false);
    const { client } = await enter();
    await client.publishAsync(`${own}/short`, 'x', { qos: 1, properties: { messageExpiryInterval: 1 } });
    for (const qos of [1, 2] as const)
      await client.publishAsync(`${own}/${qos}`, 'x', { qos, properties: { messageExpiryInterval: 1000 } });
    await client.publishAsync(`other/${own}`, 'x', { qos: 1, retain: true, properties: { messageExpiryInterval: 1 } });
    while (await isRetained(enter, `other/${own}`)); // the message before it has expired too
    const second = await enter(away);
    assert.equal(second.connack.sessionPresent, true);
    const got = await second.messages(2);
    assert.deepEqual(
      got.map(({ topic, qos }) => [topic, qos]),
      [1, 2].map((qos) => [`${own}/${qos}`, qos]),
    );
    for (const { properties } of got) assert.ok((properties?.messageExpiryInterval ?? 0) < 1000, 'the time in the queue is taken off');
  },

  async 'DISCONNECT with a session expiry of 0 ends a kept session'({ enter, id }) {
    const kept = { clientId: id('kept'), ...KEPT };
    await (await enter(kept)).client.endAsync(false);
    const again = await enter(kept);
    assert.equal(again.connack.sessionPresent, true);
    await again.client.endAsync(false, { reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
    assert.equal((await enter(kept)).connack.sessionPresent, false);
  },

  async 'a flow with birth and will messages goes on by itself after a restart of the broker'({ enter, house, own }) {
    const status = `${own}/status`;
    const will = { topic: status, payload: Buffer.from('offline'), qos: 1 as const, retain: true };
    const { client } = await enter({ reconnectPeriod: 50, will });
    client.on('message', (_topic, payload) => client.publish(`${own}/out`, payload, { qos: 2 }));
    await client.subscribeAsync(`${own}/in`, { qos: 2 }); // MQTT.js subscribes again by itself
    const isBack = new Promise((resolve) => client.once('connect', resolve));
    await house.restart();
    await isBack;
    await client.publishAsync(status, 'online', { qos: 1, retain: true });
    const watcher = await enter();
    await watcher.client.subscribeAsync([status, `${own}/out`], { qos: 2 });
    await watcher.client.publishAsync(`${own}/in`, 'on', { qos: 2 });
    const [birth, out] = await watcher.messages(2);
    assert.deepEqual([birth?.topic, birth?.payload.toString(), birth?.retain], [status, 'online', true]);
    assert.deepEqual([out?.topic, out?.payload.toString(), out?.qos], [`${own}/out`, 'on', 2]);
  },

  async 'CONNACK refuses a wrong password and enhanced authentication by their reasons'({ enter }) {
    await assert.rejects(enter({ password: 'wrong' }), { code: 0x87 });
    await assert.rejects(enter({ properties: { authenticationMethod: 'SCRAM-SHA-256' } }), { code: 0x8c });
  },
};

for (const transport of TRANSPORTS) {
  test(`MQTT.js over ${transport}`, async (context) => {
    const house = await startClientHouse(context);
    const ca = readFileSync(house.ca);
    for (const [number, [name, feature]] of Object.entries(FEATURES).entries()) {
      await context.test(name, (inner) => {
        const own = `f${number}`;
        return feature({ house, own, id: (of) => `${own}-${of}`, enter: (options) => enter(inner, house, transport, { ca, ...options }) });
      });
    }
  });
}

async function enter(context: TestContext, house: ClientHouse, transport: Transport, options: IClientOptions): Promise<Guest> {
  const url = `${transport}://localhost:${house.ports[transport]}`;
  const received: Packet[] = [];
  const defaults: IClientOptions = { protocolVersion: 5, reconnectPeriod: 0, username: USER, password: PASSWORD, manualConnect: true };
  const client = connect(url, { ...defaults, ...options });
  context.after(() => client.endAsync(true));
  client.on('packetreceive', (packet) => received.push(packet));
  client.connect();
  await new Promise<unknown>((resolve, reject) => client.once('connect', resolve).once('error', reject));
  client.on('error', () => {});
  const when = async <T>(find: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await next(client, 'packetreceive');
    }
  };
  const isCommand =
    <Command extends Packet['cmd']>(command: Command) =>
    (packet: Packet): packet is Extract<Packet, { cmd: Command }> =>
      packet.cmd === command;
  const packet: Guest['packet'] = (command) => when(() => received.find(isCommand(command)));
  return {
    client,
    connack: await packet('connack'),
    received,
    packet,
    messages: (count) =>
      when(() => {
        const all = received.filter(isCommand('publish'));
        return all.length < count ? undefined : all;
      }),
  };
}

/** next resolves at the next event of the name. */
function next(client: MqttClient, event: 'message' | 'packetreceive'): Promise<unknown> {
  return new Promise((resolve) => client.once(event, resolve));
}

/** isRetained tells whether a new subscriber gets a retained message of the topic. */
async function isRetained(enter: Visit['enter'], topic: string): Promise<boolean> {
  const { client, received } = await enter();
  await client.subscribeAsync(topic, { qos: 1 });
  await client.unsubscribeAsync(topic); // its answer comes behind the message
  await client.endAsync(true);
  return received.some(({ cmd }) => cmd === 'publish');
}

/** plain takes off what the decoder adds to an object, and the expiry, which counts down. */
function plain({ messageExpiryInterval, ...properties }: IPublishPacket['properties'] = {}): unknown {
  assert.ok(messageExpiryInterval !== undefined && messageExpiryInterval > 900 && messageExpiryInterval <= 1000);
  return { ...properties, userProperties: { ...properties.userProperties } };
}
