// What golden cases cannot write down: bytes, file modes, and files that change nothing but the reading.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

import { formatDiagnostic, type LoadedConfiguration, loadConfiguration } from '../../src/config/config.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';

test('configuration is read when its lines end with CR LF and a byte order mark is in front', (t) => {
  const { configuration } = loadText(t, '\uFEFFlistener 1884\r\n\r\n# comment\r\nallow_anonymous true  \r\n');
  assert.equal(configuration?.listeners[0]?.port, 1884);
  assert.equal(configuration.listeners[0].policy.allowAnonymous, true);
});

test('configuration is read when the last line has no end and blanks are tabs', (t) => {
  assert.equal(loadText(t, '\tsys_interval\t \t5').configuration?.broker.sysInterval, 5);
});

test('configuration is read when a line is very long', (t) => {
  const prefix = 'x'.repeat(1_000_000);
  assert.equal(loadText(t, `#${prefix}\nclientid_prefixes ${prefix}\n`).configuration?.broker.clientidPrefixes, prefix);
});

for (const [what, bytes] of [
  ['is no UTF-8', Buffer.from('mdns_name K\xfcche', 'latin1')],
  ['holds a control character', Buffer.from('mdns_name K\u0007che')],
] as const) {
  test(`configuration is refused when a value ${what}`, (t) => {
    const file = join(temporaryFolder(t), 'main.conf');
    writeFileSync(file, bytes);
    const { configuration, diagnostics } = loadFile(file);
    assert.equal(configuration, null);
    assert.match(formatDiagnostic(diagnostics[0]!), /main.conf:1:11: error: Malformed UTF-8 in configuration/);
  });
}

test('configuration is read when only a comment is no UTF-8', (t) => {
  const file = join(temporaryFolder(t), 'main.conf');
  writeFileSync(file, Buffer.from('# K\xfcche\nsys_interval 5', 'latin1'));
  assert.equal(loadFile(file).configuration?.broker.sysInterval, 5);
});

test('configuration is read with a warning when everyone may read the password in it', (t) => {
  const file = join(temporaryFolder(t), 'main.conf');
  writeFileSync(file, 'username jane\npassword s3cret\n');
  chmodSync(file, 0o644);
  const open = loadFile(file);
  assert.notEqual(open.configuration, null);
  assert.match(open.diagnostics.map(formatDiagnostic).join('\n'), /:2:1: warning: .+ - chmod o-r .*main\.conf$/);
  chmodSync(file, 0o640);
  assert.deepEqual(loadFile(file).diagnostics, []);
});

test('configuration is read with a warning when everyone may read a key or a password file', async (t) => {
  const folder = temporaryFolder(t);
  const pair = await (await testAuthority()).issue('CN=localhost', new Date(Date.now() + 86_400_000), new Date());
  writeFileSync(join(folder, 'server.crt'), pair.cert);
  for (const name of ['server.key', 'passwords']) {
    writeFileSync(join(folder, name), name === 'passwords' ? '' : pair.key);
    chmodSync(join(folder, name), 0o644);
  }
  const file = join(folder, 'main.conf');
  writeFileSync(file, `listener 8883\ncertfile ${folder}/server.crt\nkeyfile ${folder}/server.key\npassword_file ${folder}/passwords\n`);
  const { configuration, diagnostics } = loadFile(file);
  assert.notEqual(configuration, null);
  assert.deepEqual(
    diagnostics.map(({ severity, line }) => [severity, line]),
    [
      ['warning', 3],
      ['warning', 4],
    ],
  );
});

test('configuration with reload_on_change tells every file that a reload would read, each of capath too', async (t) => {
  const folder = temporaryFolder(t);
  const pair = await (await testAuthority()).issue('CN=localhost', new Date(Date.now() + 86_400_000), new Date());
  mkdirSync(join(folder, 'cas'));
  for (const name of ['server.crt', 'cas/ours.pem']) writeFileSync(join(folder, name), pair.cert);
  for (const name of ['server.key', 'passwords']) writeFileSync(join(folder, name), name === 'passwords' ? '' : pair.key, { mode: 0o600 });
  const [file, part] = [join(folder, 'main.conf'), join(folder, 'part.conf')];
  writeFileSync(part, `password_file ${folder}/passwords\n`);
  const tls = `listener 8883\ncertfile ${folder}/server.crt\nkeyfile ${folder}/server.key\ncapath ${folder}/cas\nrequire_certificate true\n`;
  writeFileSync(file, `reload_on_change true\ninclude part.conf\n${tls}`);
  const names = ['main.conf', 'part.conf', 'passwords', 'server.crt', 'server.key', 'cas', 'cas/ours.pem'];
  assert.deepEqual(loadFile(file).configuration?.watched.toSorted(), names.map((name) => join(folder, name)).sort());
});

test('configuration is refused when a file includes itself through a link', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'main.conf');
  symlinkSync(file, join(folder, 'link.conf'));
  writeFileSync(file, 'include link.conf\n');
  assert.match(formatDiagnostic(loadFile(file).diagnostics[0]!), /it includes itself/);
});

test('configuration is read when it comes through a pipe', () => {
  const door = join(import.meta.dirname, '../../src/config/config.ts');
  const script = `import { loadConfiguration } from ${JSON.stringify(door)};
    const { configuration } = loadConfiguration({ file: '/dev/stdin', port: null, verbose: false, lan: false });
    console.log(configuration.broker.sysInterval);`;
  const command = `echo sys_interval 7 | "$0" --input-type=module -e "$1"`;
  const { stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' });
  assert.equal(stdout, '7\n', stderr);
});

test('configuration is refused when it includes a pipe or a device: neither is waited for', (t) => {
  const folder = temporaryFolder(t);
  spawnSync('mkfifo', [join(folder, 'pipe')]);
  for (const [path, reason] of [
    [join(folder, 'pipe'), /it is a FIFO/],
    ['/dev/zero', /it is larger than/],
  ] as const)
    assert.match(formatDiagnostic(loadText(t, `include ${path}\n`).diagnostics[0]!), reason);
});

test('configuration includes a file by its name when the name looks like a pattern', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a[1].conf'), 'sys_interval 7\n');
  const file = join(folder, 'main.conf');
  writeFileSync(file, 'include a[1].conf\n');
  assert.equal(loadFile(file).configuration?.broker.sysInterval, 7);
});

test('configuration includes by an absolute pattern', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.conf'), 'sys_interval 7\n');
  assert.equal(loadText(t, `include ${folder}/*.conf\n`).configuration?.broker.sysInterval, 7);
});

test('configuration reads the current content of included files when it is loaded again', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'main.conf');
  writeFileSync(file, 'include conf.*\n');
  writeFileSync(join(folder, 'conf.a'), 'sys_interval 7\n');
  assert.equal(loadFile(file).configuration?.broker.sysInterval, 7);
  writeFileSync(join(folder, 'conf.a'), 'sys_interval 8\n');
  assert.equal(loadFile(file).configuration?.broker.sysInterval, 8);
});

test('diagnostics are plain values when they are asked for as JSON', (t) => {
  const { diagnostics } = loadText(t, 'xyzzy 1\n');
  const [diagnostic] = JSON.parse(JSON.stringify(diagnostics));
  assert.deepEqual(
    { ...diagnostic, file: 'main.conf' },
    {
      severity: 'error',
      file: 'main.conf',
      line: 1,
      column: 1,
      message: 'Unknown configuration variable "xyzzy"',
      hint: null,
      mosquittoExit: 3,
    },
  );
});

function loadText(t: TestContext, text: string): LoadedConfiguration {
  const file = join(temporaryFolder(t), 'main.conf');
  writeFileSync(file, text, { mode: 0o600 });
  return loadFile(file);
}

function loadFile(file: string): LoadedConfiguration {
  return loadConfiguration({ file, port: null, verbose: false, lan: false });
}
