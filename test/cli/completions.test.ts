// Completions: the scripts are taken by their shells, and bash completes with them.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMAND_TABLE } from '../../src/commands.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';
import { missing } from '../support/process/foreign-program.ts';

for (const shell of ['bash', 'zsh', 'fish']) {
  test(`completions are taken without complaint when ${shell} reads them`, { skip: missing([shell], shell) }, async (context) => {
    const { status, stdout } = await runMidge(['completions', shell]);
    assert.equal(status, 0);
    for (const { name } of COMMAND_TABLE.commands) assert.ok(stdout.includes(name));
    const script = join(temporaryFolder(context), 'script');
    writeFileSync(script, stdout);
    const { status: taken, stderr } = spawnSync(shell, ['-n', script], { encoding: 'utf8' });
    assert.deepEqual([taken, stderr], [0, '']);
  });
}

/** LINES typed so far, and what bash offers for the last word. */
const LINES: readonly (readonly [words: readonly string[], offers: readonly string[]])[] = [
  [['se'], ['serve']],
  [
    ['pub', '--wi'],
    ['--will-topic', '--will-payload', '--will-qos', '--will-retain'],
  ],
  [['pub', '-V', 'mqttv5'], ['mqttv5']],
  [
    ['sub', '-q', ''],
    ['0', '1', '2'],
  ],
  [['pub', '-t', 'x'], []],
  [['completions', 'f'], ['fish']],
  [['help', 'ver'], ['version']],
  [['serve', '--te'], ['--test-config']],
  [['cert', 're'], ['revoke']],
  [['cert', 'revoke', 're'], []],
  [['import', 'mos'], ['mosquitto']],
  [['import', 'mosquitto', '/proc/self/limi'], ['/proc/self/limits']],
  [
    ['acl', ''],
    ['check', 'who'],
  ],
];

for (const [words, offers] of LINES) {
  test(`completions offer ${offers.join(' ') || 'nothing'} when bash has "midge ${words.join(' ')}"`, {
    skip: missing(['bash'], 'bash'),
  }, async (context) => {
    const script = join(temporaryFolder(context), 'midge.bash');
    writeFileSync(script, (await runMidge(['completions', 'bash'])).stdout);
    const line = ['midge', ...words].map((word) => `'${word}'`).join(' ');
    const code = `source '${script}'; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _midge; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync('bash', ['--norc', '-c', code], { encoding: 'utf8' });
    assert.deepEqual(
      output.split('\n').filter((each) => each !== ''),
      offers,
    );
  });
}

test('completions offer flags with their texts when fish completes', { skip: missing(['fish'], 'fish') }, async (context) => {
  const script = join(temporaryFolder(context), 'midge.fish');
  writeFileSync(script, (await runMidge(['completions', 'fish'])).stdout);
  const home = temporaryFolder(context);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const output = execFileSync('fish', ['--no-config', '-c', `source '${script}'; complete -C 'midge pub --will-'`], {
    encoding: 'utf8',
    env,
  });
  assert.match(output, /^--will-topic\ttopic of the will/m);
});

test('completions name the shells there are when asked for another', async () => {
  const { status, stderr } = await runMidge(['completions', 'tcsh']);
  assert.match(stderr, /^Cannot print completions for "tcsh": .*bash, zsh and fish/);
  assert.equal(status, 1);
});
