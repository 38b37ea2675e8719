// Server-Sent Events: whole ones, in order, and a slow reader costs a bounded amount of memory and is told what it missed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventStream } from '../../src/api/event-stream.ts';
import { Roles } from '../../src/api/roles.ts';
import { type OpenApi, openApi, signIn, TABLE } from './open-api.ts';

/** A reader of one stream, which reads when it is asked. */
async function openStream(context: TestContext, api: OpenApi, path: string, headers: Record<string, string>) {
  const socket = connect(api.port, '127.0.0.1');
  context.after(() => socket.destroy());
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
    socket.emit('more');
  });
  socket.on('error', () => {});
  return {
    socket,
    async until(pattern: RegExp): Promise<string> {
      while (!pattern.test(text)) await once(socket, 'more');
      return text;
    },
  };
}

const STREAM = '/api/v1/messages/stream?topic=home/%23';
const message = (payload: Buffer) => ({ topic: 'home/door', payload, qos: 1, retain: false });

test('messages come as events, text as it is and other bytes in base64', async (context) => {
  const api = await openApi(context, { table: TABLE });
  const stream = await openStream(context, api, STREAM, { authorization: 'Bearer operator' });
  const head = await stream.until(/\r\n\r\n/);
  assert.match(head, /content-type: text\/event-stream/i);
  await stream.until(/^: $/m);
  for (const deliver of api.feeds) {
    deliver(message(Buffer.from('öffen\n')));
    deliver(message(Buffer.from([0xff, 0])));
  }
  const text = await stream.until(/base64/);
  assert.ok(
    text.includes(
      'event: message\ndata: {"topic":"home/door","qos":1,"retain":false,"retained":false,"payload":"öffen\\n","encoding":"utf8"}\n\n',
    ),
  );
  assert.ok(text.includes('"payload":"/wA=","encoding":"base64"}\n\n'));
  stream.socket.destroy();
  while (api.feeds.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

for (const [what, path, authorization, status] of [
  ['nobody is signed in', STREAM, '', 401],
  ['its reader may only look', STREAM, 'Bearer viewer', 403],
  ['no filter is said', '/api/v1/messages/stream', 'Bearer operator', 422],
  ['a filter is none', '/api/v1/messages/stream?topic=a%23', 'Bearer operator', 422],
  ['a filter is shared', '/api/v1/messages/stream?topic=$share/a/b', 'Bearer operator', 422],
  ['its sample is none', `${STREAM}&sample=0`, 'Bearer operator', 422],
  ['an operator wants the log', '/api/v1/log/stream', 'Bearer operator', 403],
] as const) {
  test(`stream answers ${status} when ${what}`, async (context) => {
    const api = await openApi(context, { table: TABLE });
    const answer = await api.ask(path, { headers: authorization === '' ? {} : { authorization } });
    assert.equal(answer.status, status);
    assert.equal(api.feeds.size, 0);
  });
}

test('sample sends the latest of each topic, of as many as it may, and tells how many messages to other topics there were', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const api = await openApi(context, { table: TABLE });
  const stream = await openStream(context, api, `${STREAM}&sample=12`, { authorization: 'Bearer operator' });
  await stream.until(/^: $/m);
  const lent = Buffer.from('1');
  const deliver = (topic: string, payload: Buffer) => {
    for (const each of api.feeds) each({ topic, payload, qos: 0, retain: false });
  };
  for (const topic of ['home/a', 'home/b', 'home/c', 'home/d']) deliver(topic, lent);
  lent.write('9'); // another message came into the same bytes
  deliver('home/b', Buffer.from('2'));
  context.mock.timers.tick(250);
  const first = await stream.until(/event: missed\ndata: \{"count":1\}/);
  const told = Array.from(first.matchAll(/"topic":"([^"]+)".*"payload":"(\d)"/g), ([, topic, payload]) => `${topic} ${payload}`);
  assert.deepEqual(told, ['home/a 1', 'home/b 2', 'home/c 1']);
  deliver('home/d', Buffer.from('4'));
  context.mock.timers.tick(250);
  await stream.until(/"topic":"home\/d"/);
  for (const topic of ['home/a', 'home/b', 'home/c']) deliver(topic, lent);
  const unread = { topic: 'home/d', qos: 0, retain: false, payload: Buffer.alloc(0) };
  Object.defineProperty(unread, 'payload', { get: () => assert.fail('a payload was read for which there is no room') });
  for (const each of api.feeds) each(unread);
  stream.socket.destroy();
});

test('sample leaves nothing out while there is room for all', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const api = await openApi(context, { table: TABLE });
  const stream = await openStream(context, api, `${STREAM}&sample=12`, { authorization: 'Bearer operator' });
  await stream.until(/^: $/m);
  const deliver = (payloads: string) => {
    for (const payload of payloads) for (const each of api.feeds) each({ ...message(Buffer.from(payload)), topic: 'home/a' });
    context.mock.timers.tick(250);
  };
  deliver('123');
  deliver('4567');
  const told = Array.from((await stream.until(/"payload":"7"/)).matchAll(/"payload":"(\d)"/g), ([, payload]) => payload);
  assert.deepEqual(told, ['1', '2', '3', '7']);
  stream.socket.destroy();
});

test('message tells whether one is retained at its topic: itself, or one before it', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const api = await openApi(context, { table: TABLE });
  const every = await openStream(context, api, STREAM, { authorization: 'Bearer operator' });
  const sample = await openStream(context, api, `${STREAM}&sample=12`, { authorization: 'Bearer operator' });
  for (const stream of [every, sample]) await stream.until(/^: $/m);
  const deliver = (topic: string, payload: string, retain: boolean) => {
    for (const each of api.feeds) each({ topic, payload: Buffer.from(payload), qos: 0, retain });
  };
  api.retained.add('home/kept');
  deliver('home/kept', '1', true);
  deliver('home/kept', '2', false);
  deliver('home/passing', '3', false);
  deliver('home/cleared', '', true);
  context.mock.timers.tick(250);
  const told = async (stream: typeof every) =>
    Array.from(
      (await stream.until(/home\/cleared.*\n/)).matchAll(/"topic":"home\/(\w+)".*"retained":(\w+)/g),
      ([, topic, retained]) => `${topic} ${retained}`,
    );
  assert.deepEqual(await told(every), ['kept true', 'kept true', 'passing false', 'cleared false']);
  assert.deepEqual(await told(sample), ['kept true', 'passing false', 'cleared false'], 'of each the latest');
  for (const { socket } of [every, sample]) socket.destroy();
});

test('connections end with their listener, and the others stay', async (context) => {
  const api = await openApi(context, { table: TABLE });
  const stream = await openStream(context, api, STREAM, { authorization: 'Bearer operator' });
  await stream.until(/^: $/m);
  const idle = await openStream(context, api, '/health', {});
  await idle.until(/"ok"/);
  api.keepListeners(new Set(['1883', '8443']));
  assert.equal(api.feeds.size, 1);
  const closed = [stream, idle].map(({ socket }) => once(socket, 'close'));
  api.keepListeners(new Set(['1883']));
  await Promise.all(closed);
  while (api.feeds.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('connection that is being answered when its listener goes ends after the answer', async (context) => {
  const asked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const metrics = async () => {
    asked.resolve();
    await goOn.promise;
    return { text: 'up 1\n', contentType: 'text/plain' };
  };
  const api = await openApi(context, { table: TABLE, metrics });
  const asker = await openStream(context, api, '/metrics', { authorization: 'Bearer monitoring' });
  const closed = once(asker.socket, 'close');
  await asked.promise;
  api.keepListeners(new Set());
  goOn.resolve();
  await asker.until(/up 1/);
  await closed;
});

test('streams are refused beyond their number, of all and of one who asks, and end when the API stops', async (context) => {
  const api = await openApi(context, { table: TABLE });
  const streams: Awaited<ReturnType<typeof openStream>>[] = [];
  const open = async (right: string, most: number) => {
    for (let count = 0; count < most; count++) {
      const stream = await openStream(context, api, STREAM, { authorization: `Bearer ${right}` });
      await stream.until(/^: $/m);
      streams.push(stream);
    }
  };
  await open('operator', 24);
  assert.equal((await api.ask(STREAM, { token: 'operator' })).status, 503);
  await open('admin', 8);
  assert.equal((await api.ask(STREAM, { token: 'admin' })).status, 503);
  const closed = streams.map(({ socket }) => once(socket, 'close'));
  api.stop();
  await Promise.all(closed);
  assert.equal(api.feeds.size, 0);
});

test('streams of all tokens of an account count as its own', async (context) => {
  const tokens = { find: (name: string) => ({ name, right: 'operator', account: 'tom' }) as const };
  const api = await openApi(context, { table: TABLE, tokens });
  api.roles.set('tom', 'operator');
  for (let count = 0; count < 24; count++) {
    const stream = await openStream(context, api, STREAM, { authorization: `Bearer token-${count}` });
    await stream.until(/^: $/m);
  }
  assert.equal((await api.ask(STREAM, { headers: { authorization: 'Bearer another' } })).status, 503);
});

test('reader who reads nothing costs a bounded amount, and is told how many it has missed', async () => {
  let send: (event: string, data: unknown) => void = () => {};
  let isOpen = true;
  const { body } = eventStream({
    open: (given) => {
      send = given;
      return () => {
        isOpen = false;
      };
    },
    mayGoOn: () => true,
    closed: () => {},
  });
  const payload = 'x'.repeat(10_000);
  for (let count = 0; count < 1000; count++) send('message', { count, payload });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes('event: missed')) text += decoder.decode((await reader.read()).value, { stream: true });
  assert.ok(text.length <= 1_100_000, `${text.length} bytes waited`);
  const counts = Array.from(text.matchAll(/"count":(\d+),"payload"/g), ([, count]) => Number(count));
  assert.deepEqual(counts, Array.from(counts.keys()), 'those that came are the first, in order');
  const [, missed] = /event: missed\ndata: \{"count":(\d+)\}/.exec(text) ?? [];
  assert.equal(counts.length + Number(missed), 1000);
  send('message', { again: true });
  while (!text.includes('again')) text += decoder.decode((await reader.read()).value, { stream: true });
  await reader.cancel();
  assert.equal(isOpen, false);
});

test('events that wait for the same reader come together', async () => {
  const { body, end } = eventStream({
    open: (send) => {
      for (let count = 0; count < 50; count++) send('message', { count });
      return () => {};
    },
    mayGoOn: () => true,
    closed: () => {},
  });
  const reader = body.getReader();
  const chunks: string[] = [];
  while (chunks.length === 0 || !chunks.join('').includes('"count":49')) {
    chunks.push(new TextDecoder().decode((await reader.read()).value));
  }
  end();
  assert.ok(chunks.length <= 2, `${chunks.length} writes`);
  const counts = Array.from(chunks.join('').matchAll(/"count":(\d+)/g), ([, count]) => Number(count));
  assert.deepEqual(counts, Array.from(counts.keys()));
});

test('stream ends soon after the right of its reader has ended', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const roles = new Roles(null);
  roles.set('jane', 'admin');
  const api = await openApi(context, { table: TABLE, roles });
  const { cookie = '' } = await signIn(api);
  const stream = await openStream(context, api, STREAM, { cookie });
  await stream.until(/^: $/m);
  context.mock.timers.tick(15_000);
  assert.equal(api.feeds.size, 1);
  roles.set('jane', 'viewer');
  context.mock.timers.tick(15_000);
  assert.equal(api.feeds.size, 0);
  await stream.until(/^0\r$/m); // the last chunk of HTTP/1.1
});
