// Debian's mosquitto reads the same bad files: it must refuse what we refuse, with the same sentence at the same line.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { loadConfiguration } from '../../src/config/config.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const MOSQUITTO = '/usr/sbin/mosquitto';
const skip = existsSync(MOSQUITTO) ? false : 'mosquitto is not installed (Debian package mosquitto)';
/** mosquitto gives up on a bad file at once; a file that it accepts would keep it running. */
const GIVE_UP = 5000;

/** Lines below `listener 1`, which is never opened: mosquitto 2.0 and 2.1 stop while they read. */
const REFUSED = [
  'foo',
  'foo bar',
  ' # indented comment',
  'listener',
  'listener 0',
  'listener 65536',
  'port 0',
  'allow_anonymous',
  'allow_anonymous yes',
  'max_keepalive 70000',
  'max_packet_size 5',
  'max_qos 4',
  'max_inflight_messages 70000',
  'max_topic_alias 70000',
  'sys_interval -1',
  'log_type foo',
  'log_dest foo',
  'log_dest file',
  'log_dest',
  'log_facility 9',
  'protocol https',
  'socket_domain x',
  'persistent_client_expiration 5',
  'persistent_client_expiration 5x',
  'mount_point a/#',
  'user',
  'connection',
  'connection a\nconnection a',
  'connection a\naddress',
  'connection a\ntopic a inn',
  'connection a\ntopic a in 3',
  'connection a\ntopic a in 0 b/# c/',
  'connection a\ntopic a in 0 b/ c/+/',
  'connection a\ntopic "" in 0 b/',
  'connection a\nkeepalive_interval 70000',
  'connection a\nrestart_timeout 5 1',
  'connection a\nrestart_timeout',
  'connection a\nbridge_protocol_version mqttv4',
  'include_dir',
  'include_dir ./none.d',
  'log_timestamp_format',
  'user a\nuser b',
  'pid_file /a\npid_file /b',
  'log_dest file /a\nlog_dest file /b',
  'certfile /a\ncertfile /b',
];

for (const lines of REFUSED) {
  test(`configuration is refused in mosquitto's words when it says "${lines.replace('\n', '; ')}"`, { skip }, (t) => {
    const file = join(temporaryFolder(t), 'main.conf');
    writeFileSync(file, `listener 1\n${lines}\n`);
    const { status, stderr } = spawnSync(MOSQUITTO, ['-c', file], { encoding: 'utf8', timeout: GIVE_UP });
    assert.equal(status, 3, stderr);
    const [, sentence = '', line = ''] = /Error: (.+?)\.?\nError found at .+:(\d+)\.|$/.exec(stderr.replaceAll(/^\d+: /gm, '')) ?? [];
    const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
    assert.equal(configuration, null);
    const said = diagnostics.filter(({ severity }) => severity === 'error').map((diagnostic) => `${diagnostic.line} ${diagnostic.message}`);
    assert.ok(said.includes(`${line} ${sentence}`), `mosquitto says at ${line} "${sentence}", midge ${JSON.stringify(said)}`);
  });
}

for (const [what, path] of [
  ['does not exist', '/nowhere/main.conf'],
  ['is a folder', '/tmp'],
] as const) {
  test(`configuration is refused in mosquitto's words when the file ${what}`, { skip }, () => {
    const { stderr } = spawnSync(MOSQUITTO, ['-c', path], { encoding: 'utf8', timeout: GIVE_UP });
    const [diagnostic] = loadConfiguration({ file: path, port: null, verbose: false, lan: false }).diagnostics;
    assert.match(stderr, new RegExp(`Error: ${diagnostic?.message}\\.`));
  });
}
