// NATS lets this broker in, or says why it does not: TLS, each kind of credentials, rights; a server that comes back is used again.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { nkeys } from '@nats-io/transport-node';
import { listening, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { type TestAuthority, testAuthority } from '../support/network/test-certificates.ts';
import { type Member, type MemberOptions, type Nats, startMember, startNats } from './scene.ts';

let authority: TestAuthority;
let stranger: TestAuthority;
let folder: string;

before(async () => {
  [authority, stranger] = [await testAuthority(), await testAuthority('CN=Stranger')];
});

/** A NATS server with a certificate for localhost and 127.0.0.1, and what else its configuration says. */
async function natsWith(t: TestContext, configuration: string, notAfter?: Date): Promise<Nats> {
  folder = temporaryFolder(t);
  const { cert, key } = await authority.issue('CN=nats', notAfter);
  for (const [name, text] of Object.entries({ 'server.crt': cert, 'server.key': key, 'nats.conf': configuration.replaceAll('$', folder) }))
    writeFileSync(join(folder, name), text);
  return startNats(t, 1, ['-c', join(folder, 'nats.conf')]);
}

const TLS = 'tls { cert_file: "$/server.crt", key_file: "$/server.key" }\n';

/** trouble waits until a broker says why it is alone. */
async function trouble(t: TestContext, nats: Nats, more: MemberOptions, pattern: RegExp): Promise<Member> {
  const member = await startMember(t, nats, 'a', more);
  await eventually(
    () => pattern.test(member.cluster.state.lastError ?? ''),
    () => `${pattern}: ${JSON.stringify(member.cluster.state)}`,
  );
  assert.match(member.log.lines.join('\n'), pattern);
  return member;
}

async function carries(t: TestContext, nats: Nats, more: MemberOptions): Promise<void> {
  const [a, b] = [await startMember(t, nats, 'a', more), await startMember(t, nats, 'b', more)];
  const there = await listening(t, b.port, 'x');
  await a.knows('b', 1);
  await publish(t, a.port, 'x', 'carried', { qos: 2 });
  assert.deepEqual(
    (await there.got(1)).map(({ text }) => text),
    ['carried'],
  );
}

test('cluster speaks TLS with a server whose authority it knows', async (t) => {
  const nats = await natsWith(t, TLS);
  await carries(t, nats, { tls: { ca: authority.cert } });
});

test('cluster verifies the certificate: authority, name and time', async (t) => {
  const nats = await natsWith(t, TLS);
  const untrusted = /its certificate is from an authority that this broker does not trust \(cluster_cafile\)/;
  await trouble(t, nats, { tls: { ca: stranger.cert } }, untrusted);
  await trouble(t, nats, { tls: { ca: null } }, untrusted);
  await trouble(t, await atAnotherAddress(t, nats), { tls: { ca: authority.cert } }, /its certificate is for another name/);
  const over = await natsWith(t, TLS, new Date('2021-01-01'));
  await trouble(t, over, { tls: { ca: authority.cert } }, /its certificate has expired/);
});

/** At 127.0.0.2, for which its certificate does not stand. */
async function atAnotherAddress(t: TestContext, { servers, ...nats }: Nats): Promise<Nats> {
  const [, port] = servers[0]!.split(':'); // it has one
  const front = createServer((socket) => {
    const back = connect(Number(port), '127.0.0.1');
    socket.pipe(back).pipe(socket);
    for (const [one, other] of [
      [socket, back],
      [back, socket],
    ] as const)
      one.on('error', () => other.destroy());
  });
  front.listen(0, '127.0.0.2');
  await once(front, 'listening');
  t.after(() => front.close());
  return { ...nats, servers: [`127.0.0.2:${(front.address() as AddressInfo).port}`] };
}

test('cluster does not go on in clear text where the server has no TLS', async (t) => {
  const nats = await natsWith(t, '');
  await trouble(t, nats, { tls: { ca: authority.cert } }, /it has no TLS, and cluster says tls:\/\//);
});

test('cluster signs in by a password, a token or an nkey, and says when they are wrong', async (t) => {
  const pair = nkeys.createUser();
  const seed = Buffer.from(pair.getSeed()).toString();
  const refused = /it does not take the credentials of this broker \(cluster_credentials\)/;
  for (const [configuration, right, wrong] of [
    ['authorization { user: midge, password: "s3:cret" }', 'midge:s3:cret\n', 'midge:other'],
    ['authorization { token: "tok3n" }', 'tok3n\n', 'other'],
    [`authorization { users: [ { nkey: ${pair.getPublicKey()} } ] }`, `${seed}\n`, Buffer.from(nkeys.createUser().getSeed()).toString()],
  ] as const) {
    const nats = await natsWith(t, configuration);
    await carries(t, nats, { credentials: Buffer.from(right) });
    const { log } = await trouble(t, nats, { credentials: Buffer.from(wrong) }, refused);
    await trouble(t, nats, { credentials: null }, refused);
    assert.ok(!log.lines.some((line) => line.includes(wrong.trim())), 'the log has no secret');
  }
});

test('cluster signs in by a credentials file of NATS', async (t) => {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  const accountJwt = jwt(operator, account.getPublicKey(), { type: 'account', limits: UNLIMITED, default_permissions: {} });
  const preload = `resolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: "${accountJwt}" }\n`;
  const nats = await natsWith(t, `operator: "${jwt(operator, operator.getPublicKey(), { type: 'operator' })}"\n${preload}`);
  const userJwt = jwt(account, user.getPublicKey(), { type: 'user', ...UNLIMITED, pub: {}, sub: {} });
  await carries(t, nats, { credentials: credentialsFile(userJwt, user) });
  await trouble(t, nats, { credentials: credentialsFile(userJwt, nkeys.createUser()) }, /does not take the credentials/);
});

test('cluster says what its account at NATS may not do', async (t) => {
  const nats = await natsWith(
    t,
    'authorization { users: [ { user: midge, password: x, permissions: { subscribe: "_INBOX.>", publish: ">" } } ] }',
  );
  await trouble(
    t,
    nats,
    { credentials: Buffer.from('midge:x') },
    /its account may not subscribe to midge\.test\.\S+ \(cluster_credentials\)/,
  );
});

test('cluster uses no server that takes less than brokers may have to say, and says what to change', async (t) => {
  const small = await natsWith(t, 'max_payload: 65536\n');
  const { cluster } = await trouble(
    t,
    small,
    {},
    /: it takes messages of 65536 bytes at most.*: set max_payload: 1MB in its configuration/,
  );
  assert.equal(cluster.state.phase, 'alone');
  await carries(t, await natsWith(t, 'max_payload: 1048576\n'), {});
});

test('cluster comes back when the server was started again, and says which server it cannot reach', async (t) => {
  const nats = await natsWith(t, TLS);
  const a = await startMember(t, nats, 'a', { tls: { ca: authority.cert } });
  const is = (phase: string) =>
    eventually(
      () => a.cluster.state.phase === phase,
      () => `${phase}: ${JSON.stringify(a.cluster.state)}`,
    );
  await is('connected');
  await nats.kill(0);
  await is('alone');
  await eventually(
    () => a.cluster.state.lastError === `${nats.servers[0]}: no NATS server listens there`,
    () => `why it is alone: ${a.cluster.state.lastError}`,
  );
  await nats.revive(0);
  await is('connected');
});

const UNLIMITED = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** jwt signs a claim as `nsc` does. NATS JWT version 2 */
function jwt(issuer: KeyPair, subject: string, nats: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claim = { jti: subject, iat: Math.floor(Date.now() / 1000), iss: issuer.getPublicKey(), name: 'test', sub: subject };
  const text = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ ...claim, nats: { ...nats, version: 2 } })}`;
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`;
}

function credentialsFile(userJwt: string, user: KeyPair): Buffer {
  const block = (name: string, content: string) => `-----BEGIN ${name}-----\n${content}\n------END ${name}------\n`;
  return Buffer.from(`${block('NATS USER JWT', userJwt)}\n${block('USER NKEY SEED', Buffer.from(user.getSeed()).toString())}`);
}
