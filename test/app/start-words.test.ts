// What a person reads under the log after a start by hand, and what of it a log gets.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type StartFacts, type StopFacts, startLines, startWords } from '../../src/app/start-words.ts';
import { StateFolder } from '../../src/state/state-folder.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { configurationOf } from './test-configuration.ts';

const BY_HAND: StopFacts = { isOnTerminal: true, pid: 42, servicePid: undefined };

/** facts are of a broker that has opened the listeners of a configuration, on the ports that it names. */
function facts(context: TestContext, text: string, change: Partial<StartFacts> = {}): StartFacts {
  const folder = temporaryFolder(context);
  const state = new StateFolder(join(folder, 'state'), 'midge.db');
  const configuration = configurationOf(folder, text);
  const listeners = configuration.listeners.map((options) => {
    return { options, port: options.policy.port, addresses: [options.unixPath ?? options.address ?? '0.0.0.0'] };
  });
  return { command: ['./midge'], configuration, listeners, state, keepsSessions: false, madeAccount: null, ...change };
}

const ACCOUNT = 'username jane\npassword secret\n';
const RULES: readonly (readonly [string, string, RegExp])[] = [
  [
    'tests by TLS where there is TLS',
    `${ACCOUNT}listener 1\nlistener 2\nsecure true\n`,
    /Test {3}\.\/midge sub -h localhost -p 2 --cafile \/\S+\/state\/certificates\/ca\.crt -u jane -P PASSWORD -t '#' -v\n/,
  ],
  [
    'tests without login where anybody may connect',
    'allow_anonymous true\nlistener 1\n',
    /Test {3}\.\/midge sub -h localhost -p 1 -t '#' -v\n/,
  ],
  ['tests at the address where it listens', 'allow_anonymous true\nlistener 1 192.0.2.1\n', /-h 192\.0\.2\.1 -p 1 /],
  ['tests at a socket', 'allow_anonymous true\nlistener 0 /run/m.sock\n', /sub --unix \/run\/m\.sock -t/],
  ['tests nothing that a name and a password do not open', 'listener 1\nsecure true\nrequire_certificate true\n', /^\n {2}State/],
  [
    'warns of passwords without TLS',
    `${ACCOUNT}listener 1\nlistener 2\nprotocol websockets\nlistener 3\nsecure true\n`,
    /Note {3}others on the network can read passwords that are sent to ports 1 and 2 - use port 3, with TLS\n/,
  ],
  [
    'sends no device to the port of the page',
    `${ACCOUNT}listener 1\nlistener 2\nprotocol http\n`,
    /sent to port 1 - secure true in a listener adds TLS\n/,
  ],
  [
    'sends browsers to the page with TLS, and devices to MQTT with TLS',
    `${ACCOUNT}listener 1 127.0.0.1\nlistener 2\nprotocol http\nsecure false\nlistener 3\nprotocol http\nlistener 4\nsecure true\n`,
    /sent to port 2 - use port 3, with TLS\n/,
  ],
  ['says how TLS is had', `${ACCOUNT}listener 1\n`, /sent to port 1 - secure true in a listener adds TLS\n/],
  ['names the page', 'allow_anonymous true\nlistener 1 127.0.0.1\nprotocol http\n', /Page {3}http:\/\/127\.0\.0\.1:1\/ in a browser\n/],
  [
    'names the page for the network',
    'listener 1 127.0.0.1\nprotocol http\nlistener 2 192.0.2.1\nprotocol http\n',
    /https:\/\/192\.0\.2\.1:2\//,
  ],
  [
    'names what must be trusted',
    'allow_anonymous true\nlistener 1\nsecure true\n',
    /Trust {2}\/\S+\/state\/certificates\/ca\.crt on devices that use TLS\n/,
  ],
];
for (const [what, text, pattern] of RULES) {
  test(`startWords ${what}`, (context) => assert.match(startWords(facts(context, text), BY_HAND), pattern));
}

const SILENT: readonly (readonly [string, string, RegExp])[] = [
  ['without accounts', 'allow_anonymous true\nlistener 1\n', /Note|Trust/],
  ['that do not leave this machine', `${ACCOUNT}listener 1 127.0.0.1\n`, /Note/],
  ['with TLS', `${ACCOUNT}listener 1\nsecure true\n`, /Note/],
];
for (const [what, text, pattern] of SILENT) {
  test(`startWords warns of no passwords on ports ${what}`, (context) =>
    assert.doesNotMatch(startWords(facts(context, text), BY_HAND), pattern));
}

test('startWords says where the state is, and whether messages outlive the broker', (context) => {
  const without = facts(context, 'allow_anonymous true\nlistener 1\n');
  assert.match(startWords(without, BY_HAND), /State {2}none: sessions and retained messages end with the broker\n/);
  without.state.make();
  assert.match(startWords(without, BY_HAND), /State {2}\/\S+\/state \(sessions and retained messages end with the broker\)\n/);
  assert.match(startWords({ ...without, keepsSessions: true }, BY_HAND), /State {2}\/\S+\/state\n/);
});

test('startWords says how to stop: at the terminal, in the background, as a service', (context) => {
  const open = facts(context, 'allow_anonymous true\nlistener 1\n');
  const stops = [BY_HAND, { ...BY_HAND, isOnTerminal: false }, { ...BY_HAND, servicePid: '42' }, { ...BY_HAND, servicePid: '1' }];
  assert.deepEqual(
    stops.map((stop) => /Stop {3}(.*)\n/.exec(startWords(open, stop))?.[1]?.replace(/stop .*/, 'stop UNIT')),
    ['Ctrl+C', 'kill 42', 'systemctl stop UNIT', 'Ctrl+C'],
  );
});

test('startLines gives a log the folder, what must be trusted and the warning, but no commands', (context) => {
  const open = facts(context, `${ACCOUNT}listener 1\nlistener 2\nsecure true\n`);
  open.state.make();
  const { path } = open.state;
  assert.deepEqual(startLines(open), [
    `State folder: ${path}.`,
    `Devices that use TLS must trust ${path}/certificates/ca.crt.`,
    'Note: others on the network can read passwords that are sent to port 1 - use port 2, with TLS.',
  ]);
});
