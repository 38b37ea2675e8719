// Exit statuses under the names of mosquitto's programs, beside those of Debian's.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { runMidge } from '../support/process/command-line.ts';
import { missing, type Ran, runForeign } from '../support/process/foreign-program.ts';

const PROGRAMS = ['mosquitto', 'mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr', 'mosquitto_passwd'];
const skip = missing(PROGRAMS, 'mosquitto and mosquitto-clients');
const COMMANDS = new Map(PROGRAMS.map((program) => [program, program === 'mosquitto' ? '/usr/sbin/mosquitto' : program]));

/** Files of each run; PORT is one that nobody has, TAKEN one that somebody has. */
const FILES: Readonly<Record<string, string>> = {
  'word.conf': 'nonsense\n',
  'value.conf': 'max_qos 7\nlistener PORT 127.0.0.1\n',
  'port.conf': 'listener 99999\n',
  'no-port.conf': 'listener 0\n',
  'no-password-file.conf': 'listener PORT 127.0.0.1\npassword_file nothing\n',
  'no-acl-file.conf': 'listener PORT 127.0.0.1\nacl_file nothing\n',
  'acl.conf': 'listener PORT 127.0.0.1\nallow_anonymous true\nacl_file acl\n',
  'no-psk-file.conf': 'listener PORT 127.0.0.1\npsk_hint x\npsk_file nothing\n',
  'no-certificate.conf': 'listener PORT 127.0.0.1\ncertfile nothing\nkeyfile nothing\n',
  'word-and-certificate.conf': 'nonsense\nlistener PORT 127.0.0.1\ncertfile nothing\nkeyfile nothing\n',
  'certificate-and-acl.conf': 'acl_file nothing\nlistener PORT 127.0.0.1\ncertfile nothing\nkeyfile nothing\n',
  'twice.conf': 'listener PORT 127.0.0.1\nlistener PORT 127.0.0.1\n',
  'taken.conf': 'listener TAKEN 127.0.0.1\nallow_anonymous true\n',
  'address.conf': 'listener PORT 192.0.2.9\n',
  'host.conf': 'listener PORT nosuch.invalid\n',
  'pid.conf': 'listener PORT 127.0.0.1\npid_file nothing/pid\n',
  acl: 'user joe\ntopic sometimes a\n',
  passwords: 'joe:$7$101$AAAAAAAAAAAAAAAA$AAAA\n',
};

const BROKER = [
  ['-h'],
  ['--help'],
  ['--bad'],
  ['-x'],
  ['extra'],
  ['-c'],
  ['-p'],
  ['-p', '0'],
  ['-p', '70000'],
  ['-p', 'abc'],
  ['-p', '-1'],
  ['-c', 'missing.conf'],
  ['-c', '.'],
  ...Object.keys(FILES)
    .filter((name) => name.endsWith('.conf'))
    .map((name) => ['-c', name]),
];

const PASSWD = [
  [],
  ['-h'],
  ['-x'],
  ['-c'],
  ['-U'],
  ['-U', 'nothing'],
  ['passwords'],
  ['passwords', 'ann'],
  ['-D', 'nothing', 'joe'],
  ['-D', 'passwords', 'ann'],
  ['-D', 'passwords', 'joe'],
  ['-b', 'nothing', 'joe', 'secret'],
  ['-b', 'passwords', 'joe'],
  ['-b', 'passwords', 'joe', 'secret'],
  ['-b', 'passwords', 'a:b', 'secret'],
  ['-b', 'passwords', 'joe', 'secret', 'more'],
  ['-c', '-b', 'new', 'joe', 'secret'],
  ['-c', '-D', 'passwords', 'joe'],
  ['-H', 'x', 'passwords', 'joe'],
  ['-I', '0', '-b', 'passwords', 'joe', 'secret'],
];

const PUBLISH = ['-h', '127.0.0.1', '-t', 'a', '-m', 'x'];
const SUBSCRIBE = ['-h', '127.0.0.1', '-t', 'a', '-W', '20'];
const REQUEST = ['-h', '127.0.0.1', '-t', 'a', '-e', 'b', '-m', 'x', '-W', '20'];
const CLIENTS: readonly (readonly [string, readonly string[]])[] = (
  [
    ['mosquitto_pub', PUBLISH],
    ['mosquitto_sub', SUBSCRIBE],
    ['mosquitto_rr', REQUEST],
  ] as const
).flatMap(([program, words]): [string, readonly string[]][] => [
  [program, []],
  [program, ['--help']],
  [program, ['--bad']],
  [program, [...words, '-p', '0']],
  [program, [...words, '-p', 'PORT']],
  [program, [...words, '-p', 'PORT', '--cafile', 'nothing']],
  [program, [...words, '-p', 'REFUSING']],
  [program, [...words, '-p', 'REFUSING', '-V', '5']],
  [program, [...words, '-p', 'REFUSING', '-V', '31']],
]);

const ports = new Map<string, string>();
const servers = [createServer(), createServer()];

before(async () => {
  const [free] = await freePorts(1);
  ports.set('PORT', String(free));
  const [taken, refusing] = servers as [ReturnType<typeof createServer>, ReturnType<typeof createServer>]; // two
  // CONNACK: not authorised, in the words of the version that the CONNECT has behind the name of the protocol.
  refusing.on('connection', (socket) =>
    socket
      .on('error', () => {})
      .once('data', (bytes) => {
        const isFive = bytes[8] === 5;
        socket.end(isFive ? Buffer.from('2003008700', 'hex') : Buffer.from('20020005', 'hex'));
      }),
  );
  for (const [name, server] of [
    ['TAKEN', taken],
    ['REFUSING', refusing],
  ] as const) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.set(name, String((server.address() as { port: number }).port)); // listens on TCP
  }
});
after(() => {
  for (const server of servers) server.close();
});

function filled(text: string): string {
  return [...ports].reduce((so, [name, port]) => so.replaceAll(name, port), text);
}

/** play runs words in a folder of their own, because some write. */
async function play(run: (words: readonly string[]) => Promise<Ran>, folder: string, words: readonly string[]): Promise<number | null> {
  mkdirSync(folder);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), filled(text), { mode: 0o644 }); // mosquitto reads them as its own user
  const before = process.cwd();
  process.chdir(folder);
  try {
    return (await run(words.map(filled))).status;
  } finally {
    process.chdir(before);
  }
}

const RUNS = [
  ...BROKER.map((words) => ['mosquitto', words] as const),
  ...PASSWD.map((words) => ['mosquitto_passwd', words] as const),
  ...CLIENTS,
];
for (const [program, words] of RUNS) {
  test(`${program} ${words.join(' ')} ends as Debian's does`, { skip }, async (context) => {
    const folder = temporaryFolder(context);
    const env = { HOME: folder, XDG_STATE_HOME: join(folder, 'state'), STATE_DIRECTORY: join(folder, 'state') };
    const theirs = await play((given) => runForeign(COMMANDS.get(program) ?? program, given, { env }), join(folder, 'theirs'), words);
    const ours = await play((given) => runMidge(given, { program, env }), join(folder, 'ours'), words);
    assert.equal(ours, theirs);
  });
}
