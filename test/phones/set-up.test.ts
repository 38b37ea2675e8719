// From the scan to the first location, on the program itself, with phones that take nothing but what the link delivers.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runMidge } from '../support/process/midge-process.ts';
import { HOST, openHouse } from './house.ts';
import { ScriptedPhone, setUp } from './scripted-phone.ts';

const HERE = { lat: 52.5, lon: 13.4 };

for (const [system, webSocket] of [
  ['ios', false],
  ['ios', true],
  ['android', false],
  ['android', true],
] as const) {
  test(`phone with ${system} ${webSocket ? 'by WebSocket ' : ''}comes from the scan to its first location, with every check mark`, async (context) => {
    const house = await openHouse(context);
    const added = await house.ask('add phone', { person: 'jane', groups: ['family'], host: HOST, webSocket });
    assert.match(added.link, new RegExp(`^http://${HOST}:${house.ports.plain}/phone/[\\w-]{12}#[\\w-]{22}$`));
    assert.match(added.qr, /^<svg /);
    const phone = new ScriptedPhone(context, added.link, system);
    const marks = async () => {
      const [{ steps }] = await house.ask('phones');
      return Object.keys(steps).filter((step) => steps[step] !== null);
    };
    assert.deepEqual(await marks(), []);
    const page = await phone.scan();
    assert.equal(page.status, 200, page.text);
    assert.ok(!page.text.includes(phone.token), 'the token has not gone over the wire, so it does not come back either');
    await assert.rejects(phone.get(phone.next(page)), /certificate/);
    await phone.trust(page);
    assert.deepEqual(await marks(), ['certificate']);
    const next = phone.next(page);
    assert.equal((await phone.get(`${next}/trusted`)).status, 204);
    assert.deepEqual(await marks(), ['certificate', 'tls']);
    assert.match((await phone.get(next)).text, /OwnTracks for jane/);
    const answer = await phone.open(next);
    const fields = phone.configure(answer);
    assert.deepEqual(
      [fields['host'], fields['port'], fields['ws'], fields['username']],
      [HOST, webSocket ? house.ports.webSocket : house.ports.mqtt, webSocket, 'jane/phone'],
    );
    const client = await phone.connect(fields);
    assert.deepEqual(await marks(), ['certificate', 'tls', 'signedIn']);
    await phone.publish(client, fields, HERE);
    assert.deepEqual(await marks(), ['certificate', 'tls', 'signedIn', 'location']);
    const { steps, isSetUp, problem, isOpened } = await phone.state(next);
    assert.ok(Object.values(steps).every((at) => at !== null));
    assert.deepEqual({ isSetUp, problem, isOpened }, { isSetUp: true, problem: null, isOpened: true });
    const [state] = await house.ask('phones');
    assert.deepEqual([state.connected, state.hasAccount, state.isSetUp], [true, true, true]);
    const secrets = [phone.token, String(fields['password'])];
    for (const secret of secrets) {
      assert.ok(
        house.lines().every((line) => !line.includes(secret)),
        'no secret in the log',
      );
      for (const file of [house.passwd, house.acl, `${house.state}/phones`]) assert.ok(!readFileSync(file, 'utf8').includes(secret), file);
    }
  });
}

for (const system of ['ios', 'android'] as const) {
  test(`phone with ${system} gets a certificate of its own where the box asks for one, comes in with it, and not when it is removed`, async (context) => {
    const house = await openHouse(context, ['require_certificate true', 'use_identity_as_username true']);
    const { phone, fields, answer, next } = await setUp(context, house, { person: 'jane', system });
    const { fileName, content, passphrase } = answer.json.certificate;
    assert.equal(fileName, system === 'ios' ? 'jane-phone.otrp' : 'jane-phone.p12');
    const { clientpkcs, passphrase: told, tlsClientCrt } = fields;
    assert.deepEqual(
      [clientpkcs, told, tlsClientCrt],
      system === 'ios' ? [fileName, passphrase, undefined] : [undefined, undefined, 'jane/phone'],
    );
    assert.equal(await phone.isLetIn(fields), false);
    const own = { pfx: Buffer.from(content, 'base64'), passphrase };
    const client = await phone.connect(fields, own);
    await phone.publish(client, fields, HERE);
    assert.equal((await phone.state(next)).isSetUp, true);
    assert.ok(house.lines().every((line) => !line.includes(passphrase)));
    const again = await phone.open(next, '');
    assert.equal(await phone.isLetIn(phone.configure(again), own), false, 'the one before is revoked');
    const { content: newContent, passphrase: newPassphrase } = again.json.certificate;
    const renewed = { pfx: Buffer.from(newContent, 'base64'), passphrase: newPassphrase };
    const better = await phone.connect(phone.configure(again), renewed);
    const closed = new Promise((resolve) => better.once('close', () => resolve(null)));
    await house.ask('remove phone', { person: 'jane' });
    await closed;
    assert.equal(await phone.isLetIn(phone.configure(again), renewed), false);
    const { items } = await house.ask('client certificates');
    assert.deepEqual(
      items.map(({ state, name }: { state: string; name: string }) => [name, state]),
      [
        ['jane/phone', 'revoked'],
        ['jane/phone', 'revoked'],
      ],
    );
  });
}

test('link is refused to a second phone, and lets the first one go on, also after a restart', async (context) => {
  const house = await openHouse(context);
  const { added, phone, next, fields } = await setUp(context, house, { person: 'jane', system: 'ios' });
  const second = new ScriptedPhone(context, added.link, 'android');
  await second.trust(await second.scan());
  assert.equal((await second.open(next)).status, 410);
  await house.restart();
  assert.equal((await second.open(next)).status, 410);
  assert.equal((await second.open(next, 'AAAAAAAAAAAAAAAAAAAAAA')).status, 404);
  const { isOpened, steps } = await second.state(next);
  assert.equal(isOpened, false);
  assert.deepEqual(
    steps,
    { certificate: null, tls: null, signedIn: null, location: null },
    'what the first one did is not told to the second',
  );
  assert.equal((await phone.state(next)).isOpened, true);
  await phone.connect(fields);
  const again = phone.configure(await phone.open(next, ''));
  assert.notEqual(again['password'], fields['password']);
  await assert.rejects(phone.connect(fields), /Not authorized/);
  await phone.connect(again);
});

test('link can be opened after a restart, and only its owner has what is behind it', async (context) => {
  const house = await openHouse(context);
  const added = await house.ask('add phone', { person: 'jane', host: HOST });
  await house.restart();
  const phone = new ScriptedPhone(context, added.link, 'ios');
  const page = await phone.scan();
  await phone.trust(page);
  await phone.connect(phone.configure(await phone.open(phone.next(page))));
});

test('plain HTTP hands out the authority and nothing else', async (context) => {
  const house = await openHouse(context);
  const { phone, added } = await setUp(context, house, { person: 'jane', system: 'android' });
  const plain = new URL(added.link);
  const get = (path: string) => phone.get(`${plain.origin}${path}`);
  for (const path of ['/state', '/trusted']) assert.equal((await get(`${plain.pathname}${path}`)).status, 308, path);
  assert.equal((await phone.open(plain.origin + plain.pathname)).status, 403);
  assert.equal((await get('/api/v1/status')).status, 308);
  assert.equal((await get('/phone/unknown')).status, 404);
  assert.equal((await get('/phone/unknown/authority.crt')).status, 404);
  const page = await get(plain.pathname);
  for (const word of ['jane', 'password', String(house.ports.mqtt)]) assert.ok(!page.text.includes(word), word);
});

test('friends see the location of each other, others do not, and commands go to the phone itself', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', groups: ['family'], system: 'ios' });
  const john = await setUp(context, house, { person: 'john', groups: ['family'], system: 'android' });
  const eve = await setUp(context, house, { person: 'eve', system: 'android' });
  const [janes, johns, eves] = [
    await jane.phone.connect(jane.fields),
    await john.phone.connect(john.fields),
    await eve.phone.connect(eve.fields),
  ];
  const seen: string[] = [];
  johns.on('message', (topic) => seen.push(`john ${topic}`));
  eves.on('message', (topic) => seen.push(`eve ${topic}`));
  await jane.phone.publish(janes, jane.fields, HERE);
  await janes.publishAsync('owntracks/jane/phone/waypoints', '{"_type":"waypoints"}', { qos: 1 });
  await johns.publishAsync('owntracks/john/phone/cmd', '{"_type":"cmd","action":"reportLocation"}', { qos: 1 });
  await johns.publishAsync('owntracks/jane/phone/cmd', '{"_type":"cmd","action":"dump"}', { qos: 1 });
  await eves.publishAsync('owntracks/eve/phone', '{"_type":"location"}', { qos: 1 });
  const isThere = (...wanted: readonly string[]) => wanted.every((each) => seen.includes(each));
  const next = () => new Promise((resolve) => [johns, eves].map((client) => client.once('message', resolve)));
  while (!isThere('eve owntracks/eve/phone', 'john owntracks/john/phone/cmd', 'john owntracks/jane/phone')) await next();
  assert.deepEqual(seen.toSorted(), ['eve owntracks/eve/phone', 'john owntracks/jane/phone', 'john owntracks/john/phone/cmd']);
  await house.ask('change phone groups', { person: 'eve', groups: ['family'] });
  await jane.phone.publish(janes, jane.fields, HERE);
  while (!isThere('eve owntracks/jane/phone')) await next();
  await house.ask('change phone groups', { person: 'eve', groups: [] });
  assert.doesNotMatch(readFileSync(house.acl, 'utf8').split('user eve/phone')[1]?.split('user ')[0] ?? '', /jane/);
});

test('phone that has not opened its link is no mistake in the rules: neither for a check nor in the log', async (context) => {
  const house = await openHouse(context);
  const before = readFileSync(house.passwd, 'utf8');
  await house.ask('add phone', { person: 'tom', host: HOST });
  assert.match(readFileSync(house.acl, 'utf8'), /^user tom\/phone$/m);
  const { warnings } = await house.ask('check configuration', { text: readFileSync(house.file, 'utf8') });
  assert.deepEqual(warnings, []);
  const { stderr } = await runMidge(house.folder, ['check', house.file]);
  assert.doesNotMatch(stderr, /tom/);
  await house.restart();
  assert.deepEqual(
    house.lines().filter((line) => /no account/.test(line)),
    [],
  );
  const [{ hasAccount, link, steps }] = await house.ask('phones');
  assert.deepEqual({ hasAccount, state: link.state, signedIn: steps.signedIn }, { hasAccount: true, state: 'waiting', signedIn: null });
  await house.ask('remove phone', { person: 'tom' });
  assert.equal(readFileSync(house.passwd, 'utf8'), before);
});

test('phone that cannot be kept leaves neither account nor rules', async (context) => {
  const house = await openHouse(context);
  const before = [readFileSync(house.acl, 'utf8'), readFileSync(house.passwd, 'utf8')];
  mkdirSync(`${house.state}/phones`);
  await assert.rejects(house.ask('add phone', { person: 'tom', host: HOST }), /Cannot write phones/);
  assert.deepEqual([readFileSync(house.acl, 'utf8'), readFileSync(house.passwd, 'utf8')], before);
});

test('person who is removed is disconnected, and accounts, rules and the last location have gone', async (context) => {
  const house = await openHouse(context);
  const before = [readFileSync(house.acl, 'utf8'), readFileSync(house.passwd, 'utf8')];
  const jane = await setUp(context, house, { person: 'jane', groups: ['family'], system: 'ios' });
  const client = await jane.phone.connect(jane.fields);
  await jane.phone.publish(client, jane.fields, HERE);
  const john = await setUp(context, house, { person: 'john', groups: ['family'], system: 'ios' });
  const closed = new Promise((resolve) => client.once('close', () => resolve(null)));
  assert.deepEqual(await house.ask('remove phone', { person: 'jane' }), { removed: ['jane/phone'], messages: 1, locations: 0 });
  await closed;
  await assert.rejects(jane.phone.connect(jane.fields), /Not authorized/);
  assert.equal((await jane.phone.get(jane.next)).status, 404);
  assert.doesNotMatch(readFileSync(house.acl, 'utf8'), /jane/);
  await house.ask('remove phone', { person: 'john', device: 'phone' });
  assert.deepEqual([readFileSync(house.acl, 'utf8'), readFileSync(house.passwd, 'utf8')], before);
  assert.deepEqual(await house.ask('phones'), []);
  await assert.rejects(house.ask('remove phone', { person: 'john' }), /Cannot find phone "john"/);
  assert.equal((await john.phone.get(john.next)).status, 404);
});

test('phone that asks for its settings twice at once has one certificate in use, and a link gives no more than ten', async (context) => {
  const house = await openHouse(context, ['require_certificate true']);
  const { phone, next } = await setUp(context, house, { person: 'jane', system: 'ios' });
  const both = await Promise.all([phone.open(next, ''), phone.open(next, '')]);
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  );
  const { items } = await house.ask('client certificates');
  assert.deepEqual(items.map(({ state }: { state: string }) => state).sort(), ['revoked', 'revoked', 'valid']);
  for (let times = 3; times < 10; times++) assert.equal((await phone.open(next, '')).status, 200);
  const tooMany = await phone.open(next, '');
  assert.deepEqual([tooMany.status, tooMany.json.detail], [429, 'This link has given settings 10 times: make a new one']);
});

test('link that was lost is replaced: the one before ends, the phone keeps its groups, and its password until the new one is opened', async (context) => {
  const house = await openHouse(context);
  await assert.rejects(house.ask('new phone link', { person: 'eve', device: 'phone' }), /Cannot find phone "eve\/phone"/);
  const { phone, fields } = await setUp(context, house, { person: 'eve', system: 'ios', groups: ['family'] });
  await (await phone.connect(fields)).endAsync(true);
  const { link: lost } = await house.ask('new phone link', { person: 'eve', device: 'phone' });
  const { link, account, host } = await house.ask('new phone link', { person: 'eve', device: 'phone' });
  assert.deepEqual([account, host], ['eve/phone', HOST]);
  assert.equal((await new ScriptedPhone(context, lost, 'ios').scan()).status, 404);
  await (await phone.connect(fields)).endAsync(true);
  const other = new ScriptedPhone(context, link, 'ios');
  const page = await other.scan();
  await other.trust(page);
  const next = other.next(page);
  const better = other.configure(await other.open(next));
  await assert.rejects(phone.connect(fields), /Not authorized/);
  await other.connect(better);
  const [{ groups, connected }] = await house.ask('phones');
  assert.deepEqual([groups, connected], [['family'], true]);
});
