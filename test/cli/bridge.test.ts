// midge bridge: one box invites, another accepts, and what the commands say about a bridge that works and one that does not.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parsePasswordFile } from '../../src/access/password-file.ts';
import { bridgeRows, bridgeTroubles } from '../../src/cli/bridge-status.ts';
import { askControl } from '../../src/control/ask-control.ts';
import type { Status } from '../../src/operations/status.ts';
import { eventually } from '../bridges/scene.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePort } from '../support/network/free-ports.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';

interface Box {
  readonly folder: string;
  readonly main: string;
  readonly state: string;
  readonly port: number;
  midge(...words: string[]): ReturnType<typeof runMidge>;
}

/** A box whose broker runs, with its configuration in `midge.conf`. `$` is its folder. */
async function startBox(context: TestContext, text: string): Promise<Box> {
  const folder = temporaryFolder(context);
  const [main, state] = [join(folder, 'midge.conf'), join(folder, 'state')];
  writeFileSync(join(folder, 'passwd'), '', { mode: 0o600 });
  writeFileSync(main, text.replaceAll('$', folder));
  assert.equal((await runMidge(folder, ['passwd', '-b', join(folder, 'passwd'), 'jane', 'secret'])).status, 0);
  const broker = startMidge(context, folder, ['serve', '-c', main, '--state', state]);
  const port = await openPort(broker);
  const midge = (...words: string[]) => runMidge(folder, [...words, '-c', main, '--state', state]);
  return { folder, main, state, port, midge };
}

function box(port: number, tlsPort: number): string {
  return `listener ${port} 127.0.0.1\nlistener ${tlsPort} 127.0.0.1\nsecure true\npassword_file $/passwd\nallow_anonymous false\npersistence true\n`;
}

interface Guest {
  readonly name: string;
  readonly accepted: string | null;
  readonly connected: boolean;
  readonly address: string | null;
  readonly topics: readonly object[];
}

async function statusOf({ midge }: Box): Promise<Status> {
  return JSON.parse((await midge('status', '--json')).stdout);
}

test('bridge invite and accept connect two boxes, which share the topics that were named and no others', async (context) => {
  const [plain, tls, far] = [await freePort(), await freePort(), await freePort()];
  const here = await startBox(context, box(plain, tls));
  const there = await startBox(context, `listener ${far} 127.0.0.1\npassword_file $/passwd\npersistence true\n`);

  const refused = await here.midge('bridge', 'invite', 'anna', '--topics', 'family/# both 1', '--address', 'pi.example');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /"pi\.example": the certificate does not name it/);

  const out = join(here.folder, 'anna.conf');
  const invitation = ['bridge', 'invite', 'anna', '--topics', 'family/# both 1', '--address', 'localhost', '--out', out];
  const invited = await here.midge(...invitation);
  assert.equal(invited.status, 0, invited.stderr);
  const text = readFileSync(out, 'utf8');
  const [, password = ''] = /^remote_password (.+)$/m.exec(text) ?? [];
  assert.match(password, /^\w{5}(-\w{5}){3}$/);
  assert.equal(statSync(out).mode & 0o777, 0o600);
  assert.match(text, new RegExp(`^address localhost:${tls}$`, 'm'));
  for (const said of [invited.stdout, invited.stderr]) assert.ok(!said.includes(password), 'a secret is in the file only');
  assert.match(
    readFileSync(join(here.folder, 'acl'), 'utf8'),
    /user jane\ntopic readwrite #\n[\s\S]*user anna\ntopic readwrite family\/#\n$/,
  );
  assert.ok(parsePasswordFile(readFileSync(join(here.folder, 'passwd'), 'utf8'), '').users.has('anna'));

  const twice = await here.midge(...invitation.slice(0, -2));
  assert.equal(twice.status, 1);
  assert.match(twice.stderr, /there is such an account/);

  const before = await there.midge('bridge', 'invitations');
  assert.deepEqual([before.status, before.stdout], [0, 'No other box was invited.\n']);
  assert.match(
    (await here.midge('bridge', 'invitations')).stdout,
    /^NAME +STATE .*\nanna +not connected +family\/# both +2\S+Z +not yet\n$/,
  );

  const guests = () => askControl(join(here.state, 'control.sock'), { request: 'bridge invitations' }, 30_000) as Promise<readonly Guest[]>;
  const [open] = await guests();
  assert.deepEqual([open?.name, open?.accepted, open?.connected], ['anna', null, false]);
  assert.deepEqual(open?.topics, [{ filter: 'family/#', direction: 'both' }]);

  const asked = await there.midge('bridge', 'accept', out);
  assert.equal(asked.status, 1);
  assert.match(asked.stderr, /say yes with --yes/);
  const accepted = await there.midge('bridge', 'accept', out, '--yes');
  assert.equal(accepted.status, 0, accepted.stderr);
  assert.match(accepted.stdout, /family\/# both 1 {3}in both directions/);
  assert.ok(!accepted.stdout.includes(password));
  assert.equal(statSync(join(there.folder, 'bridge-anna.conf')).mode & 0o777, 0o640);
  assert.match(readFileSync(there.main, 'utf8'), /\ninclude bridge-anna\.conf\n$/);

  await eventually(async () => (await statusOf(there)).bridges[0]?.phase === 'connected', 'the bridge is connected');
  const [guest] = await guests();
  assert.deepEqual([guest?.connected, guest?.address, typeof guest?.accepted], [true, '127.0.0.1', 'string']);
  assert.match(
    (await here.midge('bridge', 'invitations')).stdout,
    /\nanna +connected from 127\.0\.0\.1 since 2\S+Z +family\/# both +2\S+Z +2\S+Z\n$/,
  );
  assert.deepEqual(JSON.parse((await here.midge('bridge', 'invitations', '--json')).stdout), await guests());
  const trial = await there.midge('bridge', 'test');
  assert.equal(trial.status, 0, trial.stdout + trial.stderr);
  assert.match(
    trial.stdout,
    /^localhost:\d+\n {2}ok +localhost has the address .+\n {2}ok +TCP and TLSv1\.3 stand.+\n {2}ok +the other broker accepts/,
  );
  assert.match(trial.stdout, /family\/#: granted with QoS 1/);

  const heard: string[] = [];
  const friend = await mqttClient(context, { port: there.port, username: 'jane', password: 'secret' });
  friend.on('message', (topicName) => heard.push(topicName));
  await friend.subscribeAsync('#', { qos: 1 });
  const own = await mqttClient(context, { port: here.port, username: 'jane', password: 'secret' });
  await own.publishAsync('private/x', '', { qos: 1 });
  await own.publishAsync('family/x', '', { qos: 1 });
  await eventually(() => heard.includes('family/x'), 'the shared message comes');
  assert.ok(!heard.includes('private/x'));

  assert.equal((await statusOf(there)).messages.retained, 0, 'what the broker tells of the bridge is not counted');
  const status = await there.midge('status');
  assert.match(status.stdout, /Bridge +anna: connected since .+, localhost:\d+\n +\d+ in, 0 out, none queued, 0 dropped\n/);
  const shown = await runMidge(there.folder, ['config', 'show', '-c', there.main]);
  assert.match(shown.stdout, /remote_username anna\nremote_password \(hidden\)\n/);
  const archive = join(there.folder, 'backup.tar.gz');
  assert.equal((await there.midge('backup', archive)).status, 0);
  const packed = execFileSync('tar', ['-xzOf', archive, 'backup.json'], { encoding: 'utf8' });
  for (const name of ['bridge-anna.conf', 'bridge-anna.crt']) assert.ok(packed.includes(name), `${name} is in the backup:\n${packed}`);

  const again = await there.midge('bridge', 'accept', out, '--yes');
  assert.equal(again.status, 1);
  assert.match(again.stderr, /bridge-anna\.conf": it exists already/);

  const unasked = await there.midge('bridge', 'remove', 'anna');
  assert.equal(unasked.status, 1);
  assert.match(unasked.stderr, /say yes with --yes/);
  const nobody = await there.midge('bridge', 'remove', 'tom', '--yes');
  assert.match(nobody.stderr, /Cannot remove bridge "tom": the configuration has no such connection block/);
  assert.equal((await statusOf(there)).bridges.length, 1);
  const removed = await there.midge('bridge', 'remove', 'anna', '--yes');
  assert.equal(removed.status, 0, removed.stderr);
  assert.match(removed.stdout, /deleted {2}\S*bridge-anna\.conf\ndeleted {2}\S*bridge-anna\.crt\n$/);
  assert.deepEqual((await statusOf(there)).bridges, []);
  for (const name of ['bridge-anna.conf', 'bridge-anna.crt']) assert.ok(!existsSync(join(there.folder, name)), name);
  assert.doesNotMatch(readFileSync(there.main, 'utf8'), /bridge-anna/);
});

test('bridge accept leaves everything as it was when the invitation does not fit the configuration', async (context) => {
  const folder = temporaryFolder(context);
  const main = join(folder, 'midge.conf');
  const before = 'listener 1883 127.0.0.1\nconnection anna\naddress pi.local\ntopic #\n';
  writeFileSync(main, before);
  writeFileSync(join(folder, 'x'), 'connection anna\naddress pi.local\ntopic a/# in\n');
  const { status, stderr } = await runMidge(folder, ['bridge', 'accept', join(folder, 'x'), '--yes', '-c', main]);
  assert.equal(status, 1);
  assert.match(stderr, /Duplicate bridge name "anna"/);
  assert.equal(readFileSync(main, 'utf8'), before);
  assert.ok(!existsSync(join(folder, 'bridge-anna.conf')));
});

test('bridge test says which step fails, and its exit status is 1', async (context) => {
  const folder = temporaryFolder(context);
  const main = join(folder, 'midge.conf');
  const closed = await freePort();
  const block = (name: string, address: string) => `connection ${name}\naddress ${address}\ntopic a/# in\n`;
  writeFileSync(
    main,
    block('shut', `127.0.0.1:${closed}`) + block('nowhere', 'no-such-name.invalid') + block('home', 'no-such-name-here.local'),
  );
  const shut = await runMidge(folder, ['bridge', 'test', 'shut', '-c', main, '--json']);
  assert.equal(shut.status, 1);
  const { ok, steps } = JSON.parse(shut.stdout);
  assert.equal(ok, false);
  assert.deepEqual(steps.at(-1), { step: 'connection', ok: false, text: `no broker listens at 127.0.0.1:${closed}` });
  const nowhere = await runMidge(folder, ['bridge', 'test', 'nowhere', '-c', main]);
  assert.equal(nowhere.status, 1);
  assert.match(
    nowhere.stdout,
    /^no-such-name\.invalid:1883\n {2}FAILED +the name "no-such-name\.invalid" (is not known|cannot be looked up now)\n {2}- +check how the name is written/,
  );
  const home = await runMidge(folder, ['bridge', 'test', 'home', '-c', main]);
  assert.match(
    home.stdout,
    /FAILED +the name "no-such-name-here\.local" (is not known|cannot be looked up now)\n {2}- +this name is found at home only/,
  );
  const which = await runMidge(folder, ['bridge', 'test', '-c', main]);
  assert.match(which.stderr, /Which bridge\? There are shut, nowhere, home/);
});

test('bridge test --publish says where the other broker takes no messages, and leaves topics of others alone', async (context) => {
  const [plain, tls] = [await freePort(), await freePort()];
  const acl = join(temporaryFolder(context), 'acl');
  writeFileSync(acl, 'user jane\ntopic readwrite yes/#\ntopic readwrite light\n', { mode: 0o600 });
  await startBox(context, `${box(plain, tls)}\nacl_file ${acl}\n`);
  const folder = temporaryFolder(context);
  const main = join(folder, 'midge.conf');
  const login = 'remote_username jane\nremote_password secret';
  writeFileSync(main, `connection a\naddress 127.0.0.1:${plain}\n${login}\ntopic yes/+/a\ntopic no/#\ntopic light\n`, { mode: 0o600 });
  const { status, stdout } = await runMidge(folder, ['bridge', 'test', '-c', main, '--publish']);
  assert.equal(status, 1, stdout);
  assert.match(stdout, /ok +takes messages to yes\/midge-bridge-test\/a\n {2}FAILED +no\/midge-bridge-test: refused \(0x87\)\n/);
  assert.match(stdout, /not tried: whether it lets us publish to light \(it is the topic of real messages\)/);
  const without = await runMidge(folder, ['bridge', 'test', '-c', main]);
  assert.equal(without.status, 0);
  assert.match(without.stdout, /not tried: whether it lets us publish to no\/# \(the test would have to send a message: --publish does\)/);
});

test('bridge test says what the other broker refuses', async (context) => {
  const [plain, tls] = [await freePort(), await freePort()];
  const other = await startBox(context, box(plain, tls));
  const folder = temporaryFolder(context);
  const main = join(folder, 'midge.conf');
  writeFileSync(main, `connection a\naddress 127.0.0.1:${plain}\nusername jane\npassword wrong\ntopic a/# in\n`, { mode: 0o600 });
  const { status, stdout } = await runMidge(folder, ['bridge', 'test', '-c', main]);
  assert.equal(status, 1);
  assert.match(stdout, /ok +TCP stands, without TLS\n {2}FAILED +the other broker refuses the connection: /);
  assert.match(stdout, /check the user name and the password first: the bridge signs in as "jane"\n$/);
  assert.ok(!stdout.includes('wrong'));
  assert.equal((await other.midge('status')).status, 0);
});

const BRIDGE: Status['bridges'][number] = {
  name: 'cloud',
  topics: [],
  phase: 'waiting',
  since: '2026-01-31T18:00:00Z',
  nextAttempt: '2026-01-31T18:00:30Z',
  address: 'a.example:8883',
  lastError: { fault: 'network', words: 'no broker listens at a.example:8883', advice: null, at: '2026-01-31T18:00:00Z' },
  refusedFilters: [],
  received: 1,
  sent: 2,
  queued: 3,
  oldestQueued: '2026-01-31T17:00:00Z',
  dropped: 4,
};

test('status says how a bridge is, what waits, and what went wrong last', () => {
  const lines = (bridge: typeof BRIDGE) =>
    bridgeRows(bridge).map(([, text]) => text?.replaceAll(/\d{4}-\d\d-\d\dT[\d:]{8}(Z|[+-]\d\d:\d\d)/g, 'TIME'));
  assert.deepEqual(lines(BRIDGE), [
    'cloud: not connected, tries again at TIME, a.example:8883',
    '1 in, 2 out, 3 queued since TIME, 4 dropped',
    'at TIME: no broker listens at a.example:8883',
  ]);
  const connected = { ...BRIDGE, phase: 'connected', nextAttempt: null, queued: 0, oldestQueued: null } as const;
  assert.deepEqual(lines(connected), [
    'cloud: connected since TIME, a.example:8883',
    '1 in, 2 out, none queued, 4 dropped',
    'last trouble at TIME: no broker listens at a.example:8883',
  ]);
  assert.deepEqual(bridgeTroubles(BRIDGE), ['Bridge cloud is not connected: no broker listens at a.example:8883.']);
  const lastError = { fault: 'name', words: 'the name "a" is not known', advice: 'check how it is written', at: '2026-01-31T18:00:00Z' };
  assert.deepEqual(bridgeTroubles({ ...BRIDGE, lastError }), [
    'Bridge cloud is not connected: the name "a" is not known - check how it is written.',
  ]);
  assert.deepEqual(bridgeTroubles({ ...connected, refusedFilters: ['a/#'] }), [
    'The other broker of bridge cloud refuses subscriptions: a/#.',
  ]);
  assert.deepEqual(bridgeTroubles(connected), []);
});
