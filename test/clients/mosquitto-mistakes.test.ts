// Wrong words: pub and sub beside Debian's mosquitto_pub and mosquitto_sub, same sentence and same status; and those of mosquitto 2.1.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runMidge } from '../support/process/command-line.ts';
import { missing, runForeign } from '../support/process/foreign-program.ts';

const skip = missing(['mosquitto_pub', 'mosquitto_sub'], 'mosquitto-clients');

/** One row per run; all of them end before anything is connected. */
const PUB: readonly (readonly string[])[] = [
  ['-t', 'a/+', '-m', 'x'],
  ['-t', 'a', '-m', 'x', '-f', 'y'],
  ['-t', 'a', '-m', 'x', '-n'],
  ['-t', 'a', '-m', 'x', '-q', '3'],
  ['-t', 'a', '-m', 'x', '-q'],
  ['-t', 'a', '-m', 'x', '-k', '3'],
  ['-t', 'a', '-m', 'x', '-k'],
  ['-t', 'a', '-m', 'x', '-p', '70000'],
  ['-t', 'a', '-m', 'x', '-p', '-5'],
  ['-t', 'a', '-m', 'x', '--port'],
  ['-t', 'a', '-m', 'x', '-V', '7'],
  ['-t', 'a', '-m', 'x', '-V'],
  ['-m', 'x', '-L', 'mqtt://127.0.0.1'],
  ['-t', 'a', '-m', 'x', '-i', 'a', '-I', 'b'],
  ['-t', 'a', '-m', 'x', '-i'],
  ['-t', 'a', '-m', 'x', '-I'],
  ['-t', 'a', '-m', 'x', '-u'],
  ['-t', 'a', '-m', 'x', '-P'],
  ['-t', 'a', '-m', 'x', '-P', 'alone'],
  ['-t', 'a', '-m', 'x', '-i', ''],
  ['-t', 'a', '-m', 'x', '-c'],
  ['-t', 'a', '-m', 'x', '-I', 'p', '-c'],
  ['-t', 'a', '-m', 'x', '--cafile', '/nonexistent'],
  ['-t', 'a', '-m', 'x', '--cafile'],
  ['-t', 'a', '-m', 'x', '--capath'],
  ['-t', 'a', '-m', 'x', '--cert', '/nonexistent'],
  ['-t', 'a', '-m', 'x', '--key'],
  ['-t', 'a', '-m', 'x', '--ciphers'],
  ['-t', 'a', '-m', 'x', '--tls-version'],
  ['-t', 'a', '-m', 'x', '--psk', '00', '--cafile', '/nonexistent'],
  ['-t', 'a', '-m', 'x', '--psk', '00'],
  ['-t', 'a', '-m', 'x', '--unix'],
  ['-t', 'a', '-m', 'x', '-A'],
  ['-t', 'a', '-m', 'x', '-M', '0'],
  ['-t', 'a', '-m', 'x', '-M'],
  ['-t', 'a', '-m', 'x', '--proxy', 'http://x'],
  ['-t', 'a', '-m', 'x', '--will-payload', 'foo'],
  ['-t', 'a', '-m', 'x', '--will-payload'],
  ['-t', 'a', '-m', 'x', '--will-retain'],
  ['-t', 'a', '-m', 'x', '--will-qos', '5'],
  ['-t', 'a', '-m', 'x', '--will-qos'],
  ['-t', 'a', '-m', 'x', '--will-topic', 'a/#'],
  ['-t', 'a', '-m', 'x', '--will-topic'],
  ['-t', 'a', '-m', 'x', 'extra'],
  ['-t', 'a', '-m', 'x', '-C', '1'],
  ['-t', 'a', '-m', 'x', '--repeat', '0'],
  ['-t', 'a', '-m', 'x', '--repeat'],
  ['-t', 'a', '-m', 'x', '--repeat-delay', '-1'],
  ['-t', 'a', '-m', 'x', '-x', 'abc'],
  ['-t', 'a', '-m', 'x', '-x', '-5'],
  ['-t', 'a', '-m', 'x', '-V', '5', '-x', '-1'],
  ['-t', 'a', '-m', 'x', '-D'],
  ['-t', 'a', '-m', 'x', '-D', 'publish', 'receive-maximum', '5'],
  ['-t', 'a', '-m', 'x', '-D', 'puback', 'user-property', 'a', 'b'],
  ['-t', 'a', '-m', 'x', '-D', 'publish', 'user-property', 'a'],
  ['-t', 'a', '-m', 'x', '-D', 'publish', 'payload-format-indicator', '500'],
  ['-t', 'a', '-m', 'x', '-D', 'publish', 'topic-alias', '70000'],
  ['-t', 'a', '-m', 'x', '-D', 'publish', 'content-type', 'a', '-D', 'publish', 'content-type', 'b'],
  ['-t', 'a', '-s'],
  ['-t', 'a', '--unix', '/nonexistent', '-m', 'x'],
  ['-t', 'a', '--unix', '/nonexistent', '-m', 'x', '--quiet'],
  ['-t', 'a', '-h', 'nosuch.invalid', '-m', 'x'],
];

const SUB: readonly (readonly string[])[] = [
  ['-t', 'a+'],
  ['-t', 'a/#/b'],
  ['-t'],
  ['-t', 'a', '-m', 'foo'],
  ['-t', 'a', '-C', '0'],
  ['-t', 'a', '-C'],
  ['-t', 'a', '-W', '0'],
  ['-t', 'a', '-W'],
  ['-t', 'a', '-F'],
  ['-t', 'a', '-F', '%'],
  ['-t', 'a', '-F', '%-'],
  ['-t', 'a', '-F', '%5'],
  ['-t', 'a', '-F', '%5.'],
  ['-t', 'a', '-F', '%10q %%%'],
  ['-t', 'a', '-F', '%y'],
  ['-t', 'a', '-F', '@'],
  ['-t', 'a', '-F', '\\q'],
  ['-t', 'a', '-F', 'abc\\'],
  ['-t', 'a', '-R', '--retained-only'],
  ['-t', 'a', '-T', 'a+'],
  ['-t', 'a', '-T'],
  ['-t', 'a', '-U', 'a+'],
  ['-t', 'a', '-U'],
  ['-t', 'a', '-i', ''],
  ['-t', 'a', '--random-filter', '0'],
  ['-t', 'a', '--unix', '/nonexistent'],
  ['-t', 'a', '-h', 'nosuch.invalid'],
];

for (const [name, rows] of [
  ['pub', PUB],
  ['sub', SUB],
] as const) {
  for (const words of rows) {
    test(`${name} says what mosquitto_${name} says when started with "${words.join(' ')}"`, { skip }, async () => {
      const program = `mosquitto_${name}`;
      const [ours, theirs] = await Promise.all([runMidge(words, { program }), runForeign(program, words)]);
      assert.equal(ours.stderr, theirs.stderr);
      assert.equal(ours.status, theirs.status);
      assert.equal(ours.stdout.toString(), theirs.stdout.toString());
    });
  }
}

/** SINCE_2_1: what mosquitto 2.1 says, and 2.0 says otherwise or does not know. */
const SINCE_2_1: readonly (readonly [program: 'pub' | 'sub' | 'rr', words: readonly string[], sentence: string])[] = [
  ['pub', ['-L', 'http://x'], 'Error: Unsupported URL scheme.\n'],
  ['pub', ['-D', 'foo', 'bar', 'baz'], 'Error: Invalid command foo given in --property argument.\n'],
  ['pub', ['-D', 'publish', 'foo', 'baz'], 'Error: Invalid property name foo given in --property argument.\n'],
  [
    'pub',
    ['-D', 'publish', 'subscription-identifier', '1'],
    'Error: subscription-identifier property not supported for publish in --property argument.\n',
  ],
  ['pub', ['-o'], 'Error: -o argument given but no options file specified.\n'],
  ['pub', ['-o', 'a', '-o', 'b'], 'Error: Duplicate -o argument given.\n'],
  ['pub', ['--tls-keylog'], 'Error: --tls-keylog argument given but no file specified.\n'],
  ['pub', ['--tls-engine'], 'Error: --tls-engine argument given but no engine_id specified.\n'],
  ['pub', ['--proxy', 'socks5h://[::1]:70000'], 'Error: Invalid proxy port 70000'],
  ['pub', ['--proxy', 'socks5h://user@'], 'Error: Invalid proxy.'],
  ['pub', ['--keyform'], 'Error: --keyform argument given but no keyform specified.\n'],
  ['pub', ['-x', '-1'], 'Error: You must provide a client id if you are using an infinite session expiry interval.'],
  ['sub', [], 'Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).'],
  ['sub', ['-t', 'a', '--retain-handling', 'often'], "Error: Unknown value 'often' for --retain-handling.\n"],
  ['rr', [], 'Error: All of topic, message, and response topic must be supplied.'],
  ['rr', ['-e'], 'Error: -e argument given but no response topic specified.\n'],
  ['rr', ['-e', 'a/+'], "Error: Invalid response topic 'a/+', does it contain '+' or '#'?"],
  ['rr', ['-m', 'x', '-n'], 'Error: Only one type of message can be sent at once.\n'],
  ['rr', ['-W', '0'], 'Error: Invalid timeout "0".\n'],
  ['rr', ['-l'], "Error: Unknown option '-l'."],
  ['rr', ['-r'], "Error: Unknown option '-r'."],
];

for (const [name, words, sentence] of SINCE_2_1) {
  test(`${name} says what mosquitto_${name} 2.1 says when started with "${words.join(' ')}"`, async () => {
    const program = `mosquitto_${name}`;
    const { status, stdout, stderr } = await runMidge(words, { program });
    assert.equal(stderr, `${sentence}\n\nUse '${program} --help' to see usage.\n`);
    assert.deepEqual([status, stdout.length], [1, 0]);
  });
}

test('pub names the file and the reason when the file of the message cannot be read', async () => {
  const { status, stderr } = await runMidge(['-t', 'a', '-f', '/nonexistent'], { program: 'mosquitto_pub' });
  const reason = 'Error: Unable to read file "/nonexistent": No such file or directory.\n';
  assert.equal(stderr, `${reason}Error loading input file "/nonexistent".\n`);
  assert.equal(status, 1);
});

for (const [words, advice] of [
  [['-S'], /^Error: -S is not supported: name the broker with -h/],
  [['--tls-engine', 'pkcs11'], /^Error: --tls-engine is not supported: .*--key/],
  [['--keyform', 'engine'], /^Error: --keyform engine is not supported: /],
  [['-o', '/nonexistent'], /^Error: Unable to read options file "\/nonexistent": /],
] as const) {
  test(`pub says what to do instead when started with "${words.join(' ')}"`, async () => {
    const { status, stderr } = await runMidge(['pub', '-t', 'a', '-m', 'x', ...words]);
    assert.match(stderr, advice);
    assert.equal(status, 1);
  });
}

test('mosquitto_sub ends with status 1 when asked for help or version, as the one of mosquitto does, and midge sub with 0', async () => {
  for (const word of ['--help', '--version']) {
    assert.equal((await runMidge([word], { program: 'mosquitto_sub' })).status, 1);
    assert.equal((await runMidge(['sub', word])).status, 0);
  }
});

test('pub says what was meant when a flag is mistyped', async () => {
  const { status, stderr } = await runMidge(['pub', '-t', 'a', '--retian', '-m', 'x']);
  assert.equal(stderr, "Error: Unknown option '--retian'.\nDid you mean '--retain'?\n\nUse 'midge pub --help' to see usage.\n");
  assert.equal(status, 1);
});

test('pub says what is missing when there is no message', async () => {
  const { status, stderr } = await runMidge(['pub', '-t', 'a']);
  assert.equal(stderr, "Error: Both topic and message must be supplied.\n\nUse 'midge pub --help' to see usage.\n");
  assert.equal(status, 1);
});
