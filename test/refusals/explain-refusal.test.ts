// What an operator is told about a refusal, and what to do about it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalReason, TlsProblem } from '../../src/base/refusal-reason.ts';
import { refusalSentence } from '../../src/base/refusal-sentences.ts';
import { DEFAULT_LISTENER_POLICY } from '../../src/broker/options.ts';
import type { Refusal } from '../../src/broker/ports.ts';
import { adviceSentence } from '../../src/refusals/advice.ts';
import { explainRefusal as explained } from '../../src/refusals/explain-refusal.ts';
import type { AclVerdict, KnownAccount, OpenPort, RefusalNeeds } from '../../src/refusals/needs.ts';

const KNOWN: KnownAccount = { isKnown: true, isLocked: false, passwordIn: null, passwordFile: '/etc/midge/passwd', dynamic: null };

function needs(changes: { ports?: readonly OpenPort[]; account?: Partial<KnownAccount>; verdict?: AclVerdict } = {}): RefusalNeeds {
  return {
    openPorts: () => changes.ports ?? [],
    accountOf: () => ({ ...KNOWN, ...changes.account }),
    verdictOn: () => changes.verdict ?? { what: 'reserved topic' },
  };
}

function refusal(reason: RefusalReason, changes: Partial<Refusal> = {}): Refusal {
  const from = { address: '192.0.2.7', port: 1, policy: DEFAULT_LISTENER_POLICY };
  return { reason, from, clientId: 'phone', username: 'jane', topicName: null, ...changes };
}

/** explainRefusal gives what a terminal says. */
function explainRefusal(...asked: Parameters<typeof explained>) {
  const { reason, advice } = explained(...asked);
  return { reason: refusalSentence(reason), advice: advice === null ? null : adviceSentence(advice) };
}

function adviceFor(problem: TlsProblem, ports: readonly OpenPort[] = []): string | null {
  return explainRefusal(refusal({ cause: 'tls', what: 'handshake', problem }), needs({ ports })).advice;
}

const PORTS: readonly OpenPort[] = [
  { port: 1883, protocol: 'mqtt', isTls: false },
  { port: 8883, protocol: 'mqtt', isTls: true },
  { port: 9001, protocol: 'websockets', isTls: false },
];

test('advice names the ports that would do when a client speaks another protocol', () => {
  const advice = (spoken: 'TLS' | 'HTTP' | 'something else', ports: readonly OpenPort[]) =>
    explainRefusal(refusal({ cause: 'wrong protocol', spoken }), needs({ ports })).advice;
  assert.equal(advice('TLS', PORTS), 'use the port with TLS (8883), or turn TLS off in the client');
  assert.equal(advice('HTTP', PORTS), 'use the port for WebSocket (9001), or use MQTT over TCP in the client');
  assert.equal(advice('TLS', []), 'turn TLS off in the client: this broker has no port with TLS');
  assert.equal(advice('something else', PORTS), null);
  assert.equal(adviceFor('no TLS', PORTS), 'use the port without TLS (1883), or turn TLS on in the client');
  assert.equal(adviceFor('no TLS'), 'turn TLS on in the client');
});

const NAME = { name: 'lamp' };
const DATE = new Date('2026-01-31T12:00:00Z');
const NEW_ONE = 'give it a new one, if the clock of this machine is right';

const HANDSHAKES: readonly (readonly [TlsProblem, RegExp | null])[] = [
  ['server untrusted', /^install this broker's ca\.crt on the device/],
  ['left', /^install this broker's ca\.crt on the device/],
  ['server name', /^connect to a name or an address that is in the certificate; certificate_names adds some$/],
  ['plain HTTP', /^this port wants TLS: use https or wss$/],
  ['server expired', /^look at the date of the device, and of this machine$/],
  ['no client certificate', /^give it one: this listener has require_certificate true$/],
  ['no common cipher', null],
  ['old revocation list', null],
  [{ what: 'revoked', ...NAME }, /^if it may come back, give it another one \(midge cert client NAME\)$/],
  [{ what: 'client untrusted', ...NAME, issuer: 'Stranger' }, /^give it one of the authority that this listener trusts/],
  [{ what: 'expired', ...NAME, date: DATE }, new RegExp(`^${NEW_ONE}$`)],
  [{ what: 'not valid yet', ...NAME, date: DATE }, new RegExp(`^${NEW_ONE}$`)],
  [{ what: 'chain expired', ...NAME }, new RegExp(`^${NEW_ONE}$`)],
  [{ what: 'chain not valid yet', ...NAME }, new RegExp(`^${NEW_ONE}$`)],
  [{ what: 'not for clients', ...NAME }, null],
  [{ what: 'not accepted', ...NAME, detail: 'crl has expired' }, null],
  [{ what: 'unreadable client certificate', detail: 'unsupported' }, null],
  [{ what: 'other', detail: 'bad record type' }, null],
];

for (const [problem, advice] of HANDSHAKES) {
  const what = typeof problem === 'string' ? problem : problem.what;
  test(`advice is what fits when a TLS handshake failed by "${what}"`, () => {
    const given = adviceFor(problem);
    if (advice === null) assert.equal(given, null);
    else assert.match(given ?? 'none', advice);
  });
}

test('advice follows the reason, not the words that a client has put into the name of its certificate', () => {
  const { reason, advice } = explainRefusal(
    refusal({ cause: 'tls', what: 'handshake', problem: { what: 'not for clients', name: 'is revoked, does not trust the, expired' } }),
    needs(),
  );
  assert.equal(
    reason,
    'failed the TLS handshake: its client certificate "is revoked, does not trust the, expired" is not made for clients',
  );
  assert.equal(advice, null);
});

test('a wrong login is explained by what is known about the user', () => {
  const wrong = refusal({ cause: 'credentials', what: 'wrong' });
  assert.deepEqual(explainRefusal(wrong, needs()), {
    reason: 'gives a wrong password for user "jane"',
    advice: 'a new password: midge passwd /etc/midge/passwd jane',
  });
  assert.deepEqual(explainRefusal({ ...wrong, username: "o'neill" }, needs({ account: { isKnown: false } })), {
    reason: 'gives user "o\'neill", who has no account here',
    advice: "to let this user in: midge passwd /etc/midge/passwd 'o'\\''neill'",
  });
  assert.equal(
    explainRefusal(wrong, needs({ account: { passwordIn: 'midge.conf' } })).advice,
    'the password stands in midge.conf (password)',
  );
  assert.equal(
    explainRefusal(wrong, needs({ account: { passwordFile: null } })).advice,
    'name a file of accounts by password_file, and add the user with midge passwd',
  );
  const dynamic = (state: KnownAccount['dynamic'], account: Partial<KnownAccount> = {}) => {
    const { reason, advice } = explainRefusal(wrong, needs({ account: { ...account, dynamic: state } }));
    return `${reason} - ${advice}`;
  };
  const [disabled, set] = [
    'to let this user in: midge ctrl dynsec enableClient jane',
    'a new password: midge ctrl dynsec setClientPassword jane',
  ];
  assert.equal(dynamic('disabled'), `gives user "jane", who is disabled - ${disabled}`);
  assert.equal(dynamic('without password'), `gives user "jane", who has no password yet - ${set}`);
  assert.equal(dynamic('can sign in'), `gives a wrong password for user "jane" - ${set}`);
  const unknown = 'gives user "jane", who has no account here - to let this user in:';
  assert.equal(dynamic('unknown', { isKnown: false, passwordFile: null }), `${unknown} midge ctrl dynsec createClient jane`);
  assert.equal(dynamic('unknown', { isKnown: false }), `${unknown} midge passwd /etc/midge/passwd jane`);
  const silent = { reason: 'gives no password', advice: null };
  assert.deepEqual(explainRefusal(refusal({ cause: 'credentials', what: 'no password' }), needs()), silent);
  const nameless = { reason: 'gives a wrong user name or password', advice: null };
  assert.deepEqual(explainRefusal({ ...wrong, username: null }, needs()), nameless);
});

test('client that came before the first account is told how to get in, until it has one', () => {
  const early = refusal({ cause: 'not allowed', what: 'no accounts' });
  const advice = (account: Partial<KnownAccount>) => explainRefusal(early, needs({ account })).advice;
  assert.equal(advice({ isKnown: false }), 'to let this user in: midge passwd /etc/midge/passwd jane');
  assert.equal(
    advice({ isKnown: false, passwordFile: null }),
    'name a file of accounts by password_file, and add the user with midge passwd',
  );
  assert.equal(advice({}), null);
});

const FILE = '/etc/midge/acl';
const MISSING = 'to allow it, write below "user jane": topic write home';

const VERDICTS: readonly (readonly [AclVerdict, string, string | null])[] = [
  [{ what: 'roles', why: 'role "x" says no', command: null }, 'role "x" says no', null],
  [
    { what: 'roles', why: 'no ACL matches', command: 'midge ctrl dynsec addRoleACL ROLE publishClientSend home allow' },
    'no ACL matches',
    'to allow it by one of its roles: midge ctrl dynsec addRoleACL ROLE publishClientSend home allow',
  ],
  [{ what: 'reserved topic' }, 'nobody but the broker itself writes there', null],
  [{ what: 'special name', file: FILE }, `a user name or client id with + or # gets nothing by the patterns of ${FILE}`, null],
  [{ what: 'no rule', file: FILE, missingRule: MISSING }, `no rule of ${FILE} allows it`, MISSING],
  [
    { what: 'rule', file: FILE, line: 3, rule: 'topic deny home' },
    `${FILE}:3: topic deny home`,
    'a deny line is stronger than all others: take it away, or name less by it',
  ],
];

for (const [verdict, words, advice] of VERDICTS) {
  test(`a denied topic is explained when the verdict is "${verdict.what}"`, () => {
    const denied = refusal({ cause: 'topic', what: 'denied' }, { topicName: 'home' });
    assert.deepEqual(explainRefusal(denied, needs({ verdict })), { reason: `may not publish to "home": ${words}`, advice });
  });
}

test('advice says what to change when a packet is too large or a login is held', () => {
  const advice = (reason: RefusalReason) => explainRefusal(refusal(reason), needs()).advice;
  assert.equal(
    advice({ cause: 'bad packet', what: 'too large', detail: 'Packet is large' }),
    'let it send less, or set max_packet_size higher',
  );
  assert.equal(advice({ cause: 'bad packet', what: 'malformed', detail: 'max_packet_size' }), null);
  assert.match(advice({ cause: 'held' }) ?? '', /^correct the password there and wait until the hold ends/);
  assert.match(advice({ cause: 'tls', what: 'left after it' }) ?? '', /^install this broker's ca\.crt/);
});

for (const [what, account, reason, advice] of [
  ['wrong password', {}, 'gave a wrong password for user "jane"', /^if it was you, use the right password, .+; if not, somebody is trying/],
  ['wrong password', { isKnown: false }, 'user "jane" has no account here', /^if it was you, look at the user name; if not,/],
  ['wrong password', { isLocked: true }, 'the account of user "jane" is locked', /^to let this user in: midge passwd --unlock/],
  ['wrong password', { dynamic: 'disabled' }, 'user "jane" is disabled', /^to let this user in: midge ctrl dynsec enableClient jane$/],
  ['wrong password', { dynamic: 'without password' }, 'user "jane" has no password yet', /^a new password: midge ctrl dynsec/],
  ['held', {}, 'user "jane" was refused unseen after too many wrong passwords', /^if it was you, use the right password,/],
  ['held', { isKnown: false }, 'user "jane" was refused unseen after too many wrong passwords', /^if it was you, look at the user name;/],
  ['no role', {}, 'user "jane" has no role there', /^if this user is to use the page, an admin gives the account a role there/],
] as const) {
  test(`refused sign-in to the page is explained: ${what} of ${JSON.stringify(account)}`, () => {
    const asked = refusal({ cause: 'page', what, username: 'jane' }, { clientId: '' });
    const explained = explainRefusal(asked, needs({ account }));
    assert.equal(explained.reason, `wanted to sign in to the page, but ${reason}`);
    assert.match(explained.advice ?? '', advice);
  });
}
