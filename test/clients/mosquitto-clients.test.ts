// pub and sub at work: beside Debian's mosquitto_pub and mosquitto_sub, against Debian's mosquitto; same bytes, same status.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';
import { missing, type Ran, runForeign } from '../support/process/foreign-program.ts';
import { startMosquittoBeside } from './mosquitto-beside.ts';

const skip = missing(['mosquitto', 'mosquitto_pub', 'mosquitto_sub', 'mosquitto_passwd'], 'mosquitto, mosquitto-clients');

/** FIXTURES are retained before each run of sub: text, JSON, bytes that are no text, MQTT 5 properties. */
const FIXTURES: readonly (readonly [topic: string, payload: Buffer, ...words: string[]])[] = [
  ['f/1', Buffer.from('hello world')],
  ['f/2', Buffer.from('{"10":1,"b":[1.50, 2,"x/y\\u00e9",1e21,0.1,-0,{}],"a":{"k":null,"t":true}}'), '-q', '1'],
  ['f/3', Buffer.from([0x41, 0xff, 0xfe, 0x62, 0x22, 0x5c, 0x0a]), '-q', '1'],
  [
    'f/4',
    Buffer.from('props'),
    ...['-V', '5', '-D', 'publish', 'content-type', 'text/plain', '-D', 'publish', 'correlation-data', 'co"rr'],
    ...['-D', 'publish', 'payload-format-indicator', '1', '-D', 'publish', 'response-topic', 're/sp'],
    ...['-D', 'publish', 'user-property', 'k1', 'v1', '-D', 'publish', 'user-property', 'k2', 'v2'],
  ],
  ['f/5', Buffer.from('12.5e3')],
];

const ALL = ['-t', 'f/#', '-q', '1', '-C', '5'];

/** TEXTS leaves out what is no UTF-8: mosquitto's JSON is none then, ours has U+FFFD. */
const TEXTS = ['-t', 'f/1', '-t', 'f/2', '-t', 'f/4', '-t', 'f/5', '-q', '1', '-C', '4'];

/** FORMATS are tried with MQTT 3.1.1 and 5. */
const FORMATS: readonly string[] = [
  '%t %p',
  '[%20t] [%-20t] [%020t] [%.2t] [%10.2t] [%-10.2t]',
  '[%l] [%5l] [%05l] [%-5l]',
  '%q %r %m [%3m]',
  '%x %X',
  '[%-20p] [%20p] [%020p] [%3p] [%.3p]',
  'a\\tb\\n\\\\\\0\\a\\e\\v\\r@@%%',
  '%A|%C|%D|%E|%F|%P|%R|%S',
  '[%10A|%10C|%10E|%10F|%-10S|%010A|%010C|%5.2C]',
  '%.4I @Y @q @E',
];

/** SUBSCRIBERS: words of sub. */
const SUBSCRIBERS: readonly (readonly string[])[] = [
  ALL,
  [...ALL, '-v'],
  [...ALL, '-N'],
  [...ALL, '-v', '-N'],
  [...ALL, '-V', 'mqttv31'],
  [...ALL, '-V', '5', '-v'],
  [...ALL, '-i', 'me', '-k', '10', '-u', 'someone', '-P', 'secret'],
  [...ALL, '-I', 'prefix'],
  [...ALL, '-A', '127.0.0.1'],
  [...ALL, '-q', '2', '-F', '%t %q'],
  [...TEXTS, '-F', '%j'],
  [...TEXTS, '-F', '%j', '-V', '5'],
  [...TEXTS, '-F', '%j', '-V', '5', '--pretty'],
  [...ALL, '-F', '%J'],
  [...ALL, '-F', '%J', '--pretty'],
  ['-t', 'f/1', '-t', 'f/5', '-C', '2', '-v'],
  ['-t', 'f/#', '-T', 'f/2', '-T', 'f/3', '-C', '3', '-v'],
  ['-t', 'f/#', '-C', '2', '-U', 'other', '-v'],
  ['-t', 'f/#', '-E', '-v'],
  ['-t', 'f/#', '-W', '1', '-R'],
  ['-t', 'nothing', '-W', '1'],
  ['-t', 'nothing', '-W', '1', '--quiet'],
  ['-t', 'f/1', '-C', '1', '-V', '5', '-D', 'subscribe', 'subscription-identifier', '7', '-F', '%S %p'],
  ['-t', 'f/#', '-C', '5', '-V', '5', '--retain-as-published', '-F', '%t %r'],
  ['-t', 'f/#', '-C', '5', '-V', '5', '-D', 'connect', 'receive-maximum', '1', '-q', '1', '-v'],
  ['-t', 'f/#', '-C', '5', '-V', '5', '-D', 'disconnect', 'user-property', 'a', 'b', '-x', '5', '-v'],
  ['-t', 'f/#', '--remove-retained', '-W', '1', '-v'],
  ['-t', 'f/1', '-C', '1', '--will-topic', 'w', '--will-payload', 'gone', '--will-qos', '1', '--will-retain'],
  ...FORMATS.flatMap((format) => [
    [...ALL, '-F', format],
    [...ALL, '-V', '5', '-F', format],
  ]),
];

for (const words of SUBSCRIBERS) {
  test(`sub prints what mosquitto_sub prints when started with ${JSON.stringify(words.join(' '))}`, { skip }, async (context) => {
    const { open } = await startMosquittoBeside(context);
    const run = async (program: (words: readonly string[]) => Promise<Ran>) => {
      for (const [topic, payload, ...more] of FIXTURES) {
        await done(runForeign('mosquitto_pub', ['--unix', open, '-r', '-t', topic, '-s', ...more], { stdin: payload }));
      }
      return program(['--unix', open, ...words]);
    };
    const theirs = await run((all) => runForeign('mosquitto_sub', all));
    const ours = await run((all) => runMidge(all, { program: 'mosquitto_sub' }));
    assert.equal(comparable(ours.stdout), comparable(theirs.stdout));
    assert.equal(ours.stderr, theirs.stderr);
    assert.equal(ours.status, theirs.status);
  });
}

/** PUBLISHERS: words of pub, how many messages they make, and standard input. */
const PUBLISHERS: readonly { words: readonly string[]; messages: number; stdin?: string }[] = [
  { words: ['-t', 'o/1', '-m', 'hello'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'hello', '-q', '1'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'hello', '-q', '2'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'hello', '-q', '2', '-V', '5'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'hello', '-q', '1', '-V', 'mqttv31'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'grüße 🐝'], messages: 1 },
  { words: ['-t', 'o/1', '-m', ''], messages: 1 },
  { words: ['-t', 'o/1', '-n'], messages: 1 },
  { words: ['-t', 'o/1', '-s'], messages: 1, stdin: 'two\nlines\n' },
  { words: ['-t', 'o/1', '-l'], messages: 3, stdin: 'a\n\nb\r\n' },
  { words: ['-t', 'o/1', '-l', '-q', '1'], messages: 3, stdin: 'a\n\nb\r\n' },
  { words: ['-t', 'o/1', '-l', '-q', '2', '-M', '1'], messages: 10, stdin: 'line\n'.repeat(10) },
  { words: ['-t', 'o/1', '-l'], messages: 0, stdin: '' },
  { words: ['-t', 'o/1', '-m', 'x', '--repeat', '3'], messages: 3 },
  { words: ['-t', 'o/1', '-m', 'x', '--repeat', '2', '--repeat-delay', '0.01', '-q', '1'], messages: 2 },
  { words: ['-t', 'o/1', '-m', 'x', '-u', 'someone', '-P', 'secret', '-i', 'me', '-k', '10'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'x', '-c', '-i', 'kept'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'x', '-V', '5', '-x', '10', '-i', 'kept'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'x', '--will-topic', 'o/w', '--will-payload', 'gone'], messages: 1 },
  {
    words: ['-t', 'o/1', '-m', 'x', '-D', 'publish', 'content-type', 'text/plain', '-D', 'publish', 'user-property', 'k', 'v'],
    messages: 1,
  },
  { words: ['-t', 'o/1', '-m', 'x', '-D', 'publish', 'correlation-data', '12', '-D', 'PUBLISH', 'Response-Topic', 're'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'x', '-D', 'publish', 'payload-format-indicator', '1'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'x', '-D', 'publish', 'topic-alias', '3'], messages: 1 },
  { words: ['-t', 'o/1', '-m', 'x', '-D', 'connect', 'user-property', 'a', 'b'], messages: 1 },
  { words: ['-t', 'denied/1', '-m', 'x', '-q', '1', '-V', '5'], messages: 0 },
  { words: ['-t', 'denied/1', '-m', 'x', '-q', '1', '-V', '5', '--quiet'], messages: 0 },
  { words: ['-t', 'denied/1', '-m', 'x', '-q', '1'], messages: 0 },
  { words: ['-t', '', '-m', 'x'], messages: 0 },
  { words: ['-t', 'o/1', '-m', 'x', '-W'], messages: 0 },
];

for (const { words, messages, stdin = '' } of PUBLISHERS) {
  test(`pub sends what mosquitto_pub sends when started with ${JSON.stringify(words.join(' '))}`, { skip }, async (context) => {
    const { open } = await startMosquittoBeside(context);
    const all = ['--unix', open, ...words];
    const theirs = await recorded(open, messages, () => runForeign('mosquitto_pub', all, { stdin }));
    const ours = await recorded(open, messages, () => runMidge(all, { stdin, program: 'mosquitto_pub' }));
    assert.equal(ours.record, theirs.record);
    assert.equal(ours.stdout.toString(), theirs.stdout.toString());
    assert.equal(ours.stderr, theirs.stderr);
    assert.equal(ours.status, theirs.status);
  });
}

/** recorded runs a publisher beside a kept session, and reads what the session has got: as many messages as expected, and one that ends them. */
async function recorded(socket: string, messages: number, publisher: () => Promise<Ran>): Promise<Ran & { record: string }> {
  const session = ['--unix', socket, '-i', 'recorder', '-c', '-t', '#', '-q', '2', '-V', '5'];
  await done(runForeign('mosquitto_sub', [...session, '-E']));
  const ran = await publisher();
  await done(runForeign('mosquitto_pub', ['--unix', socket, '-t', 'the/end', '-m', 'of it', '-q', '2']));
  const read = [...session, '-C', String(messages + 1), '-F', '%t %q %r %x|%C|%D|%F|%P|%R'];
  const { stdout } = await done(runForeign('mosquitto_sub', read));
  assert.match(stdout.toString(), /the\/end .*\n$/);
  return { ...ran, record: stdout.toString() };
}

/** REFUSED: a broker that asks for an account, and the answers of both versions. */
const REFUSED: readonly (readonly ['pub' | 'sub', ...string[]])[] = [
  ['pub', '-t', 'a', '-m', 'x'],
  ['pub', '-t', 'a', '-m', 'x', '-V', '31'],
  ['pub', '-t', 'a', '-m', 'x', '-V', '5'],
  ['pub', '-t', 'a', '-l'],
  ['pub', '-t', 'a', '-m', 'x', '--quiet'],
  ['sub', '-t', 'a'],
  ['sub', '-t', 'a', '-V', '5'],
  ['sub', '-t', 'a', '-u', 'x', '-P', 'wrong'],
];

for (const [name, ...words] of REFUSED) {
  test(`${name} ends as mosquitto_${name} does when refused with "${words.join(' ')}"`, { skip }, async (context) => {
    const { closed } = await startMosquittoBeside(context);
    const all = ['--unix', closed, ...words];
    const [ours, theirs] = await Promise.all([runMidge(all, { program: `mosquitto_${name}` }), runForeign(`mosquitto_${name}`, all)]);
    assert.deepEqual(ours, theirs);
    assert.notEqual(ours.status, 0);
  });
}

test('sub takes what a kept session holds, acknowledges no more than it prints, and leaves the rest when -C ends it', {
  skip,
}, async (context) => {
  const { open } = await startMosquittoBeside(context);
  await keepSession(open, ['one', 'two', 'three']);
  const first = await runMidge(['sub', '--unix', open, '-i', 'kept', '-c', '-q', '1', '-t', 'k', '-C', '1']);
  assert.equal(first.stdout.toString(), 'one\n');
  const rest = await runForeign('mosquitto_sub', ['--unix', open, '-i', 'kept', '-c', '-q', '1', '-t', 'k', '-C', '2']);
  assert.equal(rest.stdout.toString(), 'two\nthree\n');
});

test('sub ends at the first live message when told --retained-only', { skip }, async (context) => {
  const { open } = await startMosquittoBeside(context);
  await keepSession(open, ['live']);
  const { stdout, status } = await runMidge(['sub', '--unix', open, '-i', 'kept', '-c', '-q', '1', '-t', 'k', '--retained-only']);
  assert.equal(stdout.toString(), '');
  assert.equal(status, 0);
});

test('sub has deleted what it printed when told --remove-retained', { skip }, async (context) => {
  const { open } = await startMosquittoBeside(context);
  for (const topic of ['r/1', 'r/2']) await done(runForeign('mosquitto_pub', ['--unix', open, '-r', '-t', topic, '-m', 'old']));
  const first = await done(runMidge(['sub', '--unix', open, '-t', 'r/#', '--remove-retained', '-C', '2', '-v']));
  assert.equal(first.stdout.toString(), 'r/1 old\nr/2 old\n');
  await done(runForeign('mosquitto_pub', ['--unix', open, '-r', '-t', 'r/3', '-m', 'new']));
  const second = await done(runForeign('mosquitto_sub', ['--unix', open, '-t', 'r/#', '-C', '1', '-v']));
  assert.equal(second.stdout.toString(), 'r/3 new\n');
});

test('sub reads standing flags from a file when there is one', { skip }, async (context) => {
  const { open } = await startMosquittoBeside(context);
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'mosquitto_sub'), `# standing flags\n--unix ${open}\n-t nothing\n-v\n-W 1\n`);
  const env = { XDG_CONFIG_HOME: folder };
  const [ours, theirs] = await Promise.all([runMidge([], { program: 'mosquitto_sub', env }), runForeign('mosquitto_sub', [], { env })]);
  assert.deepEqual(ours, theirs);
  assert.equal(ours.status, 27);
});

async function keepSession(socket: string, payloads: readonly string[]): Promise<void> {
  await done(runForeign('mosquitto_sub', ['--unix', socket, '-i', 'kept', '-c', '-q', '1', '-t', 'k', '-E']));
  for (const payload of payloads) await done(runForeign('mosquitto_pub', ['--unix', socket, '-t', 'k', '-q', '1', '-m', payload]));
}

/** comparable takes the time out of %j and %J, and user properties, which are a list since mosquitto 2.1; bytes stay bytes. */
function comparable(output: Buffer): string {
  return output
    .toString('latin1')
    .replace(/("tst":\s*)"[\d-]+T[\d:.]+Z?[+-]\d{4}"/g, '$1"TIME"')
    .replace(/("user-properties":\s*)(\{[^}]*\}|\[[^\]]*\])/g, '$1[]');
}

async function done(running: Promise<Ran>): Promise<Ran> {
  const ran = await running;
  assert.equal(ran.status, 0, ran.stderr);
  return ran;
}
