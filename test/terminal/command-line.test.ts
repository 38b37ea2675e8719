// The front door: names, help, unknown words, failures.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { SWITCHES, VALUES } from '../../src/clients/flag-actions.ts';
import { COMMAND_TABLE } from '../../src/commands.ts';
import { flagKey } from '../../src/terminal/arguments.ts';
import { chooseCommand } from '../../src/terminal/program-name.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** STARTS: how the system says that a program was started, and what it is then. */
const STARTS: readonly (readonly [argv0: string, argv: readonly string[], command: string, program: string, words: readonly string[]])[] = [
  ['node', ['/node', '/midge/src/main.ts', 'pub', '-t', 'a'], 'pub', 'midge pub', ['-t', 'a']],
  ['node', ['/node', '/bin/mosquitto_pub', '-t', 'a'], 'pub', 'mosquitto_pub', ['-t', 'a']],
  ['mosquitto_rr', ['/opt/midge', '/opt/midge', '-t', 'a'], 'rr', 'mosquitto_rr', ['-t', 'a']],
  ['mosquitto_sub', ['/opt/midge', '/opt/midge', '-t', 'a'], 'sub', 'mosquitto_sub', ['-t', 'a']],
  ['/usr/local/bin/mosquitto', ['/opt/midge', '/opt/midge', '-c', 'f'], 'serve', 'mosquitto', ['-c', 'f']],
  ['./midge', ['/opt/midge', '/opt/midge', '-c', 'f', '-v'], 'serve', 'midge', ['-c', 'f', '-v']],
  ['./midge', ['/opt/midge', '/opt/midge', '-p', '1884'], 'serve', 'midge', ['-p', '1884']],
  ['./midge', ['/opt/midge', '/opt/midge'], 'help', 'midge help', []],
  ['./midge', ['/opt/midge', '/opt/midge', '--help'], 'help', 'midge help', []],
  ['./midge', ['/opt/midge', '/opt/midge', '-h'], 'help', 'midge help', []],
  ['./midge', ['/opt/midge', '/opt/midge', '--version'], 'version', 'midge version', []],
];

for (const [argv0, argv, command, program, words] of STARTS) {
  test(`midge is ${command} when started as ${argv0} with "${argv.slice(1).join(' ')}"`, () => {
    assert.deepEqual(chooseCommand(COMMAND_TABLE, { argv0, argv }), { command, program, argv: words });
  });
}

test('midge acts as mosquitto_pub when started through a link of that name', (context) => {
  const link = join(temporaryFolder(context), 'mosquitto_pub');
  symlinkSync(MAIN, link);
  const { stdout } = spawnSync(process.execPath, [link, '--help'], { encoding: 'utf8' });
  assert.match(stdout, /^mosquitto_pub version 2\.\d+\.\d+ \(midge .*\)\n\nmosquitto_pub - .*\n\nUsage: mosquitto_pub /);
});

test('midge lists every command when it is started without words', async () => {
  const { status, stdout } = await runMidge([]);
  assert.equal(status, 0);
  for (const { name, summary } of COMMAND_TABLE.commands) assert.ok(stdout.includes(`  ${name} `) && stdout.includes(summary), name);
});

for (const command of COMMAND_TABLE.commands) {
  test(`help of ${command.name} fits 80 columns, without escapes, when it goes to a file`, async () => {
    const { status, stdout } = await runMidge(['help', command.name]);
    assert.equal(status, 0);
    const wide = stdout
      .toString()
      .split('\n')
      .filter((line) => [...line].length > 80 && !line.startsWith('    midge '));
    assert.deepEqual(wide, []);
    assert.ok(!stdout.includes('\x1b'));
    for (const flag of command.flags) assert.ok(stdout.includes(flag.long ? `--${flag.long}` : `-${flag.short}`), flagKey(flag));
    assert.deepEqual((await runMidge([command.name, '--help'])).stdout, stdout);
  });

  test(`flags of ${command.name} differ when they are compared`, () => {
    const words = command.flags.flatMap(({ short, long }) => [short, long].filter((word) => word !== undefined));
    assert.deepEqual([...new Set(words)], words);
  });
}

test('flags of pub, sub and rr do something when they are given', () => {
  for (const { flags } of COMMAND_TABLE.commands.filter((each) => each.readsArguments)) {
    const idle = flags.filter((flag) => flag.long !== 'property' && !(flag.value ? VALUES : SWITCHES)[flagKey(flag)]);
    assert.deepEqual(idle.map(flagKey), []);
  }
});

/** WRONG words, what is said, and the status. */
const WRONG: readonly (readonly [words: readonly string[], stderr: string, status: number])[] = [
  [['srve'], "Error: Unknown command 'srve'.\nDid you mean 'serve'?\n\nUse 'midge help' to see the commands.\n", 1],
  [['xyzzy'], "Error: Unknown command 'xyzzy'.\n\nUse 'midge help' to see the commands.\n", 1],
  [['help', 'pbu'], 'Cannot show help for "pbu": there is no such command - did you mean "pub"\n', 1],
  [['serve', '--prot', '1'], "Error: Unknown option '--prot'.\nDid you mean '--port'?\n\nUse 'midge serve --help' to see usage.\n", 3],
  [['serve', '-Z'], "Error: Unknown option '-Z'.\n\nUse 'midge serve --help' to see usage.\n", 3],
  [['serve', '-p'], "Error: -p argument given, but no port specified.\n\nUse 'midge serve --help' to see usage.\n", 3],
  [['serve', '--tls-keylog'], "Error: --tls-keylog argument given, but no file specified.\n\nUse 'midge serve --help' to see usage.\n", 3],
  [['-Z'], "Error: Unknown option '-Z'.\n\nUse 'midge --help' to see usage.\n", 3],
  [['version', 'more'], "Error: Unknown option 'more'.\n\nUse 'midge version --help' to see usage.\n", 1],
  [['version', '--json=1'], "Error: --json takes no value.\n\nUse 'midge version --help' to see usage.\n", 1],
  [['discover', '--timeout', 'x'], 'Cannot use timeout "x": it must be a number of seconds, up to 86400\n', 1],
  [['discover', '--timeout=-1'], 'Cannot use timeout "-1": it must be a number of seconds, up to 86400\n', 1],
];

for (const [words, expected, expectedStatus] of WRONG) {
  test(`midge says what is wrong when started with "${words.join(' ')}"`, async () => {
    const { status, stderr } = await runMidge(words);
    assert.equal(stderr, expected);
    assert.equal(status, expectedStatus);
  });
}

test('mosquitto tells a version of mosquitto when asked, for scripts that look for one', async () => {
  const { status, stdout } = await runMidge(['--version'], { program: 'mosquitto' });
  assert.match(stdout.toString(), /^mosquitto version 2\.\d+\.\d+ \(midge \d.*\)\n$/);
  assert.equal(status, 0);
});

test('mosquitto --test-config ends with 3 when the configuration is bad, as the one of mosquitto does', async (context) => {
  const file = join(temporaryFolder(context), 'mosquitto.conf');
  writeFileSync(file, 'nonsense\n');
  assert.equal((await runMidge(['-c', file, '--test-config'], { program: 'mosquitto' })).status, 3);
  assert.equal((await runMidge(['serve', '-c', file, '--test-config'])).status, 1);
});

test('version tells version and platform when asked, in words and as JSON', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  assert.match((await runMidge(['version'])).stdout.toString(), new RegExp(`^midge ${version} \\(development\\)\\nnode 24`));
  const told = JSON.parse((await runMidge(['version', '--json'])).stdout.toString());
  assert.deepEqual(
    [told.version, told.commit, told.date, told.platform],
    [version, 'development', null, `${process.platform}-${process.arch}`],
  );
  assert.match((await runMidge(['pub', '--version'])).stdout.toString(), /^midge pub version /);
});

for (const [what, secretWords] of [
  ['password', () => ['-u', 'jane', '-P', 'tr0ub4dor']],
  ['key', () => ['--psk', '7230756234646f72', '--psk-identity', 'jane']],
  ['password of a proxy', (port: string) => ['--proxy', `socks5h://jane:tr0ub4dor@127.0.0.1:${port}`]],
] as const) {
  test(`pub shows no ${what} in the list of processes when it got one`, async (context) => {
    const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1'); // takes connections, says nothing
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const connected = once(server, 'connection');
    const child = spawn(process.execPath, [MAIN, 'pub', '-h', '127.0.0.1', '-p', port, ...secretWords(port), '-t', 'a', '-n']);
    context.after(() => {
      child.kill();
      server.close();
    });
    await connected;
    const line = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
    assert.match(line, /^midge pub\0*$/);
  });
}
