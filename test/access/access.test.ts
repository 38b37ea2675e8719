// Who may connect, by account, password file, certificate and listener.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ensureFirstAccount } from '../../src/access/first-account.ts';
import { HashingQueue } from '../../src/access/hashing-queue.ts';
import { KnownLogins } from '../../src/access/known-logins.ts';
import { LoginThrottle } from '../../src/access/login-throttle.ts';
import type { AccessOptions } from '../../src/access/options.ts';
import { parsePasswordFile } from '../../src/access/password-file.ts';
import { hashPassword, parsePasswordHash, verifyPassword } from '../../src/access/password-hash.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type ConnectionOrigin, DEFAULT_LISTENER_POLICY } from '../../src/broker/options.ts';
import type { Authenticator } from '../../src/broker/ports.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { authenticatorOf } from './test-access.ts';

/** Made by mosquitto_passwd 2.0.11 ($7$, $6$), and by RFC 9106 for argon2id with a small memory. */
const FILE = `# users of the house
joe:$7$101$Df0BbuImLgxFNiUE$eXFj266gy6V6LDYmTfWJBLpd2X7XI8tEhS8wgHwBEAsZlXlR4fulC5k2n3V+VEWgvI1j9qsdtmTPjVsODYlyiA==
a line without colon
ann:$6$oR4HpCl3YMGNcWMN$d5KuRZI8TTAkMjsj482eajwC91pkwvwo7Jol8tojRI5A5nCd9tTIHDCvOdPi1jqxUQXY4ZFCNNpkRw9ecwimfw==\r
eve:$argon2id$v=19$m=256,t=1,p=1$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw$3AiBKTblYDyBCokouWMzm8hsi85R7BpmYWwws7/ZHAu1BHsA5ROqRGBeqfoZm+OrNelAcmd2PdoNXb1mbiYJzw
`;

function origin(allowAnonymous: boolean, identity: string | null = null): ConnectionOrigin {
  return { address: '127.0.0.1', port: 1, policy: { ...DEFAULT_LISTENER_POLICY, allowAnonymous }, identity, tls: null };
}

function ask(options: Partial<AccessOptions>, username: string | null, password: string | null, from = origin(false)) {
  return login(authenticatorOf(options), username, password, from);
}

async function login(authenticator: Authenticator, username: string | null, password: string | null, from = origin(false)) {
  return authenticator.authenticate({ clientId: 'c', username, password: password === null ? null : Buffer.from(password), origin: from });
}

function passwordFile(context: TestContext, text = FILE): string {
  const path = join(temporaryFolder(context), 'passwd');
  writeFileSync(path, text);
  return path;
}

const account = { username: 'jane', password: 'correct horse' };

test("PasswordAuthenticator knows whose sessions are still somebody's", () => {
  const authenticator = authenticatorOf({ account });
  assert.equal(authenticator.hasAccount?.('1883', 'jane'), true);
  assert.equal(authenticator.hasAccount?.('1883', 'joe'), false);
});

test('authenticator decides by the listener when a client gives no user name', async () => {
  assert.equal(await ask({}, null, null, origin(true)), 'accepted');
  assert.equal(await ask({ account }, null, null, origin(true)), 'accepted');
  assert.equal(await ask({}, null, null), 'not authorised');
});

test('authenticator takes any user name as anonymous when there are no accounts', async () => {
  assert.equal(await ask({}, 'x', 'y', origin(true)), 'accepted');
  assert.equal(await ask({}, 'x', 'y'), 'not authorised');
});

test('authenticator checks the password of the account even where anonymous clients may come', async () => {
  for (const from of [origin(false), origin(true)]) {
    assert.equal(await ask({ account }, 'jane', 'correct horse', from), 'accepted');
    assert.equal(await ask({ account }, 'jane', 'wrong', from), 'bad credentials');
    assert.equal(await ask({ account }, 'jane', null, from), 'bad credentials');
    assert.equal(await ask({ account: { username: 'jane', password: '' } }, 'jane', '', from), 'bad credentials');
    assert.equal(await ask({ account }, 'joe', 'correct horse', from), 'bad credentials');
  }
});

test('authenticator accepts a verified certificate when there is no password', async () => {
  assert.equal(await ask({ account }, null, null, origin(false, 'lamp')), 'accepted');
});

test('authenticator reads all three hash forms when the password file has them', async (context) => {
  const authenticator = authenticatorOf({ account, passwordFile: passwordFile(context) });
  for (const [user, password] of [
    ['joe', 'secret'],
    ['ann', 'geheim'],
    ['eve', 'hunter2'],
    ['jane', 'correct horse'],
  ] as const) {
    assert.equal(await login(authenticator, user, 'wrong'), 'bad credentials', user);
    assert.equal(await login(authenticator, user, password), 'accepted', user);
    assert.equal(await login(authenticator, user, password), 'accepted', `${user} again`);
    assert.equal(await login(authenticator, user, 'wrong'), 'bad credentials', `${user} after a good login`);
  }
  assert.equal(await login(authenticator, 'nobody', 'secret'), 'bad credentials');
});

test('authenticator remembers a good login so that the next one costs no hash', async (context) => {
  const authenticator = authenticatorOf({ passwordFile: passwordFile(context) });
  const credentials = { clientId: 'c', username: 'joe', password: Buffer.from('secret'), origin: origin(false) };
  assert(authenticator.authenticate(credentials) instanceof Promise);
  await login(authenticator, 'joe', 'secret');
  assert.equal(authenticator.authenticate(credentials), 'accepted');
});

test('authenticator hashes for an unknown user as for a known one', async (context) => {
  const authenticator = authenticatorOf({ account, passwordFile: passwordFile(context) });
  for (const username of ['nobody', 'jane']) {
    const verdict = authenticator.authenticate({ clientId: 'c', username, password: Buffer.from('x'), origin: origin(false) });
    assert(verdict instanceof Promise, username);
    assert.equal(await verdict, 'bad credentials');
  }
});

test('password file tells all its mistakes at once, without a password', () => {
  const [, joe] = FILE.split('\n');
  const text = [
    '',
    joe,
    joe,
    'max:secret',
    'eva:$7$101$AAAA$short',
    'ada:$7$0$Df0BbuImLgxFNiUE$eXFj266gy6V6LDYmTfWJBLpd2X7XI8tEhS8wgHwBEAsZlXlR4fulC5k2n3V+VEWgvI1j9qsdtmTPjVsODYlyiA==',
    'bob:$argon2id$v=19$m=999999999,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA',
    'kim:PBKDF2$sha512$100000$secret$hash',
    ':$6$x$y',
    'ivy:',
    'max:secret2',
  ].join('\n');
  const { users, remarks } = parsePasswordFile(text, 'passwd');
  assert.deepEqual([...users.keys()], ['joe']);
  assert.deepEqual(
    remarks.map(({ severity, file, line, message, hint }) => `${file}:${line} ${severity}: ${message} - ${hint}`),
    [
      'passwd:3 error: Cannot add user "joe": the file has it twice, first in line 2 - remove one of the lines',
      'passwd:4 error: Cannot read password of user "max": it is not hashed - hash all plain passwords of the file: midge passwd -U passwd',
      'passwd:5 error: Cannot read password hash of user "eva": it is not a $6$, $7$ or $argon2id$ hash - set it again: midge passwd passwd eva',
      'passwd:6 error: Cannot read password hash of user "ada": it is not a $6$, $7$ or $argon2id$ hash - set it again: midge passwd passwd ada',
      'passwd:7 error: Cannot read password hash of user "bob": it is not a $6$, $7$ or $argon2id$ hash - set it again: midge passwd passwd bob',
      'passwd:8 error: Cannot read password hash of user "kim": it is not a $6$, $7$ or $argon2id$ hash - set it again: midge passwd passwd kim',
      'passwd:9 error: Cannot use password file line: the user name is empty - remove it',
      'passwd:10 error: Cannot read password of user "ivy": there is none - set it again: midge passwd passwd ivy',
      'passwd:11 error: Cannot add user "max": the file has it twice, first in line 4 - remove one of the lines',
    ],
  );
});

test('password file is refused as a whole when it has a mistake', (context) => {
  const path = passwordFile(context, `${FILE}max:secret\n`);
  assert.throws(() => authenticatorOf({ passwordFile: path }), {
    name: 'OperatorError',
    message: `${path}:6:1: Cannot read password of user "max": it is not hashed - hash all plain passwords of the file: midge passwd -U ${path}`,
  });
});

test('password file names the path when it is not there', () => {
  assert.throws(
    () => authenticatorOf({ passwordFile: '/nonexistent/passwd' }),
    /^OperatorError: Cannot read password_file "\/nonexistent\/passwd": ENOENT/,
  );
});

test('password hash fits its password when hashPassword made it', async () => {
  const text = await hashPassword('größer');
  assert.match(text, /^\$argon2id\$v=19\$m=47104,t=1,p=1\$[A-Za-z0-9+/]{86}\$[A-Za-z0-9+/]{86}$/);
  const hash = parsePasswordHash(text);
  assert(hash !== null);
  assert.equal(await verifyPassword(hash, Buffer.from('größer')), true);
  assert.equal(await verifyPassword(hash, Buffer.from('grosser')), false);
});

test('made account is shown once and kept as a hash that only its owner reads', async (context) => {
  const path = join(temporaryFolder(context), 'passwd');
  const made = await ensureFirstAccount(path);
  assert(made !== null);
  assert.match(made.password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, 'utf8').includes(made.password), false);
  assert.equal(await ask({ passwordFile: path }, made.username, made.password), 'accepted');
  assert.equal(await ensureFirstAccount(path), null);
});

/** gate gives tasks that note when they run, and end when they are let. */
function stranger(lane: string) {
  return { lane, isKnown: false };
}

function gate() {
  const ran: string[] = [];
  const ends: (() => void)[] = [];
  const task = (name: string) => () => {
    ran.push(name);
    return new Promise<string>((resolve) => ends.push(() => resolve(name)));
  };
  return { ran, task, endNext: () => ends.shift()?.() };
}

test('hashing queue runs only so many at once, and gives each lane its turn', async () => {
  const queue = new HashingQueue({ maxRunning: 1 });
  const { ran, task, endNext } = gate();
  const runs = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => queue.run(stranger(name[0]!), task(name)));
  assert.deepEqual(ran, ['a1']);
  for (let index = 0; index < runs.length; index++) {
    endNext();
    await new Promise(setImmediate);
  }
  assert.deepEqual(ran, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
  assert.deepEqual(await Promise.all(runs), ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']);
  assert.equal(await queue.run(stranger('d'), async () => 'free again'), 'free again');
});

test('hashing queue turns away the last of the longest lane when too many wait', async () => {
  const queue = new HashingQueue({ maxRunning: 1, maxWaiting: 3 });
  const { ran, task, endNext } = gate();
  const runs = ['a1', 'a2', 'a3', 'a4'].map((name) => queue.run(stranger('a'), task(name)));
  assert.equal(await queue.run(stranger('a'), task('a5')), null);
  runs.push(queue.run(stranger('b'), task('b1')), queue.run(stranger('c'), task('c1')));
  assert.equal(await queue.run(stranger('d'), task('d1')), null); // every lane has one
  assert.equal(await queue.run(stranger('a'), task('a6')), null);
  for (let index = 0; index < 4; index++) {
    endNext();
    await new Promise(setImmediate);
  }
  assert.deepEqual(ran, ['a1', 'a2', 'b1', 'c1']);
  assert.deepEqual(await Promise.all(runs), ['a1', 'a2', null, null, 'b1', 'c1']);
});

test('hashing queue takes known clients before strangers, and pushes out strangers for them', async () => {
  const queue = new HashingQueue({ maxRunning: 1, maxWaiting: 3 });
  const { ran, task, endNext } = gate();
  const runs = ['a', 'b', 'c', 'd'].map((name) => queue.run(stranger(name), task(name)));
  runs.push(...['h1', 'h2'].map((name) => queue.run({ lane: 'home', isKnown: true }, task(name))));
  assert.equal(await queue.run(stranger('e'), task('e')), null);
  for (let index = 0; index < 4; index++) {
    endNext();
    await new Promise(setImmediate);
  }
  assert.deepEqual(ran, ['a', 'h1', 'h2', 'd']);
  assert.deepEqual(await Promise.all(runs), ['a', null, null, 'd', 'h1', 'h2']);
});

test('hashing queue goes on when a task fails', async () => {
  const queue = new HashingQueue({ maxRunning: 1 });
  const failing = queue.run(stranger('a'), () => Promise.reject(new Error('no memory')));
  const next = queue.run(stranger('a'), async () => 'next');
  await assert.rejects(failing, /no memory/);
  assert.equal(await next, 'next');
});

const silent = { log: silentLogger, known: new KnownLogins(null, silentLogger) };

test('authenticator refuses unseen after too many wrong passwords, and then no password helps', async (context) => {
  const clock = new TestClock();
  const throttle = new LoginThrottle({ enabled: true, exempt: [] }, { clock, ...silent });
  const authenticator = authenticatorOf({ account, passwordFile: passwordFile(context) }, throttle);
  for (const [user, password] of [
    ['joe', 'secret'],
    ['jane', account.password],
  ] as const) {
    for (let index = 0; index < 3; index++) assert.equal(await login(authenticator, user, `wrong ${index}`), 'bad credentials');
    assert.equal(await login(authenticator, user, password), 'held');
    clock.advance(1001);
    assert.equal(await login(authenticator, user, password), 'accepted');
    assert.equal(await login(authenticator, user, 'wrong'), 'bad credentials', 'a good login forgives');
    assert.equal(await login(authenticator, user, password), 'accepted');
  }
  assert.deepEqual(throttle.held(), []);
});

test('authenticator lets nobody in by a locked account, and holds nobody who has its password', async (context) => {
  const throttle = new LoginThrottle({ enabled: true, exempt: [] }, { clock: new TestClock(), ...silent });
  const options = { passwordFile: passwordFile(context, FILE.replace('joe:', 'joe:!')) };
  const authenticator = authenticatorOf(options, throttle);
  for (let index = 0; index < 5; index++) assert.equal(await login(authenticator, 'joe', 'secret'), 'locked');
  assert.equal(await login(authenticator, null, null, origin(false, 'joe')), 'locked', 'by certificate');
  assert.deepEqual(
    [await login(authenticator, null, null, origin(false, 'ann')), await login(authenticator, 'ann', 'geheim')],
    ['accepted', 'accepted'],
  );
  assert.equal(authenticator.hasAccount?.('1883', 'joe'), true);
  for (let index = 0; index < 3; index++) assert.equal(await login(authenticator, 'joe', 'wrong'), 'bad credentials');
  assert.equal(await login(authenticator, 'joe', 'secret'), 'held', 'who guesses is held');
});

test('authenticator hashes few of many wrong passwords that come at once', async (context) => {
  const throttle = new LoginThrottle({ enabled: true, exempt: [] }, { clock: new TestClock(), ...silent });
  const authenticator = authenticatorOf({ passwordFile: passwordFile(context) }, throttle);
  const verdicts = await Promise.all(Array.from({ length: 500 }, (_, index) => login(authenticator, 'eve', `wrong ${index}`)));
  const count = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length;
  assert(count('bad credentials') <= 5, `${count('bad credentials')} were hashed`);
  assert.equal(count('bad credentials') + count('held'), 500);
});

test('authenticator hashes once when a household with one account comes at once', async (context) => {
  const text = `home:${await hashPassword('together', 'sha512-pbkdf2', 50_000)}\n`;
  const authenticator = authenticatorOf({ passwordFile: passwordFile(context, text) });
  const unused = process.cpuUsage();
  const first = await login(authenticator, 'home', 'together');
  const alone = process.cpuUsage(unused);
  assert.equal(first, 'accepted');
  const fresh = authenticatorOf({ passwordFile: passwordFile(context, text) });
  const before = process.cpuUsage();
  const verdicts = await Promise.all(Array.from({ length: 200 }, () => login(fresh, 'home', 'together')));
  assert(verdicts.every((verdict) => verdict === 'accepted'));
  assert(process.cpuUsage(before).user < alone.user * 50, 'two hashes at most, not two hundred');
});
