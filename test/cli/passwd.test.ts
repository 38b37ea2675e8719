// midge passwd: what it does to a file, what it asks, and what it refuses.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parsePasswordFile } from '../../src/access/password-file.ts';
import { verifyPassword } from '../../src/access/password-hash.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { type RunOptions, runMidge } from '../support/process/command-line.ts';
import { missing } from '../support/process/foreign-program.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

function fileIn(context: TestContext, text?: string): string {
  const path = join(temporaryFolder(context), 'passwd');
  if (text !== undefined) writeFileSync(path, text, { mode: 0o600 });
  return path;
}

async function passwd(words: readonly string[], options: RunOptions = {}) {
  const { status, stdout, stderr } = await runMidge(['passwd', ...words], options);
  return { status, stdout: stdout.toString(), stderr };
}

async function fits(path: string, user: string, password: string): Promise<boolean> {
  const { users, remarks } = parsePasswordFile(readFileSync(path, 'utf8'), path);
  assert.deepEqual(
    remarks.filter(({ severity }) => severity === 'error'),
    [],
  );
  const stored = users.get(user);
  return stored !== undefined && verifyPassword(stored.hash, Buffer.from(password));
}

test('passwd makes a file that only its owner reads when it is told to with -c', async (context) => {
  const path = fileIn(context);
  assert.equal((await passwd(['-c', '-b', path, 'joe', 'secret'])).status, 0);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, 'utf8'), /^joe:\$argon2id\$v=19\$m=47104,t=1,p=1\$\S+\n$/);
  assert(await fits(path, 'joe', 'secret'));
});

test('passwd makes every kind of hash that -H and -I ask for', async (context) => {
  const path = fileIn(context, '');
  await passwd(['-H', 'sha512', '-b', path, 'a', 'x']);
  await passwd(['-H', 'sha512-pbkdf2', '-b', path, 'b', 'x']);
  await passwd(['-H', 'sha512-pbkdf2', '-I', '2345', '-b', path, 'c', 'x']);
  await passwd(['-I', '2', '-b', path, 'd', 'x']);
  const text = readFileSync(path, 'utf8');
  for (const pattern of [/^a:\$6\$/m, /^b:\$7\$1000\$/m, /^c:\$7\$2345\$/m, /^d:\$argon2id\$v=19\$m=47104,t=2,p=1\$/m])
    assert.match(text, pattern);
  for (const user of ['a', 'b', 'c', 'd']) assert(await fits(path, user, 'x'), user);
});

test('passwd prints the line of a user, and asks on stderr, when the new file is "-"', async () => {
  const given = await passwd(['-c', '-b', '-H', 'sha512-pbkdf2', '-', 'joe', 'secret']);
  assert.match(given.stdout, /^joe:\$7\$1000\$\S+\n$/);
  assert.deepEqual([given.status, given.stderr], [0, '']);
  const asked = await passwd(['-c', '-', 'joe'], { stdin: 'secret\nsecret\n' });
  assert.match(asked.stdout, /^joe:\$argon2id\$\S+\n$/);
  assert.deepEqual([asked.status, asked.stderr], [0, 'Password: \nReenter password: \n']);
  assert(!existsSync('-'));
});

test('passwd changes one user and leaves everything else as it is', async (context) => {
  const path = fileIn(context, '# the house\nann:$6$x\n\njoe:old\r\nno colon\njoe:older\nmax:plain');
  assert.equal((await passwd(['-b', path, 'joe', 'new'])).status, 0);
  assert.match(readFileSync(path, 'utf8'), /^# the house\nann:\$6\$x\n\njoe:\$argon2id\S+\nno colon\nmax:plain$/);
  assert.equal((await passwd(['-b', path, 'eva', 'new'])).status, 0);
  assert.match(readFileSync(path, 'utf8'), /\nmax:plain\neva:\$argon2id\S+\n$/);
  assert.equal((await passwd(['-D', path, 'joe'])).status, 0);
  assert.match(readFileSync(path, 'utf8'), /^# the house\nann:\$6\$x\n\nno colon\nmax:plain\neva:/);
});

test('passwd locks a user and unlocks it, and neither a new password nor -U unlocks it', async (context) => {
  const path = fileIn(context, '# the house\n');
  await passwd(['-H', 'sha512-pbkdf2', '-b', path, 'joe', 'old']);
  const before = readFileSync(path, 'utf8');
  assert.equal((await passwd(['--lock', path, 'joe'])).status, 0);
  const locked = readFileSync(path, 'utf8');
  assert.equal(locked, before.replace('joe:$7$', 'joe:!$7$'));
  assert.equal((await passwd(['--lock', path, 'joe'])).status, 0);
  assert.equal((await passwd(['-U', path])).status, 0);
  assert.equal(readFileSync(path, 'utf8'), locked);
  const changed = await passwd(['-b', path, 'joe', 'new']);
  assert.deepEqual([changed.status, changed.stderr], [0, `User joe stays locked: midge passwd --unlock ${path} joe\n`]);
  assert.match(readFileSync(path, 'utf8'), /^# the house\njoe:!\$argon2id\S+\n$/);
  assert.equal((await passwd(['--unlock', path, 'joe'])).status, 0);
  assert.match(readFileSync(path, 'utf8'), /^# the house\njoe:\$argon2id\S+\n$/);
  assert(await fits(path, 'joe', 'new'));
});

test('passwd hashes a plain password that begins with the sign of a lock', async (context) => {
  const path = fileIn(context, 'joe:!secret\n');
  await passwd(['-U', path]);
  assert(await fits(path, 'joe', '!secret'));
});

test('passwd locks nobody who is not in the file, and takes one of its orders at a time', async (context) => {
  const path = fileIn(context, '');
  const unknown = await passwd(['--lock', path, 'joe']);
  assert.deepEqual([unknown.status, unknown.stderr], [1, 'Warning: User joe not found in password file.\n']);
  for (const words of [
    ['--lock', '--unlock'],
    ['--lock', '-D'],
    ['--unlock', '-b'],
  ])
    assert.match((await passwd([...words, path, 'joe'])).stderr, /cannot be used together/, words.join(' '));
});

test('passwd keeps a link and the right of the group to read, and takes everybody else theirs', async (context) => {
  const path = fileIn(context, '');
  const link = `${path}.link`;
  symlinkSync(path, link);
  chmodSync(path, 0o644);
  await passwd(['-b', link, 'joe', 'x']);
  assert(lstatSync(link).isSymbolicLink());
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert(await fits(path, 'joe', 'x'));
  assert.deepEqual(readdirSync(join(path, '..')).sort(), ['passwd', 'passwd.link']);
});

test('passwd asks twice when no password is given', async (context) => {
  const path = fileIn(context, '');
  const ran = await passwd([path, 'joe'], { stdin: 'größer\ngrößer\n' });
  assert.deepEqual([ran.status, ran.stderr], [0, '']);
  assert.match(ran.stdout, /^Password: \nReenter password: \nAdding password for user joe\n/);
  assert(await fits(path, 'joe', 'größer'));
  for (const [stdin, status, message] of [
    ['a\nb\n', 2, 'Error: Passwords do not match.\n'],
    ['\n\n', 1, 'Error: Empty password.\n'],
    ['a\n', 1, 'Error: The input ended before an answer came.\n'],
  ] as const) {
    const { status: actual, stderr } = await passwd([path, 'joe'], { stdin });
    assert.deepEqual([actual, stderr], [status, message]);
  }
  assert(await fits(path, 'joe', 'größer'));
});

test('passwd hashes plain passwords and nothing else when it is told to with -U', async (context) => {
  const path = fileIn(context, '# c\nmei:plain: text\n\nfoo\n');
  assert.equal((await passwd(['-b', path, 'joe', 'x'])).status, 0);
  const [, , , , joe] = readFileSync(path, 'utf8').split('\n');
  assert.equal((await passwd(['-H', 'sha512', '-U', path])).status, 0);
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^# c\nmei:\$6\$\S+\n\nfoo\njoe:/);
  assert(text.includes(`${joe}\n`));
  assert(await fits(path, 'mei', 'plain: text'));
  for (const line of ['lee:$7$101$x$y', 'lee:PBKDF2$sha512$1000$x$y', 'lee:']) {
    writeFileSync(path, `mei:plain\n${line}\n`);
    const { status, stderr } = await passwd(['-U', path]);
    assert.equal(status, 1);
    assert.match(stderr, /passwd:2: Cannot hash password of user "lee": .* - set it again: midge passwd /);
    assert.equal(readFileSync(path, 'utf8'), `mei:plain\n${line}\n`);
  }
});

test('passwd warns when -c makes users of an old file vanish', async (context) => {
  const path = fileIn(context, 'a:x\nb:y\n');
  const { status, stderr } = await passwd(['-c', '-b', path, 'joe', 'x']);
  assert.equal(status, 0);
  assert.equal(stderr, `Warning: ${path} has 2 users already, and -c starts anew: without -c they stay.\n`);
  assert.match(readFileSync(path, 'utf8'), /^joe:\S+\n$/);
});

test('passwd refuses with a sentence what it cannot do, and changes nothing', async (context) => {
  const path = fileIn(context, 'a:x\n');
  for (const [words, message] of [
    [[], /^Error: No file and user given/],
    [[path], /^Error: Which user\?/],
    [['-c', '-D', path, 'a'], /^Error: -c and -D cannot be used together\.\n$/],
    [['-c', '-U', path], /^Error: -c and -U cannot be used together\.\n$/],
    [['-b', '-D', path, 'a'], /^Error: -b and -D cannot be used together\.\n$/],
    [['-U'], /^Error: -U argument given but password file missing\.\n$/],
    [['-c', path], /^Error: -c argument given but password file or username missing\.\n$/],
    [['-c', '-b', path, 'a'], /^Error: -c argument given but password file, username, or password missing\.\n$/],
    [['-D', path], /^Error: -D argument given but password file or username missing\.\n$/],
    [[path, 'a', 'secret'], /^Error: Too many words, from .* only taken with -b\.\n$/],
    [['-H', 'md5', '-b', path, 'a', 'b'], /^Error: Unknown hash type 'md5'/],
    [['-H', 'sha512', '-I', '5', '-b', path, 'a', 'b'], /^Error: -I is not for sha512/],
    [['-I', '0', '-b', path, 'a', 'b'], /^Error: Number of iterations must be > 0\./],
    [['-I', '1001', '-b', path, 'a', 'b'], /^Error: Invalid number of iterations '1001'/],
    [['-b', path, 'a:b', 'x'], /^Error: Username must not contain the ':' character\.\n$/],
    [['-b', path, 'a\nb', 'x'], /^Error: Username must not contain control characters\.\n$/],
    [['-b', path, ' a', 'x'], /^Error: Username must not be empty/],
    [['-b', path, '#a', 'x'], /^Error: Username must not be empty/],
    [['-b', path, 'a', ''], /^Error: Empty password\.\n$/],
    [['-b', `${path}.none`, 'a', 'b'], /^Error: Unable to open password file .*\. No such file or directory - make it with -c\n$/],
    [['-D', path, 'zoe'], /^Warning: User zoe not found in password file\.\n$/],
  ] as const) {
    const { status, stderr } = await passwd(words);
    assert.match(stderr, message);
    assert.equal(status, 1, words.join(' '));
  }
  assert.equal(readFileSync(path, 'utf8'), 'a:x\n');
  assert(!existsSync(`${path}.none`));
});

test('passwd runs under the name of mosquitto_passwd', async (context) => {
  const path = fileIn(context);
  assert.equal((await runMidge(['-c', '-b', path, 'joe', 'x'], { program: 'mosquitto_passwd' })).status, 0);
  assert(await fits(path, 'joe', 'x'));
  const { stderr } = await runMidge(['-c'], { program: 'mosquitto_passwd' });
  assert.match(stderr, /^Error: -c argument given/);
});

const skip = missing(['script'], 'bsdutils');

test('passwd shows nothing of a password that is typed on a terminal', { skip }, async (context) => {
  const path = fileIn(context, 'max:old\n');
  const { status, shown } = await typeAt(context, `${process.execPath} ${MAIN} passwd -c ${path} joe`, [
    [/Overwrite it\? \[y\/N\] $/, 'y\r'],
    [/\nPassword: $/, 's3crex\x7ft\r'],
    [/\nReenter password: $/, 's3cret\r'],
  ]);
  assert.equal(status, 0, shown);
  assert.doesNotMatch(shown, /s3cre/);
  assert.match(shown, /\[y\/N\] y/);
  assert(await fits(path, 'joe', 's3cret'));
});

test('passwd changes nothing when a person says no or presses Ctrl-C', { skip }, async (context) => {
  const path = fileIn(context, 'max:old\n');
  const command = `${process.execPath} ${MAIN} passwd`;
  assert.equal((await typeAt(context, `${command} -c ${path} joe`, [[/\[y\/N\] $/, '\r']])).status, 1);
  assert.equal((await typeAt(context, `${command} ${path} joe`, [[/Password: $/, 'x\x03']])).status, 130);
  assert.equal(readFileSync(path, 'utf8'), 'max:old\n');
});

/** typeAt runs a command at a terminal of its own: when what is shown looks like a pattern, the keys behind it are typed. */
async function typeAt(context: TestContext, command: string, dialogue: readonly (readonly [RegExp, string])[]) {
  const script = spawn('script', ['-qefc', command, '/dev/null']);
  context.after(() => script.kill('SIGKILL'));
  const left = [...dialogue];
  let shown = '';
  script.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    const [prompt, keys = ''] = left[0] ?? [];
    if (!prompt?.test(shown)) return;
    left.shift();
    script.stdin.write(keys);
  });
  const [status] = (await once(script, 'close')) as [number | null]; // the event's first argument
  return { status, shown };
}

for (const [answer, expected] of [
  ['{"ok":true,"result":null}', /gave no valid answer\. To put the change in force: kill -HUP PID$/m],
  ['{"ok":true,"result":{"reads":true,"error":7,"mistakes":{}}}', /gave no valid answer/],
  ['{"ok":false,"error":"no \\u001b[31m"}', /has not read it: no \\x1b\[31m\. To make it do so: kill -HUP PID$/m],
  ['{', /has not read it: Cannot ask the broker: it gave no whole answer/],
] as const) {
  test(`passwd keeps the change and prints the command when a control socket answers ${answer}`, async (context) => {
    const path = fileIn(context, '');
    const state = temporaryFolder(context);
    const server = createServer((socket) => socket.end(`${answer}\n`)).listen(join(state, 'control.sock'));
    await once(server, 'listening');
    context.after(() => server.close());
    const { status, stdout } = await passwd(['-b', '--state', state, path, 'joe', 'secret']);
    assert.equal(status, 0);
    assert.match(stdout, expected);
    assert(await fits(path, 'joe', 'secret'));
  });
}
