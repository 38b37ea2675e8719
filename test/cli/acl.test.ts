// midge acl: the answers in words, as JSON and as exit status.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';

const ACL = `user fred
topic read owntracks/jjolie/5s
topic deny owntracks/jjolie/6
pattern readwrite dev/%c/#
pattern write inbox/%u
user max
topic readwrite owntracks/#
`;

const JOE = '$7$101$Df0BbuImLgxFNiUE$eXFj266gy6V6LDYmTfWJBLpd2X7XI8tEhS8wgHwBEAsZlXlR4fulC5k2n3V+VEWgvI1j9qsdtmTPjVsODYlyiA==';

/** house gives a function that asks midge acl with $ACL and $CONF as the files; it gives status and text, with the folder cut away. */
function house(context: TestContext, configuration = 'listener 1883\npassword_file $DIR/passwd\nacl_file $DIR/acl\n') {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'acl'), ACL);
  writeFileSync(join(folder, 'passwd'), `fred:${JOE}\njoe:${JOE}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'conf'), configuration.replaceAll('$DIR', folder));
  return async (words: string) => {
    const argv = words.split(' ').map((word) => word.replace('$ACL', join(folder, 'acl')).replace('$CONF', join(folder, 'conf')));
    const { status, stdout, stderr } = await runMidge(['acl', ...argv]);
    return [status, (stdout.toString() + stderr).replaceAll(`${folder}/`, '')] as const;
  };
}

test('acl check names the line that decides', async (context) => {
  const ask = house(context);
  for (const [words, status, text] of [
    ['check --user fred receive owntracks/jjolie/5s --acl $ACL', 0, 'allowed: acl:2: topic read owntracks/jjolie/5s\n'],
    ['check --user fred publish owntracks/jjolie/5s --acl $ACL', 1, 'denied: no rule of acl matches\n'],
    ['check -u fred receive owntracks/jjolie/6 --acl $ACL', 1, 'denied: acl:3: topic deny owntracks/jjolie/6\n'],
    ['check --client lamp publish dev/lamp/on --acl $ACL', 0, 'allowed: acl:4: pattern readwrite dev/%c/#\n'],
    ['check publish dev/lamp/on --acl $ACL', 1, 'denied: no rule of acl matches\n'],
    ['check -u max publish $SYS/x --acl $ACL', 1, 'denied: nobody but the broker itself writes there\n'],
    ['check -u a+ publish inbox/x --acl $ACL', 1, 'denied: a user name or client id with + or # gets nothing by the patterns of acl\n'],
    ['check -u fred publish inbox/fred -c $CONF', 0, 'allowed: acl:5: pattern write inbox/%u\n'],
    ['check -u max publish owntracks/x -c $CONF', 0, 'allowed: acl:7: topic readwrite owntracks/#\nnote: user "max" has no account\n'],
    [
      'check --client x publish dev/x -c $CONF',
      0,
      'allowed: acl:4: pattern readwrite dev/%c/#\nnote: no listener lets clients in without a user name\n',
    ],
  ] as const) {
    assert.deepEqual(await ask(words), [status, text], words);
  }
});

test('acl check tells what arrives by a subscription', async (context) => {
  const ask = house(context);
  assert.deepEqual(await ask('check -u fred subscribe owntracks/# --acl $ACL'), [
    0,
    `allowed: SUBSCRIBE is always accepted; a message arrives when the first of these rules that matches its topic is not a deny
  acl:3: topic deny owntracks/jjolie/6
  acl:2: topic read owntracks/jjolie/5s
`,
  ]);
  assert.deepEqual(await ask('check -u fred subscribe inbox/+ --acl $ACL'), [
    0,
    'allowed: SUBSCRIBE is always accepted, but nothing will arrive: no rule lets this client read any of it\n',
  ]);
});

test('acl who lists who may, with the lines', async (context) => {
  const ask = house(context);
  assert.deepEqual(await ask('who owntracks/jjolie/5s -c $CONF'), [
    0,
    `USER  CLIENT ID  READ    WRITE
fred  (any)      line 2  -
max   (any)      line 7  line 7  (user "max" has no account)
Lines are those of acl.
`,
  ]);
  assert.deepEqual(await ask('who dev/lamp --acl $ACL'), [
    0,
    `USER              CLIENT ID  READ    WRITE
(no user name)    lamp       line 4  line 4
fred              lamp       line 4  line 4
max               lamp       line 4  line 4
(any other user)  lamp       line 4  line 4
Lines are those of acl.
`,
  ]);
  assert.deepEqual(await ask('who inbox/joe -c $CONF'), [
    0,
    'USER  CLIENT ID  READ  WRITE\njoe   (any)      -     line 5\nLines are those of acl.\n',
  ]);
  assert.deepEqual(await ask('who nothing --acl $ACL'), [1, 'Nobody may read or write nothing.\n']);
});

test('acl gives the same as JSON', async (context) => {
  const ask = house(context);
  const [status, text] = await ask('check --user fred --client x receive owntracks/jjolie/5s --acl $ACL --json');
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(text), {
    action: 'receive',
    topic: 'owntracks/jjolie/5s',
    user: 'fred',
    client: 'x',
    allowed: true,
    reason: 'acl:2: topic read owntracks/jjolie/5s',
    rule: { file: 'acl', line: 2, kind: 'topic', access: 'read', filter: 'owntracks/jjolie/5s' },
    notes: [],
  });
  const [, people] = await ask('who inbox/joe --acl $ACL --json');
  assert.deepEqual(JSON.parse(people).people, [
    {
      who: 'user',
      user: 'joe',
      client: null,
      read: { allowed: false, reason: 'no rule of acl matches', rule: null },
      write: {
        allowed: true,
        reason: 'acl:5: pattern write inbox/%u',
        rule: { file: 'acl', line: 5, kind: 'pattern', access: 'write', filter: 'inbox/%u' },
      },
      notes: [],
    },
  ]);
});

test('acl says that everything is allowed when the configuration has no acl_file', async (context) => {
  const ask = house(context, 'listener 1883\nallow_anonymous true\n');
  assert.deepEqual(await ask('check publish a -c $CONF'), [
    0,
    'allowed: there is no acl_file, so every client may read and write every topic\n',
  ]);
  assert.deepEqual(await ask('who a -c $CONF'), [0, 'Everybody who may connect: there is no acl_file.\n']);
  assert.deepEqual(await ask('check publish a -c $CONF --acl $ACL'), [1, 'denied: no rule of acl matches\n']);
});

test('acl asks which listener is meant when each has its own rules', async (context) => {
  const text =
    'per_listener_settings true\nlistener 1883\npassword_file $DIR/passwd\nacl_file $DIR/acl\nlistener 1884\nallow_anonymous true\n';
  const ask = house(context, text);
  assert.match((await ask('who a -c $CONF'))[1], /Which listener\? .*: --listener "1883", --listener "1884"\./);
  assert.match((await ask('who a -c $CONF --listener 1'))[1], /Unknown listener '1'/);
  assert.deepEqual(await ask('check publish a -c $CONF --listener 1883'), [
    1,
    'denied: no rule of acl matches\nnote: no listener lets clients in without a user name\n',
  ]);
  assert.deepEqual(await ask('who a -c $CONF --listener 1884'), [0, 'Everybody who may connect: there is no acl_file.\n']);
});

test('acl leaves with 2 when it has no answer', async (context) => {
  const ask = house(context, 'listener 1883\nacl_file $DIR/passwd\n');
  for (const [words, message] of [
    ['', /^Error: Which question\?/],
    ['check', /^Error: No action given/],
    ['check write a --acl $ACL', /^Error: No action given/],
    ['check publish --acl $ACL', /^Error: Which topic\?/],
    ['check publish a', /^Error: Which rules\?/],
    ['check publish a/# --acl $ACL', /^Error: Cannot check "a\/#": it is not a topic name/],
    ['check subscribe a# --acl $ACL', /^Error: Cannot check "a#": it is not a topic filter/],
    ['who --acl $ACL', /^Error: Which topic\?/],
    ['who a/+ --acl $ACL', /^Error: Cannot check "a\/\+"/],
    ['who a b --acl $ACL', /^Error: Unknown word 'b'/],
    ['who a --acl $ACL.none', /^Cannot read acl_file "acl.none": ENOENT/],
    ['who a -c $CONF', /^passwd:1:1: error: Invalid line "fred:/],
  ] as const) {
    const [status, text] = await ask(words);
    assert.match(text, message, words);
    assert.equal(status, 2, words);
  }
});

const DYNAMIC = {
  defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
  roles: [
    {
      rolename: 'lamps',
      acls: [
        { acltype: 'publishClientSend', topic: 'lamps/%u/#', priority: 2, allow: true },
        { acltype: 'subscribePattern', topic: 'lamps/#', priority: 0, allow: true },
        { acltype: 'publishClientReceive', topic: 'lamps/secret', priority: 0, allow: false },
      ],
    },
  ],
  groups: [{ groupname: 'house', roles: [{ rolename: 'lamps' }], clients: [{ username: 'desk' }] }],
  clients: [
    { username: 'hall', roles: [{ rolename: 'lamps' }], encoded_password: JOE },
    { username: 'desk', clientid: 'desk-1', encoded_password: JOE },
    { username: 'off', disabled: true, roles: [{ rolename: 'lamps' }], encoded_password: JOE },
    { username: 'new', roles: [{ rolename: 'lamps' }] },
  ],
};

/** dynamicHouse is one whose configuration names dynamic security, with more lines. */
function dynamicHouse(context: TestContext, more = '') {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'd.json'), JSON.stringify(DYNAMIC), { mode: 0o600 });
  writeFileSync(join(folder, 'acl'), ACL);
  writeFileSync(join(folder, 'passwd'), `fred:${JOE}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'conf'), `listener 1883\ndynamic_security_file ${folder}/d.json\n${more.replaceAll('$DIR', folder)}`);
  return async (words: string) => {
    const { status, stdout, stderr } = await runMidge(['acl', ...words.split(' '), '-c', join(folder, 'conf')]);
    return [status, (stdout.toString() + stderr).replaceAll(`${folder}/`, '')] as const;
  };
}

test('acl check names the role of dynamic security that decides', async (context) => {
  const ask = dynamicHouse(context);
  for (const [words, status, text] of [
    ['check -u hall publish lamps/hall/on', 0, 'allowed: role "lamps" of d.json: publishClientSend allow lamps/%u/# (priority 2)\n'],
    [
      'check -u hall publish lamps/desk/on',
      1,
      'denied: no ACL of its roles matches, and the default of d.json for publishClientSend is deny\n',
    ],
    [
      'check -u desk publish lamps/desk/on',
      0,
      'allowed: role "lamps" (by group "house") of d.json: publishClientSend allow lamps/%u/# (priority 2)\n',
    ],
    [
      'check -u desk --client other receive x',
      0,
      'allowed: no ACL of its roles matches, and the default of d.json for publishClientReceive is allow\nnote: client "desk" must come with client id "desk-1"\n',
    ],
    [
      'check -u off receive lamps/secret',
      1,
      'denied: role "lamps" of d.json: publishClientReceive deny lamps/secret (priority 0)\nnote: client "off" is disabled\n',
    ],
    [
      'check -u new subscribe x',
      1,
      'denied: no ACL of its roles matches, and the default of d.json for subscribe is deny\nnote: client "new" has no password\n',
    ],
    [
      'check -u nobody publish x',
      1,
      'denied: dynamic security does not know this user, and there is no acl_file: it may do nothing\nnote: user "nobody" has no account\n',
    ],
    [
      'check -u hall subscribe lamps/+',
      0,
      `allowed: role "lamps" of d.json: subscribePattern allow lamps/# (priority 0); a message arrives when the first of these rules that matches its topic is not a deny
  role "lamps" of d.json: publishClientReceive deny lamps/secret (priority 0)
  no ACL of its roles matches, and the default of d.json for publishClientReceive is allow
`,
    ],
  ] as const) {
    assert.deepEqual(await ask(words), [status, text], words);
  }
});

test('acl who lists clients of dynamic security beside users of the files', async (context) => {
  const ask = dynamicHouse(context, 'acl_file $DIR/acl\npassword_file $DIR/passwd\n');
  assert.deepEqual(await ask('who lamps/desk/on'), [
    0,
    `USER  CLIENT ID  READ     WRITE
hall  (any)      default  -
desk  (any)      default  role lamps (group house)
off   (any)      default  -  (client "off" is disabled)
new   (any)      default  -  (client "new" has no password)
Roles and defaults are those of d.json.
`,
  ]);
  assert.deepEqual(await ask('who inbox/fred'), [
    0,
    'USER  CLIENT ID  READ  WRITE\nfred  (any)      -     line 5\nLines are those of acl.\n',
  ]);
  const [, text] = await ask('who lamps/desk/on --json');
  assert.deepEqual(JSON.parse(text).people[1].write.rule, {
    file: 'd.json',
    role: 'lamps',
    group: 'house',
    acltype: 'publishClientSend',
    topic: 'lamps/%u/#',
    priority: 2,
    allow: true,
  });
});

test('acl says that users of a listener without an ACL file may do nothing beside dynamic security', async (context) => {
  const more = 'per_listener_settings true\npassword_file $DIR/passwd\nlistener 1884\npassword_file $DIR/passwd\nacl_file $DIR/acl\n';
  const ask = dynamicHouse(context, more);
  const unknown = 'denied: dynamic security does not know this user, and there is no acl_file: it may do nothing\n';
  assert.deepEqual(await ask('check -u fred publish inbox/fred --listener 1883'), [1, unknown]);
  assert.deepEqual(await ask('check -u fred publish inbox/fred --listener 1884'), [0, 'allowed: acl:5: pattern write inbox/%u\n']);
});

test('acl tells of a file of dynamic security that is not there yet', async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'conf'), `listener 1883\ndynamic_security_file ${folder}/none.json\n`);
  const { status, stderr } = await runMidge(['acl', 'who', 'x', '-c', join(folder, 'conf')]);
  assert.match(stderr, /Cannot read dynamic_security_file ".*none\.json": ENOENT/);
  assert.equal(status, 2);
});
