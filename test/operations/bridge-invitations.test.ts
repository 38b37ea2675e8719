// Invitations by operations: an account with rules of its own on one box, a block in the configuration of the other.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseAclFile } from '../../src/access/acl-file.ts';
import { parsePasswordFile } from '../../src/access/password-file.ts';
import { verifyPassword } from '../../src/access/password-hash.ts';
import {
  calledHere,
  invitationFiles,
  isInvitationName,
  readInvitation,
  readTopics,
  writeInvitation,
} from '../../src/config/bridge-invitation.ts';
import { changeBridge } from '../../src/config/change-bridge.ts';
import { removeBridge } from '../../src/config/remove-bridge.ts';
import { changeSetting } from '../../src/config/writer.ts';
import { machineNames } from '../../src/host/host.ts';
import { changeBy } from '../../src/operations/audit.ts';
import { INVITE_BRIDGE } from '../../src/operations/bridge-invitations.ts';
import { CHANGE_BRIDGE } from '../../src/operations/change-bridge.ts';
import { pastTexts } from '../../src/operations/configuration-history.ts';
import type { LastReload, OperationNeeds, SettingChange } from '../../src/operations/needs.ts';
import { makeAppliance } from '../certificates/appliance.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { operationsOn } from './test-operations.ts';

const AUTHORITY = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

const INVITATIONS: OperationNeeds['invitations'] = {
  isName: isInvitationName,
  readTopics,
  book: { add: () => {}, list: () => [], remove: () => {} },
  issuerOf: () => null,
  write: writeInvitation,
  read: readInvitation,
  called: calledHere,
  filesOf(main, invited) {
    const { block, certificate } = invitationFiles(main, invited);
    return [...certificate, ...block];
  },
};

interface BoxWish {
  /** What a reload says. */
  readonly error?: string | null | (() => string | null);
  /** There is no ACL file yet. */
  readonly hasNoRules?: boolean;
  /** Of the configuration. */
  readonly account?: string | null;
  /** Of its listener, in a file. */
  readonly certificate?: string | null;
  readonly issuer?: string | null;
  /** Of its listener. */
  readonly address?: string;
  /** It has a state folder, where texts from before are kept. */
  readonly hasState?: boolean;
}

/** A box with an account and a rule, whose listener has a certificate of files. */
function boxOf(
  context: TestContext,
  { error = null, issuer = null, address = '::', hasNoRules = false, account = null, certificate = null, hasState = false }: BoxWish = {},
) {
  const folder = temporaryFolder(context);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('passwd'), 'jane:$argon2id$x\n', { mode: 0o600 });
  if (!hasNoRules) writeFileSync(at('acl'), 'user jane\ntopic readwrite #\n');
  mkdirSync(at('conf.d'));
  writeFileSync(at('midge.conf'), hasNoRules ? 'listener 8883\n' : `listener 8883\ninclude_dir ${at('conf.d')}\n`);
  const reload = async (): Promise<LastReload> => {
    return { at: 0, by: 'command', error: typeof error === 'function' ? error() : error, mistakes: [], later: [] };
  };
  const reloads = { last: null, changedFiles: () => [], reload };
  const listener = {
    name: 'port 8883',
    protocol: 'mqtt',
    tls: true,
    certificate: 'of files',
    wantsCertificate: false,
    takesOurCertificates: false,
    port: 8883,
    addresses: [address],
  };
  const ask = operationsOn({
    invitations: { ...INVITATIONS, issuerOf: () => issuer },
    listeners: [listener] as never,
    access: {
      ...{ account, hasGuests: false, isPerListener: false, dynamic: null },
      filesOf: () => ({ passwordFile: at('passwd'), aclFile: hasNoRules ? null : at('acl') }),
    } as never,
    certificateOfFiles: () => (certificate === null ? null : { pem: certificate, file: '/etc/bought.pem' }),
    files: {
      withChange: (file: string, text: string, change: SettingChange) => changedText(file, text, change),
      withBridge: changeBridge,
      withoutBridge: removeBridge,
    } as never,
    configuration: { file: at('midge.conf') } as never,
    reloads,
    trial: { waiting: null } as never,
    state: { isThere: hasState, path: at('state') } as never,
    internet: null,
    broker: { clock: { now: () => 0 } } as never,
    certificates: null,
    certificateNames: ['pi.example'],
    announcedHost: null,
  });
  return { ask, at, read: (name: string) => readFileSync(at(name), 'utf8') };
}

function changedText(file: string, text: string, change: SettingChange): string {
  return changeSetting(file, change, new Map([[file, text]]))[0]?.after ?? text;
}

test('invite bridge makes an account that may use its topics only, and add bridge a bridge that uses it', async (context) => {
  const box = boxOf(context);
  const { invitation, host, port } = await box.ask('invite bridge', {
    name: 'anna',
    topics: ['family/# both 1', 'news/# in', 'own/# out'],
  });
  assert.deepEqual([host, port], ['pi.example', 8883]);
  const [, password = ''] = /^remote_password (.+)$/m.exec(invitation) ?? [];
  assert.ok(await verifyPassword(parsePasswordFile(box.read('passwd'), 'passwd').users.get('anna')!.hash, Buffer.from(password)));
  const rules = parseAclFile(box.read('acl'), 'acl').acl.users.get('anna') ?? [];
  assert.deepEqual(
    rules.map(({ access, filter }) => `${access} ${filter}`),
    ['readwrite family/#', 'write news/#', 'read own/#'],
  );

  const other = boxOf(context);
  const seen = await other.ask('check invitation', { text: invitation });
  assert.deepEqual(seen, {
    name: 'anna',
    from: hostname(),
    addresses: 'pi.example:8883',
    tls: true,
    topics: [
      { filter: 'family/#', direction: 'both', qos: 1 },
      { filter: 'news/#', direction: 'out', qos: 0 },
      { filter: 'own/#', direction: 'in', qos: 0 },
    ],
  });
  assert.ok(!existsSync(other.at('conf.d/bridge-anna.conf')), 'nothing is changed');
  const { files } = await other.ask('add bridge', { text: invitation });
  assert.deepEqual(files, [other.at('conf.d/bridge-anna.conf')]);
  assert.match(other.read('conf.d/bridge-anna.conf'), new RegExp(`^remote_password ${password}$`, 'm'));
  assert.equal(statSync(other.at('conf.d/bridge-anna.conf')).mode & 0o007, 0, 'not everybody reads the password');
  await assert.rejects(other.ask('add bridge', { text: invitation }), { reason: 'conflict' });
  await assert.rejects(box.ask('invite bridge', { name: 'anna', topics: ['a'] }), { reason: 'conflict' });
});

test('invitation by a name of the home has the address of the box beside it, for who cannot look such names up', async (context) => {
  const { addresses } = machineNames();
  const home = addresses.find((each) => isIPv4(each));
  const invite = async (wish: BoxWish, asked: object) => {
    const { invitation } = await boxOf(context, wish).ask('invite bridge', { name: 'eva', topics: ['a'], ...asked });
    return readInvitation(invitation).addresses;
  };
  const both = ['pi.local:8883', ...(home === undefined ? [] : [`${home}:8883`])].join(' ');
  assert.equal(await invite({}, { host: 'pi.local' }), both);
  assert.equal(await invite({}, { host: 'pi.local', port: 9000 }), 'pi.local:9000', 'what forwards may be another machine');
  assert.equal(await invite({ address: '192.0.2.250' }, { host: 'pi.local' }), 'pi.local:8883', 'not an address where it does not listen');
  assert.equal(await invite({}, { host: 'pi.example' }), 'pi.example:8883');
});

test('add bridge calls the bridge as it is asked to, and signs in there all the same', async (context) => {
  const { invitation } = await boxOf(context).ask('invite bridge', { name: 'eva', topics: ['family/# both 1'] });
  const box = boxOf(context);
  await assert.rejects(box.ask('add bridge', { text: invitation, name: '../x' }), { reason: 'bad input' });
  const { name, files } = await box.ask('add bridge', { text: invitation, name: 'anna' });
  assert.deepEqual([name, files], ['anna', [box.at('conf.d/bridge-anna.conf')]]);
  const block = box.read('conf.d/bridge-anna.conf');
  assert.match(block, /^connection anna$/m);
  assert.match(block, /^remote_username eva$/m);
});

test('add bridge leaves nothing when the broker cannot take it over, and writes the certificate where there is one', async (context) => {
  const from = { name: 'anna', password: 'secret', address: 'pi.local:8883', authority: AUTHORITY, topics: readTopics(['a']), from: 'pi' };
  const text = writeInvitation(from);
  const box = boxOf(context, { error: 'no' });
  const before = box.read('midge.conf');
  await assert.rejects(box.ask('add bridge', { text }), {
    reason: 'not possible',
    message: 'Cannot add the bridge: no\nIt was taken back.',
  });
  for (const name of ['bridge-anna.conf', 'bridge-anna.crt']) assert.ok(!existsSync(box.at(`conf.d/${name}`)), name);
  assert.equal(box.read('midge.conf'), before);
  const good = boxOf(context);
  await good.ask('add bridge', { text });
  assert.equal(good.read('conf.d/bridge-anna.crt').trim(), AUTHORITY.trim());
  assert.match(good.read('conf.d/bridge-anna.conf'), /^bridge_cafile .*bridge-anna\.crt$/m);
});

test('change bridge gives a bridge another password without touching the rest, and tells it to nobody', async (context) => {
  const from = {
    name: 'anna',
    password: 'old secret',
    address: 'pi.local:8883',
    authority: AUTHORITY,
    topics: readTopics(['a']),
    from: 'pi',
  };
  const box = boxOf(context);
  await box.ask('add bridge', { text: writeInvitation(from) });
  const before = box.read('conf.d/bridge-anna.conf');
  const answer = await box.ask('change bridge', { name: 'anna', password: 'new secret' });
  assert.deepEqual(answer, { name: 'anna', files: [box.at('conf.d/bridge-anna.conf')] });
  assert.equal(box.read('conf.d/bridge-anna.conf'), before.replace('old secret', 'new secret'));
  const change = changeBy(CHANGE_BRIDGE, { name: 'anna', password: 'new secret' }, { name: '"jane" over REST', right: 'admin' });
  assert.deepEqual([change?.who, change?.operation, change?.about], ['"jane" over REST', 'change bridge', { name: 'anna' }]);
  await assert.rejects(box.ask('change bridge', { name: 'berta', password: 'x' }), { reason: 'not found' });
  await assert.rejects(box.ask('change bridge', { name: 'anna', password: 'x\nlog_dest file /etc/passwd' }), /password/);
  await assert.rejects(box.ask('change bridge', { name: 'anna', password: 'x' }, 'operator'), /right|admin/);

  const by = [
    'listener 8883',
    'connection barn',
    '# by hand',
    'addresses 10.0.0.3 10.0.0.4',
    'username a',
    'username b',
    'topic # out',
    '',
  ];
  writeFileSync(box.at('midge.conf'), by.join('\n'));
  await box.ask('change bridge', { name: 'barn', address: '10.0.0.5:1884', username: 'c', password: 'd' });
  assert.deepEqual(box.read('midge.conf').split('\n'), [
    ...[
      'listener 8883',
      'connection barn',
      'remote_password d',
      '# by hand',
      'address 10.0.0.5:1884',
      'remote_username c',
      'topic # out',
      '',
    ],
  ]);
  await box.ask('change bridge', { name: 'barn', topics: ['a/# both 1', 'b in 2 x/ y/'] });
  assert.match(box.read('midge.conf'), /\ntopic a\/# both 1\ntopic b in 2 x\/ y\/\n$/);
  await box.ask('change bridge', { name: 'barn', topics: ['b out'] });
  assert.match(box.read('midge.conf'), /\nremote_username c\ntopic b out\n$/);
  await assert.rejects(box.ask('change bridge', { name: 'barn', topics: [] }), /topics/);
  await assert.rejects(box.ask('change bridge', { name: 'barn', topics: ['a\nlisten'] }), /topics/);
  const stuck = boxOf(context, { error: 'no' });
  writeFileSync(stuck.at('midge.conf'), by.join('\n'));
  await assert.rejects(stuck.ask('change bridge', { name: 'barn', password: 'd' }), {
    message: 'Cannot change bridge "barn": no\nIt was taken back.',
  });
  assert.equal(stuck.read('midge.conf'), by.join('\n'));
});

test('remove bridge takes an invitation out again with its files, and the lines of a block that somebody has written', async (context) => {
  const text = writeInvitation({
    ...{ name: 'anna', password: 'secret', address: 'pi.local:8883', authority: AUTHORITY, topics: readTopics(['a']), from: 'pi' },
  });
  const box = boxOf(context);
  await box.ask('add bridge', { text });
  assert.deepEqual((await box.ask('remove bridge', { name: 'anna' })).files, [
    box.at('conf.d/bridge-anna.conf'),
    box.at('conf.d/bridge-anna.crt'),
  ]);
  for (const name of ['bridge-anna.conf', 'bridge-anna.crt']) assert.ok(!existsSync(box.at(`conf.d/${name}`)), name);
  await assert.rejects(box.ask('remove bridge', { name: 'anna' }), {
    reason: 'not found',
    message: 'Cannot remove bridge "anna": the configuration has no such connection block',
  });
  await box.ask('add bridge', { text });
  assert.ok(existsSync(box.at('conf.d/bridge-anna.conf')), 'it can be added again');

  const blocks = [
    ...['listener 8883', '# to the cellar', 'connection cellar', 'address 10.0.0.2', 'topic # both', 'log_type all'],
    ...['connection barn', 'address 10.0.0.3', 'topic # out', ''],
  ];
  writeFileSync(box.at('midge.conf'), blocks.join('\n'));
  await box.ask('remove bridge', { name: 'cellar' });
  assert.deepEqual(box.read('midge.conf').split('\n'), [
    ...['listener 8883', '# to the cellar', 'log_type all'],
    ...['connection barn', 'address 10.0.0.3', 'topic # out', ''],
  ]);
});

test('remove bridge deletes no file that somebody has written, or that the configuration still names', async (context) => {
  const block = 'connection anna\naddress pi.local\n';
  const box = boxOf(context);
  writeFileSync(box.at('conf.d/bridge-anna.conf'), `# by hand\n${block}bridge_cafile ${box.at('conf.d/bridge-anna.crt')}\n`);
  writeFileSync(box.at('conf.d/bridge-anna.crt'), AUTHORITY);
  assert.deepEqual((await box.ask('remove bridge', { name: 'anna' })).files, [box.at('conf.d/bridge-anna.conf')]);
  assert.equal(box.read('conf.d/bridge-anna.conf'), '# by hand\n');
  assert.equal(box.read('conf.d/bridge-anna.crt'), AUTHORITY);

  writeFileSync(box.at('conf.d/bridge-anna.conf'), `# Added by midge.\n${block}`);
  await box.ask('remove bridge', { name: 'anna' });
  assert.ok(!existsSync(box.at('conf.d/bridge-anna.conf')));
  assert.equal(box.read('conf.d/bridge-anna.crt'), AUTHORITY, 'the block has not named it');

  const named = `listener 8883\ninclude ${box.at('bridge-anna.conf')}\n`;
  writeFileSync(box.at('midge.conf'), named);
  writeFileSync(box.at('bridge-anna.conf'), `# Added by midge.\n${block}`);
  await box.ask('remove bridge', { name: 'anna' });
  assert.deepEqual([box.read('midge.conf'), box.read('bridge-anna.conf')], [named, '# Added by midge.\n']);
});

test('add bridge writes over no certificate that is there', async (context) => {
  const from = { name: 'anna', password: 'secret', address: 'pi.local:8883', authority: AUTHORITY, topics: readTopics(['a']), from: 'pi' };
  const box = boxOf(context);
  writeFileSync(box.at('conf.d/bridge-anna.crt'), 'mine');
  const invited = readInvitation(writeInvitation(from));
  assert.throws(() => invitationFiles(box.at('midge.conf'), invited), /Cannot make ".*bridge-anna\.crt": it exists already/);
  await assert.rejects(box.ask('add bridge', { text: writeInvitation(from) }), { reason: 'conflict' });
  assert.equal(box.read('conf.d/bridge-anna.crt'), 'mine');
});

test('remove bridge takes the include line with the file that it names, and changes nothing when the broker cannot take it over', async (context) => {
  const from = { name: 'anna', password: 'secret', address: 'pi.local', authority: null, topics: readTopics(['a']), from: 'pi' };
  const box = boxOf(context);
  writeFileSync(box.at('midge.conf'), 'listener 8883\n');
  await box.ask('add bridge', { text: writeInvitation(from) });
  assert.equal(box.read('midge.conf'), 'listener 8883\ninclude bridge-anna.conf\n');
  await box.ask('remove bridge', { name: 'anna' });
  assert.equal(box.read('midge.conf'), 'listener 8883\n');
  assert.ok(!existsSync(box.at('bridge-anna.conf')));

  const stuck = boxOf(context, { error: 'no' });
  const before = 'listener 8883\nconnection barn\naddress 10.0.0.3\n';
  writeFileSync(stuck.at('midge.conf'), before);
  await assert.rejects(stuck.ask('remove bridge', { name: 'barn' }), {
    reason: 'not possible',
    message: 'Cannot remove bridge "barn": no\nIt was taken back.',
  });
  assert.equal(stuck.read('midge.conf'), before);
});

test('invitations show no secret: neither in what is refused, nor in the log', async (context) => {
  const box = boxOf(context);
  const text = 'connection anna\naddress pi.local\nremote_password hidden\nlog_dest file /etc/passwd\n';
  await assert.rejects(box.ask('add bridge', { text }), (error: Error) => {
    assert.match(error.message, /"log_dest" has no place in an invitation/);
    assert.doesNotMatch(error.message, /hidden/);
    return true;
  });
  const change = changeBy(INVITE_BRIDGE, { name: 'anna', topics: ['a'], text }, { name: '"jane" over REST', right: 'admin' });
  assert.deepEqual([change?.who, change?.operation, change?.about], ['"jane" over REST', 'invite bridge', { name: 'anna' }]);
  for (const operation of ['invite bridge', 'check invitation', 'add bridge'])
    await assert.rejects(box.ask(operation, { name: 'a', topics: ['a'], text }, 'operator'), /right|admin/);
});

test('invite bridge names what forwards to a listener of this machine only, and the authority of its certificate of files', async (context) => {
  const box = boxOf(context, { issuer: AUTHORITY, address: '127.0.0.1' });
  await assert.rejects(box.ask('invite bridge', { name: 'anna', topics: ['a'] }), {
    reason: 'not possible',
    message: /no listener with TLS is open to the network/,
  });
  const { invitation, passwordFile } = await box.ask('invite bridge', { name: 'anna', topics: ['a'], host: '2001:db8::1', port: 18883 });
  assert.match(invitation, /^address \[2001:db8::1\]:18883$/m);
  assert.match(invitation, /^bridge_cafile bridge-anna\.crt$/m);
  assert.match(invitation, /^#-----BEGIN CERTIFICATE-----\n#MIIB$/m);
  assert.equal(passwordFile, box.at('passwd'));
  assert.deepEqual(readInvitation(invitation).addresses, '[2001:db8::1]:18883');
});

const WISH = { name: 'anna', topics: ['a'] };

test('invite bridge begins rules where there are none, and the configuration from before is kept', async (context) => {
  const box = boxOf(context, { hasNoRules: true, hasState: true });
  const before = box.read('midge.conf');
  const { rulesBegun } = await box.ask('invite bridge', WISH);
  assert.equal(rulesBegun, box.at('acl'));
  assert.match(box.read('acl'), /\nuser jane\ntopic readwrite #\ntopic read \$SYS\/#\n\nuser anna\ntopic read a\n$/);
  assert.match(box.read('midge.conf'), new RegExp(`^acl_file ${box.at('acl')}$`, 'm'));
  assert.deepEqual(
    pastTexts(box.at('state')).map(({ by, text }) => [by, text]),
    [['change', before]],
  );
});

for (const [what, wish, input] of [
  ['for an account that the configuration names', { account: 'anna' }, WISH],
  ['for a host that is none', {}, { ...WISH, host: 'a b' }],
  ['because the account cannot be put in force', {}, WISH],
] as const) {
  for (const hasNoRules of [true, false]) {
    test(`invite bridge that is refused ${what} leaves all as it was ${hasNoRules ? 'where there are no rules' : 'where there are rules'}`, async (context) => {
      const box = boxOf(context, {
        ...wish,
        hasNoRules,
        error: () => (readFileSync(box.at('passwd'), 'utf8').includes('anna') ? 'no' : null),
      });
      const look = () =>
        readdirSync(box.at('.'), { withFileTypes: true }).map((each) => [each.name, each.isFile() ? box.read(each.name) : '']);
      const before = look();
      await assert.rejects(box.ask('invite bridge', input));
      assert.deepEqual(look(), before);
    });
  }
}

test('what somebody else has written meanwhile stays when a change is taken back: rules that were begun, and the configuration', async (context) => {
  const box = boxOf(context, {
    hasNoRules: true,
    error: () => {
      if (!box.read('passwd').includes('anna')) return null;
      writeFileSync(box.at('acl'), `${box.read('acl')}\nuser tom\ntopic read a\n`);
      return 'no';
    },
  });
  await assert.rejects(box.ask('invite bridge', WISH));
  assert.match(box.read('acl'), /\nuser tom\ntopic read a\n$/);
  assert.doesNotMatch(box.read('acl'), /anna/);
  assert.match(box.read('midge.conf'), /^acl_file /m, 'without rules tom could do everything');

  const other = boxOf(context, {
    error: () => {
      const text = other.read('midge.conf');
      if (!text.includes('mine')) writeFileSync(other.at('midge.conf'), `${text}# mine\n`);
      return 'no';
    },
  });
  writeFileSync(other.at('midge.conf'), 'listener 8883\nconnection barn\naddress 10.0.0.3\n');
  await assert.rejects(other.ask('remove bridge', { name: 'barn' }));
  assert.match(other.read('midge.conf'), /# mine\n$/);
});

test('invite bridge names what its certificate of files has, and refuses another name with what to do', async (context) => {
  const certificates = await makeAppliance(context, { extraNames: ['mqtt.example.org', '*.home.example'] }).boot();
  const box = boxOf(context, { certificate: certificates.server().cert });
  await assert.rejects(box.ask('invite bridge', { ...WISH, host: 'pi.example' }), {
    reason: 'bad input',
    message:
      /"pi\.example": the certificate in "\/etc\/bought\.pem" does not name it, .* - put one there that does, or take one of .*mqtt\.example\.org/,
  });
  assert.equal((await box.ask('invite bridge', { ...WISH, host: 'pi.home.example' })).host, 'pi.home.example');
});

test('invite bridge refuses names, topics and hosts that are none', async (context) => {
  const box = boxOf(context);
  await assert.rejects(box.ask('invite bridge', { name: '../a', topics: ['a'] }), { reason: 'bad input' });
  await assert.rejects(box.ask('invite bridge', { name: 'anna', topics: ['a sideways'] }), { reason: 'bad input' });
});
