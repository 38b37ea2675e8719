// Messages: published by the rules, and those that are retained.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AclAuthorizer } from '../../src/access/acl.ts';
import { parseAclFile } from '../../src/access/acl-file.ts';
import { BRIDGE_LISTENER } from '../../src/bridges/options.ts';
import { Message } from '../../src/broker/message.ts';
import type { OpenListener } from '../../src/operations/needs.ts';
import { OperationFailure } from '../../src/operations/operation.ts';
import { Operations } from '../../src/operations/operations.ts';
import { startTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { operationsOn } from './test-operations.ts';

const LISTENER: OpenListener = {
  name: '1883',
  protocol: 'mqtt',
  tls: false,
  certificate: null,
  wantsCertificate: false,
  takesOurCertificates: false,
  port: 1883,
  addresses: [],
  connections: 0,
};
const RULES = new AclAuthorizer(parseAclFile('topic write open/#\nuser anna\ntopic write home/#\ntopic read home/#\n', 'acl').acl);

const needsOf = ({ broker }: TestBroker) => ({ broker, listeners: [LISTENER] });

function keep({ broker }: TestBroker, values: Readonly<Record<string, string | Buffer>>): void {
  for (const [topic, payload] of Object.entries(values))
    broker.publish({ cmd: 'publish', topic, payload: Buffer.from(payload), qos: 0, retain: true, dup: false });
}

test('publish reaches subscribers with QoS, properties and all, and may be retained', async () => {
  await using scene = await startTestBroker();
  const ask = operationsOn(needsOf(scene));
  const reader = await scene.connect({ clientId: 'reader' });
  reader.send("82 [ 0001 {} '#' 01 ]");
  await reader.expect('90 [ 0001 {} 01 ]');
  const input = { topic: 'home/lamp', payload: 'AAH/', encoding: 'base64', qos: 1, retain: true, contentType: 'x' };
  assert.deepEqual(await ask('publish', input, 'operator'), { topic: 'home/lamp', bytes: 3, username: null });
  await reader.expect("32 [ 'home/lamp' 0001 { 03 'x' } 00 01 ff ]");
  const kept = await ask('retained message', { topic: 'home/lamp' });
  assert.deepEqual([kept.payload, kept.encoding, kept.client, kept.qos], ['AAH/', 'base64', 'midge-operations', 1]);
});

test('publish obeys the rules for the user, and lets only an admin speak for others', async () => {
  await using scene = await startTestBroker({ authorizer: RULES });
  const ask = operationsOn(needsOf(scene));
  await ask('publish', { topic: 'open/x' });
  await assert.rejects(ask('publish', { topic: 'home/x' }), { reason: 'not allowed' });
  assert.equal((await ask('publish', { topic: 'home/x', username: 'anna' })).username, 'anna');
  await assert.rejects(ask('publish', { topic: 'home/x', username: 'anna' }, 'operator'), { reason: 'not allowed' });
  const operations = new Operations(() => needsOf(scene) as never);
  await operations.run('publish', { topic: 'home/x' }, { name: 'anna', right: 'operator', username: 'anna' });
  await assert.rejects(ask('publish', { topic: '$SYS/x', username: 'anna' }), { reason: 'not allowed' });
});

test('message of a phone is shown to whom a rule lets see the phone, and all others to everybody who may look', async () => {
  const rules = new AclAuthorizer(parseAclFile('user jane\ntopic readwrite #\nuser tom\ntopic read owntracks/jane/+\n', 'acl').acl);
  await using scene = await startTestBroker({ authorizer: rules });
  const needs = { ...needsOf(scene), access: { authorizer: rules }, phones: null };
  keep(scene, { 'owntracks/jane/phone': 'at home', 'home/lamp': 'on' });
  const operations = new Operations(() => needs as never);
  const ask = async (name: string, input: object, username?: string) => {
    const asker = { name: 'a test', right: 'admin' as const, ...(username === undefined ? {} : { username }) };
    return (await operations.run(name, input, asker)) as {
      payload: string;
      items: readonly { preview: string; isWithheld: boolean; message: { preview: string | null; isWithheld: boolean } | null }[];
    };
  };
  const listed = async (username?: string) =>
    (await ask('retained', {}, username)).items.map(({ preview, isWithheld }) => [preview, isWithheld]);
  assert.deepEqual(await listed('tom'), [
    ['on', false],
    ['at home', false],
  ]);
  assert.equal((await ask('retained message', { topic: 'owntracks/jane/phone' }, 'tom')).payload, 'at home');
  for (const username of ['jane', undefined]) {
    assert.deepEqual(await listed(username), [
      ['on', false],
      [null, true],
    ]);
    const [level] = (await ask('retained tree', { below: 'owntracks/jane' }, username)).items;
    assert.deepEqual([level?.message?.preview, level?.message?.isWithheld], [null, true]);
    await assert.rejects(ask('retained message', { topic: 'owntracks/jane/phone' }, username), { reason: 'not allowed' });
    assert.equal((await ask('retained message', { topic: 'home/lamp' }, username)).payload, 'on');
  }
});

test('publish names the field that does not fit', async () => {
  await using scene = await startTestBroker({ options: { messageSizeLimit: 3, retainAvailable: false } });
  const ask = operationsOn(needsOf(scene));
  const wrong = [
    [{ topic: 'a/#' }, 'topic'],
    [{ topic: 'a', payload: '*', encoding: 'base64' }, 'payload'],
    [{ topic: 'a', payload: 'long' }, 'payload'],
    [{ topic: 'a', retain: true }, 'retain'],
    [{ topic: 'a', qos: 3 }, 'qos'],
    [{ topic: 'a', listener: '9' }, 'listener'],
  ] as const;
  for (const [input, field] of wrong)
    await assert.rejects(ask('publish', input), (error: unknown) => {
      assert.ok(error instanceof OperationFailure && error.reason === 'bad input');
      assert.deepEqual(error.faults[0]?.path, [field]);
      return true;
    });
});

test('retained messages are listed by topic, filtered and searched, with a preview that cuts no character', async () => {
  await using scene = await startTestBroker();
  const ask = operationsOn(needsOf(scene));
  keep(scene, { 'home/b': 'on', 'home/A/temp': 'ä'.repeat(150), 'garden/door': Buffer.from([0xff]), '$other/x': 'y' });
  const topics = async (input: object) => (await ask('retained', input, 'viewer')).items.map((one: { topic: string }) => one.topic);
  assert.deepEqual(await topics({}), ['garden/door', 'home/A/temp', 'home/b']);
  assert.deepEqual(await topics({ filter: 'home/+' }), ['home/b']);
  assert.deepEqual(await topics({ search: 'TEMP' }), ['home/A/temp']);
  assert.deepEqual(await topics({ minBytes: 100 }), ['home/A/temp']);
  assert.deepEqual(await topics({ olderThan: 3600 }), []);
  assert.deepEqual(await topics({ filter: '$other/#' }), ['$other/x']);
  const { items, cursor, total } = await ask('retained', { limit: 2 });
  assert.deepEqual([items[0].preview, items[1].preview, items[1].bytes, total], [null, 'ä'.repeat(100), 300, 3]);
  assert.deepEqual(await topics({ limit: 2, cursor }), ['home/b']);
  await assert.rejects(ask('retained', { filter: 'a+' }), { reason: 'bad input' });
  await assert.rejects(ask('retained message', { topic: 'home' }), { reason: 'not found' });
});

test('retained message is told as held back while its publisher may not publish it, and not where check_retain_source is off', async () => {
  for (const checkRetainSource of [true, false]) {
    await using scene = await startTestBroker({ authorizer: RULES, options: { checkRetainSource } });
    const ask = operationsOn(needsOf(scene));
    for (const username of ['anna', 'tom']) {
      const message = Message.of({
        topic: scene.broker.topics.named(`home/${username}`),
        qos: 0,
        retain: true,
        payload: Buffer.from('on'),
      });
      message.source = { clientId: username, username, listener: '1883' };
      scene.broker.retained.set(message);
    }
    const listed: { isHeldBack: boolean }[] = (await ask('retained')).items;
    assert.deepEqual(
      listed.map(({ isHeldBack }) => isHeldBack),
      [false, checkRetainSource],
    );
    assert.equal((await ask('retained message', { topic: 'home/tom' })).isHeldBack, checkRetainSource);
    assert.equal((await ask('retained message', { topic: 'home/tom' })).bridge, null);
  }
});

test('retained message tells the bridge that it came by', async () => {
  await using scene = await startTestBroker();
  const message = Message.of({ topic: scene.broker.topics.named('family/hello'), qos: 0, retain: true, payload: Buffer.from('on') });
  message.source = { clientId: 'local.pi.anna', username: null, listener: `${BRIDGE_LISTENER}anna` };
  scene.broker.retained.set(message);
  assert.equal((await operationsOn(needsOf(scene))('retained message', { topic: 'family/hello' })).bridge, 'anna');
});

test('retained messages show as a tree, a level at a time', async () => {
  await using scene = await startTestBroker();
  const ask = operationsOn(needsOf(scene));
  const message = (preview: string | null, bytes = preview?.length) => ({ preview, isWithheld: false, qos: 0, bytes });
  const levels = async (input: object) => {
    const { items } = await ask('retained tree', input);
    for (const { message } of items) if (message !== null) assert.ok(Date.parse(message.since) > 0);
    return items.map(({ message, ...level }: { message: object | null }) => {
      const { since: _, ...rest } = { since: null, ...message };
      return { ...level, message: message === null ? null : rest };
    });
  };
  keep(scene, { home: '1', 'home/a': '22', 'home/a/x': '333', 'home/b/y/z': '4444', '/lead': '5' });
  assert.deepEqual(await levels({}), [
    { level: '', topic: '', messages: 1, bytes: 1, hasMore: true, message: null },
    { level: 'home', topic: 'home', messages: 4, bytes: 10, hasMore: true, message: message('1') },
  ]);
  assert.deepEqual(await levels({ below: 'home' }), [
    { level: 'a', topic: 'home/a', messages: 2, bytes: 5, hasMore: true, message: message('22') },
    { level: 'b', topic: 'home/b', messages: 1, bytes: 4, hasMore: true, message: null },
  ]);
});

test('retained messages are deleted as a preview has shown them, told to subscribers, and not when others match by then', async () => {
  await using scene = await startTestBroker();
  const ask = operationsOn(needsOf(scene));
  keep(scene, { 'home/a': '1', 'home/b': '22', 'garden/a': '3' });
  const preview = await ask('delete retained', { filter: 'home/#' }, 'operator');
  assert.deepEqual([preview.deleted, preview.messages, preview.bytes, preview.topics], [false, 2, 3, ['home/a', 'home/b']]);
  keep(scene, { 'home/c': '4' });
  await assert.rejects(ask('delete retained', { filter: 'home/#', confirm: preview.confirm }), { reason: 'conflict' });
  assert.equal(scene.broker.retained.count, 4);
  const reader = await scene.connect({ clientId: 'reader' });
  reader.send("82 [ 0001 {} '#' 20 ]");
  await reader.expect('90 [ 0001 {} 00 ]');
  const { confirm } = await ask('delete retained', { filter: 'home/#' });
  const done = await ask('delete retained', { filter: 'home/#', confirm }, 'operator');
  assert.deepEqual([done.deleted, done.messages, done.confirm], [true, 3, null]);
  for (const name of ['a', 'b', 'c']) await reader.expect(`30 [ 'home/${name}' {} ]`);
  assert.deepEqual(
    [...scene.broker.retained.all()].map(({ topic }) => topic.name),
    ['garden/a'],
  );
  await assert.rejects(ask('delete retained', { filter: '$SYS/#' }), { reason: 'bad input' });
});
