// What the page makes of topics: the tree, what somebody types to find some, and what payloads say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterMatches as filterMatchesOfBroker } from '../../src/mqtt/topics.ts';
import { hexDump, numbersIn, prettyJson } from '../../src/web/topics/payload.ts';
import { type Listed, type Row, TopicTree } from '../../src/web/topics/topic-tree.ts';
import { filterMatches, isFilter, wantedTopics } from '../../src/web/topics/wanted-topics.ts';

const passed = (topic: string, payload: string, retain = false, retained = retain && payload !== '') =>
  ({ topic, payload, encoding: 'utf8', qos: 0, retain, retained }) as const;
const listed = (topic: string, messages: number, preview: string | null = null): Listed => ({
  level: topic.slice(topic.lastIndexOf('/') + 1),
  topic,
  messages,
  hasMore: messages > (preview === null ? 0 : 1),
  message: preview === null ? null : { preview, isWithheld: false, qos: 1, bytes: preview.length, since: '2026-01-02T03:04:05.000Z' },
});
const countAt = (tree: TopicTree, topic: string) => (tree.find(topic)?.retained ?? 0) + (tree.uncounted().get(topic) ?? 0);
const shown = (rows: readonly Row[]) =>
  rows.map((row) =>
    row.kind === 'rest'
      ? `${row.node.topic}...`
      : `${' '.repeat(row.node.depth)}${row.node.level}${row.node.value === null ? '' : `=${row.node.value.payload}`}`,
  );

test('tree shows levels in the order of people, and below those that are open', () => {
  const tree = new TopicTree();
  tree.list(null, [listed('home', 3), listed('sensor10', 1, 'b'), listed('sensor2', 1, 'a')], null);
  assert.deepEqual(shown(tree.rows()), ['home', 'sensor2=a', 'sensor10=b']);
  tree.toggle('home', true);
  tree.list('home', [listed('home/door', 1, 'open')], 'more');
  assert.deepEqual(shown(tree.rows()), ['home', ' door=open', 'home...', 'sensor2=a', 'sensor10=b']);
  tree.list('home', [listed('home/lamp', 2, 'on')], null);
  assert.deepEqual(shown(tree.rows()), ['home', ' door=open', ' lamp=on', 'sensor2=a', 'sensor10=b']);
  tree.toggle('home', false);
  assert.deepEqual(shown(tree.rows()), ['home', 'sensor2=a', 'sensor10=b']);
});

test('tree takes in what passes, also below levels that nobody has listed, and empty levels', () => {
  const tree = new TopicTree();
  tree.pass(passed('/a//b', '1'), 1000);
  tree.reveal('/a//b');
  assert.deepEqual(shown(tree.rows()), ['', ' a', '  ', '   b=1']);
  assert.equal(tree.find('/a//b')?.value?.isRetained, false);
  assert.equal(tree.count, 1);
});

test('topic that is retained after the list is counted once, before and after it is listed itself', () => {
  const tree = new TopicTree();
  tree.list(null, [listed('home', 3)], null);
  tree.pass(passed('test/x', 'hello', true), 1000);
  assert.equal(tree.count, 4);
  tree.setListing(null, { kind: 'none' });
  tree.list(null, [listed('home', 3), listed('test', 1)], null);
  assert.equal(tree.count, 4);
  tree.pass(passed('test/x', '', true), 2000);
  tree.setListing(null, { kind: 'none' });
  tree.list(null, [listed('home', 3)], null);
  assert.equal(tree.count, 3);
});

test('topic with a retained value is counted once when another value passes there without being retained', () => {
  const tree = new TopicTree();
  tree.list(null, [listed('home', 2)], null);
  tree.list('home', [listed('home/a', 1, '1'), listed('home/b', 1, '2')], null);
  tree.pass(passed('home/a', '3', false, true), 9000);
  assert.equal(tree.find('home/a')?.value?.isRetained, false);
  assert.equal(tree.find('home/a')?.isKept, true);
  assert.equal(tree.count, 2);
  tree.list('home', [listed('home/b', 1, '2')], null);
  tree.list(null, [listed('home', 1)], null);
  assert.equal(tree.count, 2, 'of the other one something has passed');
  tree.pass(passed('home/kitchen/c', '3'), 9000);
  assert.deepEqual([tree.count, countAt(tree, 'home'), countAt(tree, 'home/kitchen')], [3, 3, 1]);
});

test('topic that is retained below a level that is closed asks for a count, and is counted once after it', () => {
  const tree = new TopicTree();
  tree.list(null, [listed('home', 4)], null);
  assert.equal(tree.pass(passed('home/kitchen/temperature', '21', true), 1), true);
  tree.recount(null, [listed('home', 5)], true);
  assert.deepEqual([tree.count, countAt(tree, 'home')], [5, 5]);
  assert.equal(tree.pass(passed('home/kitchen/temperature', '22', true), 2), false);
  assert.equal(tree.pass(passed('home/kitchen/temperature', '23', false, true), 3), false);
  assert.equal(tree.pass(passed('home/kitchen/temperature', '', true), 4), true);
  tree.recount(null, [listed('home', 4)], true);
  assert.equal(tree.count, 4);
});

test('topic below a level that is new is counted once, also when that level is opened and listed', () => {
  const tree = new TopicTree();
  tree.list(null, [], null);
  tree.pass(passed('home/living/temperature', '22.1', true), 1000);
  assert.deepEqual([tree.count, countAt(tree, 'home')], [1, 1]);
  tree.list('home', [listed('home/living', 1)], null);
  assert.equal(tree.count, 1);
  tree.list('home/living', [listed('home/living/temperature', 1, '22.1')], null);
  assert.equal(tree.count, 1);
});

test('topic with a retained value is counted once when only another value of it was seen to pass', () => {
  const tree = new TopicTree();
  tree.list(null, [listed('home', 3)], null);
  assert.equal(tree.pass(passed('home/kitchen/door', 'open', false, true), 1), true);
  assert.equal(tree.pass(passed('test/door', 'open', false, true), 2), true);
  assert.equal(tree.count, 4);
  tree.recount(null, [listed('home', 3), listed('test', 1)], true);
  assert.deepEqual([tree.count, countAt(tree, 'home'), countAt(tree, 'test')], [4, 3, 1]);
  assert.equal(tree.pass(passed('test/door', 'closed', false, false), 3), true, 'what was retained went unseen');
  tree.recount(null, [listed('home', 3)], true);
  assert.equal(tree.count, 4, 'a value of it has passed');
});

test('level stays whose own value goes while nobody has opened it, with all that is below it', () => {
  const tree = new TopicTree();
  tree.list(null, [listed('home', 6)], null);
  tree.toggle('home', true);
  tree.list('home', [listed('home/kitchen', 6, 'clean')], null);
  assert.equal(tree.pass(passed('home/kitchen', '', true), 1), true);
  assert.deepEqual(shown(tree.rows()), ['home', ' kitchen']);
  tree.recount(null, [listed('home', 5)], true);
  tree.recount('home', [listed('home/kitchen', 5)], true);
  assert.deepEqual([tree.count, countAt(tree, 'home'), countAt(tree, 'home/kitchen')], [5, 5, 5]);
});

test('value that goes below a level that nobody has opened asks for a count, and takes the level with it', () => {
  const tree = new TopicTree();
  tree.list(null, [listed('garden', 1), listed('home', 3)], null);
  assert.equal(tree.pass(passed('garden/tap', '', true), 1), true);
  tree.recount(null, [listed('home', 3)], false);
  assert.equal(tree.count, 4, 'the page was not whole');
  tree.recount(null, [listed('home', 3)], true);
  assert.deepEqual([tree.count, shown(tree.rows())], [3, ['home']]);
});

test('value that has passed is not replaced by an older one of a list, and goes with an empty retained message', () => {
  const tree = new TopicTree();
  const before = Date.parse('2026-01-02T03:04:04.000Z');
  tree.pass(passed('home/door', 'closed', true), before);
  tree.list('home', [listed('home/door', 1, 'open')], null);
  assert.equal(tree.find('home/door')?.value?.payload, 'open');
  tree.pass(passed('home/door', 'closed', true), before + 2000);
  tree.list('home', [listed('home/door', 1, 'open')], null);
  assert.equal(tree.find('home/door')?.value?.payload, 'closed');
  assert.deepEqual(
    tree.find('home/door')?.history.map(({ payload }) => payload),
    ['closed', 'closed'],
  );
  tree.pass(passed('home/door', '', true), before + 3000);
  assert.equal(tree.find('home/door'), null);
  tree.pass(passed('home/door', 'open'), before + 4000);
  assert.deepEqual(
    tree.find('home/door')?.history.map(({ payload }) => payload),
    ['closed', 'closed', 'open'],
    'it is the same topic',
  );
});

test('levels go with the last value below them, also when they were deleted while nobody looked', () => {
  const tree = new TopicTree();
  tree.list(null, [listed('home', 3), listed('garden', 1)], null);
  for (const topic of ['home', 'home/lamp', 'garden']) tree.toggle(topic, true);
  tree.list('home', [listed('home/door', 1, 'open'), listed('home/lamp', 2)], null);
  tree.list('home/lamp', [listed('home/lamp/state', 1, 'on'), listed('home/lamp/power', 1, '7')], null);
  tree.pass(passed('garden/new', 'x', true), 0);
  tree.pass(passed('garden/new', '', true), 0);
  assert.equal(tree.find('garden')?.retained, 1, 'a level of which not all is known stays');
  tree.pass(passed('home/lamp/state', '', true), 0);
  tree.pass(passed('home/lamp/power', '', true), 0);
  assert.deepEqual(shown(tree.rows()), ['garden', 'home', ' door=open']);
  tree.pass(passed('home/motion', 'on'), 0);
  tree.setListing('home', { kind: 'none' });
  tree.list('home', [], null);
  assert.deepEqual(shown(tree.rows()), ['garden', 'home', ' motion=on'], 'what was never retained stays');
  tree.setListing(null, { kind: 'none' });
  tree.list(null, [], null);
  assert.deepEqual(shown(tree.rows()), ['home', ' motion=on']);
});

test('history of a topic keeps its latest values', () => {
  const tree = new TopicTree();
  for (let count = 0; count < 1000; count++) tree.pass(passed('home/power', String(count)), count);
  const { history = [] } = tree.find('home/power') ?? {};
  assert.deepEqual([history.length, history[0]?.payload, history.at(-1)?.payload], [200, '800', '999']);
});

test('history has what was no text, without its bytes', () => {
  const tree = new TopicTree();
  tree.pass({ ...passed('cam/picture', btoa('\u0000\u0001')), encoding: 'base64' }, 1);
  assert.deepEqual(tree.find('cam/picture')?.history, [{ at: 1, payload: null }]);
});

test('history keeps the latest value alone once long ones have taken its room', () => {
  const tree = new TopicTree();
  const long = 'x'.repeat(1_000_000);
  for (let count = 0; count < 30; count++) tree.pass(passed(`cam/${count % 3}`, `${count}${long}`), count);
  const kept = [0, 1, 2].map((camera) => tree.find(`cam/${camera}`)?.history ?? []);
  assert.ok(kept.flat().length < 25, String(kept.flat().length));
  assert.deepEqual(
    kept.map((each) => each.at(-1)?.payload?.slice(0, 2)),
    ['27', '28', '29'],
  );
});

test('search finds what a filter matches, or what holds the words, and never mixes in $SYS', () => {
  const tree = new TopicTree();
  for (const topic of ['home/Door', 'home/lamp/door', 'garden/door', '$SYS/door']) tree.pass(passed(topic, 'x'), 0);
  const find = (typed: string) => tree.matching(wantedTopics(typed)?.isWanted ?? (() => false)).map(({ node }) => node.topic);
  assert.deepEqual(find('door'), ['garden/door', 'home/Door', 'home/lamp/door']);
  assert.deepEqual(find('home/+'), ['home/Door']);
  assert.deepEqual(find('$SYS/#'), ['$SYS/door']);
  assert.equal(wantedTopics('  '), null);
  assert.deepEqual([isFilter('a#'), isFilter('a/#/b'), isFilter('+/b'), isFilter('a/b')], [false, false, true, false]);
});

test('search finds topics in the order of the tree', () => {
  const tree = new TopicTree();
  for (const topic of ['sensor10/value', 'sensor2-b', 'sensor2/value', 'Sensor1', 'sensor2']) tree.pass(passed(topic, 'x'), 0);
  assert.deepEqual(
    tree.matching(() => true).map(({ node }) => node.topic),
    ['Sensor1', 'sensor2', 'sensor2/value', 'sensor2-b', 'sensor10/value'],
  );
});

test('filter matches as it does in the broker', () => {
  const topics = ['a', 'a/b', 'a/b/c', '/a', 'a/', '', '$SYS/a', 'b'];
  for (const filter of ['#', '+', 'a/#', 'a/+', '+/b', '/+', 'a/+/c', '+/+', '$SYS/#', '+/a', 'a'])
    for (const topic of topics) assert.equal(filterMatches(filter, topic), filterMatchesOfBroker(filter, topic), `${filter} on ${topic}`);
});

test('numbers are found in a payload, with units, in JSON, and for what is on or off', () => {
  const all = (payload: string) => Object.fromEntries(numbersIn(payload));
  assert.deepEqual(all('21.5'), { '': 21.5 });
  assert.deepEqual(all('-3 °C'), { '': -3 });
  assert.deepEqual(all('55%'), { '': 55 });
  assert.deepEqual(all('ON'), { '': 1 });
  assert.deepEqual(all('{"t":21.5,"battery":{"low":false},"name":"x","list":[1,2]}'), {
    t: 21.5,
    'battery.low': 0,
    'list.0': 1,
    'list.1': 2,
  });
  for (const none of ['', 'hello', '2026-01-02', '{broken', '192.168.1.1']) assert.deepEqual(all(none), {}, none);
});

test('payload is shown as JSON on several lines, or as bytes', () => {
  assert.equal(prettyJson('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  const mixed = '{"a":{},"b":[],"c":[{"d":"x, {\\"y\\": 1}"},null,-1e3],"e":true}';
  assert.equal(prettyJson(mixed), JSON.stringify(JSON.parse(mixed), null, 2).replace('-1000', '-1e3'));
  assert.equal(prettyJson('{"big":9007199254740993,"price":1.10}'), '{\n  "big": 9007199254740993,\n  "price": 1.10\n}', 'as it was sent');
  assert.equal(prettyJson('21.5'), null);
  assert.equal(prettyJson('{broken'), null);
  assert.equal(hexDump(btoa('midge is here\u0000')), '0000  6d 69 64 67 65 20 69 73  midge is\n0008  20 68 65 72 65 00         here.');
});

test('tree of 50,000 topics is flattened and searched while somebody types', () => {
  const tree = new TopicTree();
  for (let count = 0; count < 50_000; count++) tree.pass(passed(`plant/line${count % 50}/sensor${count}/value`, String(count)), count);
  for (const topic of ['plant', ...Array.from({ length: 50 }, (_, line) => `plant/line${line}`)]) tree.toggle(topic, true);
  assert.equal(tree.rows().length, 1 + 50 + 50_000);
  assert.equal(tree.rows(), tree.rows(), 'nothing is made anew when nothing was added');
  assert.equal(tree.matching((topic) => topic.includes('sensor4999')).length, 11);
});
