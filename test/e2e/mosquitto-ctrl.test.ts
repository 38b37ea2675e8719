// `midge ctrl` beside Debian's mosquitto_ctrl: the same words at a mosquitto and at a midge, with the same output and the same file left.

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseSecurityFile, securityFileText } from '../../src/access/dynamic-security/security-file.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { runMidge } from '../support/process/command-line.ts';
import { type ForeignOptions, type Ran, runForeign } from '../support/process/foreign-program.ts';
import { type Broker, firstFile, midge, mosquitto, NEEDS_MOSQUITTO, PASSWORD } from './dynamic-security-brokers.ts';

type Run = (words: readonly string[], options?: ForeignOptions) => Promise<Ran>;

/** The two programs, by what they are. */
const PROGRAMS: Readonly<Record<'theirs' | 'ours', Run>> = {
  theirs: (words, options) => runForeign('mosquitto_ctrl', words, options),
  ours: (words, options) => runMidge(words, { ...options, program: 'mosquitto_ctrl' }),
};

/** One after the other, each on what the ones before have left. Without setDefaultACLAccess: that of 2.0.11 never allows anything. */
const STEPS: readonly string[] = [
  'createClient jane -p secret -c phone',
  'createClient jane -p secret',
  'createClient joe',
  'createClient',
  'createClient jane -c',
  'getClient jane',
  'GETCLIENT jane',
  'getClient admin',
  'getClient nobody',
  'listClients',
  'listClients 1',
  'listClients 1 1',
  'listClients 1 1 2',
  'createRole reader',
  'createRole reader',
  'createRole',
  'addRoleACL reader publishClientSend a/b allow',
  'addRoleACL reader publishClientSend a/b allow',
  'addRoleACL reader PUBLISHclientreceive a/c deny -4',
  'addRoleACL reader publishClientSend a/c perhaps',
  'addRoleACL reader fly a/c deny',
  'addRoleACL reader subscribePattern a/# deny 5',
  'addRoleACL reader subscribePattern a/#',
  'addRoleACL reader unsubscribeLiteral a allow nine',
  'addRoleACL nobody unsubscribeLiteral a allow',
  'getRole reader',
  'removeRoleACL reader subscribePattern',
  'removeRoleACL reader subscribePattern a/#',
  'removeRoleACL reader subscribePattern a/#',
  'getRole reader',
  'getRole nobody',
  'listRoles',
  'listRoles 1 1',
  'addClientRole jane reader 7',
  'addClientRole jane reader',
  'addClientRole jane reader 7 8',
  'addClientRole jane',
  'createGroup home',
  'addGroupRole home reader',
  'addGroupRole home nobody',
  'addGroupClient home jane 9',
  'addGroupClient home joe',
  'getGroup home',
  'getClient jane',
  'listGroups',
  'listGroups 5 5',
  'setAnonymousGroup home',
  'setAnonymousGroup nobody',
  'getAnonymousGroup',
  'getDefaultACLAccess',
  'setDefaultACLAccess subscribe maybe',
  'setDefaultACLAccess fly allow',
  'setClientId jane',
  'setClientId joe tablet',
  'setClientPassword jane other',
  'setClientPassword nobody other',
  'disableClient jane',
  'getClient jane',
  'enableClient jane',
  'removeGroupClient home joe',
  'removeGroupRole home reader',
  'removeClientRole jane reader',
  'deleteClient joe',
  'deleteClient joe extra',
  'deleteGroup nobody',
  'deleteRole nobody',
  'getGroup home',
  'fly',
];

for (const [name, start] of Object.entries({ mosquitto, midge })) {
  test(`midge ctrl prints what mosquitto_ctrl does, and leaves the same file, when ${name} is the broker`, {
    skip: NEEDS_MOSQUITTO,
  }, async (context) => {
    const folder = temporaryFolder(context);
    const file = await firstFile(folder);
    const brokers = {
      theirs: await startBeside(context, start, folder, file, 'theirs'),
      ours: await startBeside(context, start, folder, file, 'ours'),
    };
    for (const step of STEPS) {
      const [theirs, ours] = await Promise.all(
        (['theirs', 'ours'] as const).map((whose) => {
          const account = ['-p', `${brokers[whose].port}`, '-u', 'admin', '-P', PASSWORD];
          return PROGRAMS[whose]([...account, 'dynsec', ...step.split(' ')]);
        }),
      );
      assert.deepEqual(comparable(ours!, name), comparable(theirs!, name), step);
    }
    for (const broker of Object.values(brokers)) await broker.stop();
    assert.deepEqual(contentOf(brokers.ours.file), contentOf(brokers.theirs.file));
  });
}

test('midge ctrl says what mosquitto_ctrl does when the broker refuses, or is not there', { skip: NEEDS_MOSQUITTO }, async (context) => {
  const folder = temporaryFolder(context);
  const file = await firstFile(folder);
  const { port } = await mosquitto(context, folder, file);
  const [nobody] = await freePorts(1);
  await PROGRAMS.theirs(['-p', `${port}`, '-u', 'admin', '-P', PASSWORD, 'dynsec', 'createClient', 'jane', '-p', 'janes']);
  const jane = ['-u', 'jane', '-P', 'janes', 'dynsec', 'listClients'];
  const rows: readonly (readonly [words: readonly string[], options?: ForeignOptions])[] = [
    [['-p', `${port}`, '-u', 'admin', '-P', 'wrong', 'dynsec', 'listClients']],
    [['-p', `${port}`, '-V', '311', '-u', 'admin', '-P', 'wrong', 'dynsec', 'listClients']],
    [['-p', `${port}`, ...jane]],
    [['-p', `${port}`, '-V', 'mqttv311', ...jane]],
    [['-p', `${port}`, '-V', '31', '-u', 'admin', '-P', PASSWORD, 'dynsec', 'listClients']],
    [['-p', `${port}`, '-u', 'admin', 'dynsec', 'listClients'], { stdin: `${PASSWORD}\n` }],
    [['-p', `${nobody}`, ...jane]],
    [['-h', 'nosuch.invalid', ...jane]],
    [['--cafile', '/nonexistent', ...jane]],
    [['fly', 'listClients']],
  ];
  for (const [words, options] of rows) {
    const [theirs, ours] = [await PROGRAMS.theirs(words, options), await PROGRAMS.ours(words, options)];
    assert.deepEqual(comparable(ours, 'mosquitto'), comparable(theirs, 'mosquitto'), words.join(' '));
  }
});

test('midge ctrl takes its flags from a file as mosquitto_ctrl does', { skip: NEEDS_MOSQUITTO }, async (context) => {
  const folder = temporaryFolder(context);
  const { port } = await midge(context, folder, await firstFile(folder));
  writeFileSync(join(folder, 'mosquitto_ctrl'), `# mine\n-p ${port}\n-u admin\n`);
  const rows: readonly (readonly [whose: 'theirs' | 'ours', words: readonly string[], env: Readonly<Record<string, string>>])[] = [
    ['theirs', [], { XDG_CONFIG_HOME: folder }],
    ['ours', [], { XDG_CONFIG_HOME: folder }],
    ['ours', ['-o', join(folder, 'mosquitto_ctrl')], {}], // 2.0.11 does not read it
  ];
  for (const [whose, words, env] of rows) {
    const { stdout, stderr } = await PROGRAMS[whose]([...words, '-P', PASSWORD, 'dynsec', 'listClients'], { env });
    assert.equal(stdout.toString(), 'admin\n', stderr);
    const elsewhere = await PROGRAMS[whose]([...words, '-p', '1', '-P', PASSWORD, 'dynsec', 'listClients'], { env });
    assert.equal(elsewhere.status, 14, 'the command line says more');
  }
});

test('dynsec init leaves the same accounts and rights as that of mosquitto_ctrl, for nobody else to read', {
  skip: NEEDS_MOSQUITTO,
}, async (context) => {
  const folder = temporaryFolder(context);
  const file = { ours: join(folder, 'ours.json'), theirs: join(folder, 'theirs.json') };
  const outputs: string[] = [];
  for (const whose of ['ours', 'theirs'] as const) {
    const { status, stdout } = await PROGRAMS[whose](['dynsec', 'init', file[whose], 'admin'], { stdin: `${PASSWORD}\n${PASSWORD}\n` });
    assert.equal(status, 0);
    outputs.push(stdout.toString().split('\n').slice(0, 5).join('\n').replace(file[whose], 'FILE'));
    const again = await PROGRAMS[whose](['dynsec', 'init', file[whose], 'admin', 'another']);
    assert.equal(again.status, 0);
    assert.notEqual(again.stderr, '');
  }
  assert.equal(outputs[0], outputs[1]);
  assert.deepEqual(contentOf(file.ours), contentOf(file.theirs));
  assert.equal(statSync(file.ours).mode & 0o777, 0o600);
  const broker = await mosquitto(context, folder, file.ours);
  const { stdout, stderr } = await PROGRAMS.theirs(['-p', `${broker.port}`, '-u', 'admin', '-P', PASSWORD, 'dynsec', 'listRoles']);
  assert.equal(stdout.toString(), 'admin\n', stderr);
});

test('dynsec init refuses words that do not fit, and writes nothing', async (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'new.json');
  const rows: readonly (readonly [words: readonly string[], stdin: string, status: number, sentence: RegExp])[] = [
    [[], '', 3, /^dynsec init: Not enough arguments - filename, or admin-user missing\.\nError: Invalid function arguments provided\./],
    [[file], '', 3, /Not enough arguments/],
    [[file, 'admin', 'pw', 'more'], '', 3, /^dynsec init: Too many arguments\./],
    [[file, 'admin'], '', 1, /^Error: Empty password\./],
    [[file, 'admin'], 'one\nother\n', 1, /^Error: Passwords do not match\./],
    [
      [join(folder, 'none/new.json'), 'admin', 'pw'],
      '',
      1,
      /^dynsec init: Unable to open '.*' for writing \(No such file or directory\)\./,
    ],
  ];
  for (const [words, stdin, expected, sentence] of rows) {
    const { status, stderr } = await runMidge(['ctrl', 'dynsec', 'init', ...words], { stdin });
    assert.deepEqual([status, existsSync(file)], [expected, false], words.join(' '));
    assert.match(stderr, sentence);
  }
  symlinkSync('/nowhere', file);
  const { status, stderr } = await runMidge(['ctrl', 'dynsec', 'init', file, 'admin', 'pw']);
  assert.equal(status, 1);
  assert.match(stderr, /File exists/);
});

test('a password in a file is changed without a broker, and read by mosquitto and midge', { skip: NEEDS_MOSQUITTO }, async (context) => {
  const folder = temporaryFolder(context);
  const file = await firstFile(folder);
  const change = (words: readonly string[], stdin = '') =>
    runMidge(['ctrl', '-f', file, 'dynsec', 'setClientPassword', ...words], { stdin });
  const locked = readFileSync(file, 'utf8');
  for (const words of [[], ['nobody', 'pw'], ['admin', 'pw', '-i'], ['admin', 'pw', '-i', '0'], ['admin', 'pw', '-x'], ['admin', '']]) {
    assert.notEqual((await change(words)).status, 0, words.join(' '));
    assert.equal(readFileSync(file, 'utf8'), locked);
  }
  for (const [words, stdin, password] of [
    [['admin', 'a second one'], '', 'a second one'],
    [['admin', '-i', '150'], 'a third one\na third one\n', 'a third one'],
  ] as const) {
    assert.deepEqual((await change(words, stdin)).stderr, '');
    for (const start of [mosquitto, midge]) {
      const broker = await start(context, folder, file);
      const { stdout, stderr } = await PROGRAMS.theirs(['-p', `${broker.port}`, '-u', 'admin', '-P', password, 'dynsec', 'listClients']);
      assert.equal(stdout.toString(), 'admin\n', stderr);
      await broker.stop();
    }
  }
});

test('midge ctrl ends with 1 when the broker refuses, and shows no password in its errors', async (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'first.json');
  await runMidge(['ctrl', 'dynsec', 'init', file, 'admin', PASSWORD]);
  const { port } = await midge(context, folder, file, 'enable_control_api true\n');
  const ask = (...words: string[]) => runMidge(['ctrl', '-p', `${port}`, '-u', 'admin', '-P', PASSWORD, ...words]);
  const rows: readonly (readonly [words: readonly string[], status: number, output: RegExp])[] = [
    [['dynsec', 'listClients'], 0, /^admin\n$/],
    [['dynsec', 'getClient', 'nobody'], 1, /^getClient: Error: Client not found\.\n$/],
    [['dynsec', 'getClient', 'admin'], 0, /^Username: {4}admin\nClientid:\nRoles: {7}admin \(priority: -1\)\nConnections: 127\.0\.0\.1\n$/],
    [['dynsec', 'createClient', 'x', '-q'], 3, /^Error: Unknown argument: -q\n.*\nUsage: midge ctrl dynsec createClient USER/],
    [['dynsec', 'fly'], 13, /^Command 'fly' not recognised\.\n$/],
    [['fly', 'help'], 10, /^Error: Module 'fly' not supported\.\n$/],
    [['dynsec'], 1, /^Error: Which command\? midge ctrl broker help and midge ctrl dynsec help list them\./],
    [['dynsec', 'help'], 0, /addRoleACL ROLE ACL FILTER allow\|deny \[PRIORITY\]/],
    [['broker', 'listListeners'], 1, /^Subscribe error: Not authorized\n$/],
    [['-u'], 1, /^Error: -u argument given but no username specified\./],
  ];
  for (const [words, expected, output] of rows) {
    const { status, stdout, stderr } = await ask(...words);
    assert.match(stdout + stderr, output);
    assert.equal(status, expected, words.join(' '));
    assert.ok(!stderr.includes(PASSWORD));
  }
  await ask('dynsec', 'addRoleACL', 'admin', 'publishClientSend', '$CONTROL/#', 'allow');
  await ask('dynsec', 'addRoleACL', 'admin', 'subscribePattern', '$CONTROL/#', 'allow');
  await ask('dynsec', 'addRoleACL', 'admin', 'publishClientReceive', '$CONTROL/#', 'allow');
  const listeners = await ask('broker', 'listListeners');
  const lines = listeners.stdout.toString().split('\n').slice(0, 5);
  assert.deepEqual(lines, [
    'Listener 1:',
    `  Port:              ${port}`,
    '  Protocol:          mqtt',
    '  Bind address:      127.0.0.1',
    '  TLS:               false',
  ]);
  const plugins = await ask('broker', 'LISTPLUGINS');
  assert.match(plugins.stdout.toString(), /^Plugin: {12}dynamic-security\n(.*\n)?Control endpoints: \$CONTROL\/dynamic-security\/v1\n$/);
});

test('midge ctrl sets a default as it is told to', async (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'first.json');
  await runMidge(['ctrl', 'dynsec', 'init', file, 'admin', PASSWORD]);
  const broker = await midge(context, folder, file);
  const ask = (...words: string[]) => runMidge(['ctrl', '-p', `${broker.port}`, '-u', 'admin', '-P', PASSWORD, 'dynsec', ...words]);
  await ask('setDefaultACLAccess', 'subscribe', 'ALLOW');
  await ask('setDefaultACLAccess', 'unsubscribe', 'deny');
  const { stdout } = await ask('getDefaultACLAccess');
  const expected = 'publishClientSend    : deny\npublishClientReceive : allow\nsubscribe            : allow\nunsubscribe          : deny\n';
  assert.equal(stdout.toString(), expected);
});

/** Each broker has a folder and a copy of the file. */
async function startBeside(context: TestContext, start: typeof mosquitto, folder: string, file: string, whose: string): Promise<Broker> {
  const own = join(folder, whose);
  mkdirSync(own);
  copyFileSync(file, join(own, 'd.json'));
  return start(context, own, join(own, 'd.json'));
}

/** mosquitto_ctrl 2.0.11 knows no connections, has narrower labels, and no full stop behind an error of a command; midge is as 2.1. */
function comparable({ status, stdout, stderr }: Ran, broker: string): object {
  const output = stdout.toString();
  const lines = broker === 'midge' ? output.replace(/^Connections:.*\n/gm, '').replace(/ {2,}/g, ' ') : output;
  return { status, stdout: lines, stderr: stderr.replace(/^(\w+: Error: .*[^.])\.$/gm, '$1') };
}

/** As midge would write it, without passwords, whose hashes have a salt of their own, and without the count of changes, which not all keep. */
function contentOf(file: string): object {
  const model = parseSecurityFile(readFileSync(file, 'utf8'));
  const hidden = ['password', 'salt', 'iterations', 'changeIndex'];
  return JSON.parse(securityFileText(model), (key, value) => (hidden.includes(key) ? '*' : value));
}
