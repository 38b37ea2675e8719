// `midge import openhab`: the settings of the broker inside openHAB, and what midge makes of them.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfiguration } from '../../src/config/config.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';

interface Case {
  readonly what: string;
  readonly text: string;
  readonly port: number;
  readonly secure?: boolean;
  readonly account?: { username: string; password: string };
  readonly keeps?: boolean;
}

const CASES: readonly Case[] = [
  { what: 'nothing', text: '# port=1884\n', port: 1883 },
  { what: 'secure alone', text: 'secure=true\n', port: 8883, secure: true },
  {
    what: 'all five',
    text: 'port=1884\nusername = jane\npassword = open sesame = 1\nsecure=false\npersistence_file=mqttembedded.bin\n',
    port: 1884,
    account: { username: 'jane', password: 'open sesame = 1' },
  },
  {
    what: 'the prefix of openHAB 2.5',
    text: 'org.openhab.core.mqttembeddedbroker:port=1884\norg.openhab.core.mqttembeddedbroker:persistence_file=\n',
    port: 1884,
    keeps: false,
  },
  { what: 'the prefix of openHAB 2.4, and lines of Windows', text: 'org.eclipse.smarthome.mqttembeddedbroker:port=1884\r\n', port: 1884 },
  { what: 'the service on a line of its own', text: 'pid:org.openhab.mqttembeddedbroker\nport=1884\n', port: 1884 },
  { what: 'a user without a password', text: 'username=jane\npassword=\n', port: 1883 },
  { what: 'the file of another service in it', text: 'org.openhab.rrd4j:port=99\nport=1884\n', port: 1884 },
];

for (const { what, text, port, secure = false, account = null, keeps = true } of CASES) {
  test(`import openhab makes a configuration that means the same of ${what}`, async (t) => {
    const { folder, status, stderr } = await importText(t, text);
    assert.equal(status, 0, stderr);
    const file = join(folder, 'out/midge.conf');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
    assert.ok(configuration, JSON.stringify(diagnostics));
    const [listener, ...more] = configuration.listeners;
    assert.deepEqual(more, []);
    assert.deepEqual([listener?.port, listener?.address, listener?.tls !== null], [port, null, secure]);
    assert.deepEqual(configuration.access.account, account);
    assert.equal(listener?.policy.allowAnonymous, account === null);
    assert.equal(configuration.persistence.enabled, keeps);
  });
}

test('import openhab names mistakes with their lines, and writes nothing then', async (t) => {
  const { folder, status, stdout } = await importText(t, 'port=1884x\nsecure=yes\nfile=a\npassword=secret\n');
  assert.equal(status, 1);
  assert.match(stdout, /^refused +\S+cfg:1: port=1884x - a port is a number from 1 to 65535$/m);
  assert.match(stdout, /^refused +\S+cfg:2: secure=yes - it is true or false$/m);
  assert.match(stdout, /^refused +\S+cfg:3: file - there are port, username, password, secure, persistence_file$/m);
  assert.doesNotMatch(stdout, /secret/);
  assert.equal(existsSync(join(folder, 'out')), false);
});

test('check shows the five settings with their defaults', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'home.conf');
  writeFileSync(file, 'username jane\npassword secret\nsecure true\npersistence_file home.db\n', { mode: 0o600 });
  const { stdout, status, stderr } = await runMidge(['check', file], { env: { STATE_DIRECTORY: join(folder, 'state') } });
  assert.equal(status, 0, stderr);
  const text = stdout.toString();
  assert.match(text, /^SETTING +VALUE +DEFAULT$/m);
  assert.match(text, /^port +8883 +1883, or 8883 with secure true$/m);
  assert.match(text, /^password +set +none$/m);
  assert.match(text, /^secure +true +false$/m);
  assert.ok(text.includes(` ${join(folder, 'state/home.db')} `), text);
  assert.doesNotMatch(text, /secret/);
});

async function importText(t: TestContext, text: string) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'mqttembeddedbroker.cfg');
  writeFileSync(file, text);
  const { status, stdout, stderr } = await runMidge(['import', 'openhab', '--out', join(folder, 'out'), file]);
  assert.equal(readFileSync(file, 'utf8'), text);
  return { folder, status, stdout: stdout.toString(), stderr };
}
