// Words on NATS that no broker of this version says, as another version or a stranger may: they are passed over, and nothing else ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { listening, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { type Member, startMember, startMembers, startNats } from './scene.ts';

const COPY = { username: null, listener: '', version: 5, expiryInterval: 0, qos: 0, retain: false, properties: '', payload: '' };
const WILLS = { v: 1, id: 'x', run: '1', begins: true, gone: [] };

/** By the last part of the subject. */
const HOSTILE: readonly (readonly [subject: string, word: unknown])[] = [
  ['alive', null],
  ['alive', { protocol: 1, id: 'x', run: '1', revision: 1, retained: '', version: 7 }],
  ['interest', { id: 'b', run: 1, revision: 1, wishes: [null] }],
  ['retained', 'no records'],
  ['forget', []],
  ['wills', { ...WILLS, set: [null] }],
  ['wills', { ...WILLS, set: [{}] }],
  ['wills', { ...WILLS, set: [{ ...COPY, clientId: 'one', topicName: 'x', properties: 'AAAA' }] }],
  ['wills', { ...WILLS, set: [{ ...COPY, clientId: 'two', topicName: 'x/#' }] }],
  ['wills', { ...WILLS, set: [{ ...COPY, clientId: 'three', topicName: 7 }] }],
  ['wills', { ...WILLS, set: [{ ...COPY, clientId: 'four', topicName: 'x', payload: null }] }],
  ['wills', { ...WILLS, set: [], gone: [null] }],
  ['b.clients', { v: 1, ask: 'said', from: 'x', of: null, run: '1', clients: [] }],
  ['b.clients', { v: 1, ask: 'said', from: 'x', of: 'x', run: '1', clients: [null] }],
  [
    'b.clients',
    { v: 1, ask: 'claim', from: 'x', clientId: 'c', time: 1e300, move: 'm', username: null, isProven: false, cleanStart: true },
  ],
  ['b.clients', { v: 1, ask: 'claim', from: 'x', clientId: 'c', time: '9', move: 'm', username: null, isProven: false, cleanStart: true }],
  ['b.clients', { v: 1, ask: 'cut', move: 'm', giver: 'a', taker: 'a', wishes: [[null, 7]] }],
  ['b.link', { from: 'x', to: 'y', subject: 'midge.test.stream.none' }],
];

test('cluster passes over words that no broker says, and goes on', async (t) => {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'])) as [Member, Member];
  const there = await listening(t, b.port, 'x');
  await a.knows('b', 1);
  const since = b.cluster.state.since;
  const stranger = await connect({ servers: [...nats.servers] });
  t.after(() => stranger.close());
  for (const [subject, word] of HOSTILE) stranger.publish(`midge.test.${subject}`, JSON.stringify(word), { reply: 'nobody' });
  await stranger.flush();
  await publish(t, a.port, 'x', 'carried', { qos: 2 });
  assert.deepEqual(
    (await there.got(1)).map(({ text }) => text),
    ['carried'],
  );
  await eventually(() => b.cluster.state.peers.some(({ id }) => id === 'a'), 'it is there');
  assert.equal(b.cluster.state.wills, 0);
  assert.equal(b.cluster.state.since, since);
  assert.equal(b.peer('a')?.phase, 'connected');
});

test('cluster makes a link anew at once when the other broker is started again, or connects to NATS again, while it is opened', async (t) => {
  const nats = await startNats(t);
  const a = await startMember(t, nats, 'a');
  const stranger = await connect({ servers: [...nats.servers] });
  t.after(() => stranger.close());
  const asked: string[] = [];
  stranger.subscribe('midge.test.x.link', {
    callback: (_, question) => {
      asked.push(question.json<{ to: string }>().to);
      question.respond(JSON.stringify({ subject: 'midge.test.stream.of-nobody' }));
    },
  });
  const lives = [
    ['first', 1],
    ['second', 1],
    ['second', 2],
  ] as const;
  for (const [run, connection] of lives) {
    const before = asked.length; // a slow machine may have asked the life before twice
    const alive = JSON.stringify({ protocol: 1, id: 'x', run, version: '0', revision: 1, retained: '', connection });
    await eventually(
      () => {
        stranger.publish('midge.test.alive', alive);
        return asked.slice(before).includes(run);
      },
      () => `it is asked for a link to its ${run} run on connection ${connection}: ${asked}`,
    );
    assert.doesNotMatch(a.peer('x')?.lastError ?? '', /does not answer/, 'it has not waited in vain');
  }
  await a.leave();
});

test('cluster keeps no link to a run that has ended while the link was asked for', async (t) => {
  const nats = await startNats(t);
  const a = await startMember(t, nats, 'a');
  const stranger = await connect({ servers: [...nats.servers] });
  t.after(() => stranger.close());
  const asked: string[] = [];
  const say = (run: string) => {
    const alive = { protocol: 1, id: 'x', run, version: '0', revision: 1, retained: '', connection: 1 };
    stranger.publish('midge.test.alive', JSON.stringify(alive));
  };
  stranger.subscribe('midge.test.x.link', {
    callback: (_, question) => {
      asked.push(question.json<{ to: string }>().to);
      say('second'); // NATS keeps the order: it is heard before the answer comes
      question.respond(JSON.stringify({ subject: 'midge.test.stream.of-nobody' }));
    },
  });
  await eventually(
    () => {
      if (asked.length === 0) say('first');
      return asked.includes('second');
    },
    () => `it is asked for a link to its second run: ${asked}`,
  );
  assert.equal(asked.filter((run) => run === 'first').length, 1);
  assert.doesNotMatch(a.peer('x')?.lastError ?? '', /does not answer/, 'it has not waited in vain');
  await a.leave();
});
