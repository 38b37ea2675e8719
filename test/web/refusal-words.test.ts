// The page has words for everything that the box may say of a refusal: a new reason or piece of advice fails here, or does not compile.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ADVICE_CODES } from '../../src/refusals/advice.ts';
import type { ReasonCode } from '../../src/refusals/reason-values.ts';
import { ADVICE, REASONS } from '../../src/web/refusal-keys.ts';

const ENGLISH = JSON.parse(readFileSync(join(import.meta.dirname, '../../src/web/locales/en.json'), 'utf8')) as Record<string, string>;

/** Each code with the values that stand in its sentence. */
const CODES: Readonly<Record<ReasonCode, string>> = {
  'tls: left': '',
  'tls: left after it': '',
  'tls: closed': '',
  'tls: timeout': '',
  'tls: plain HTTP': '',
  'tls: no TLS': '',
  'tls: no common version': '',
  'tls: no common cipher': '',
  'tls: no common protocol': '',
  'tls: no client certificate': '',
  'tls: server untrusted': '',
  'tls: server name': '',
  'tls: server expired': '',
  'tls: nothing in common': '',
  'tls: wrong pre-shared key': '',
  'tls: unknown identity': '',
  'tls: not in force any more': '',
  'tls: no revocation list': '',
  'tls: old revocation list': '',
  'tls: unreadable client certificate': 'detail',
  'tls: revoked': 'name',
  'tls: chain expired': 'name',
  'tls: chain not valid yet': 'name',
  'tls: not for clients': 'name',
  'tls: expired': 'date,name',
  'tls: not valid yet': 'date,name',
  'tls: client untrusted': 'issuer,name',
  'tls: not accepted': 'detail,name',
  'tls: other': 'detail',
  'certificate: ': 'wanted',
  'websocket: web page': '',
  'websocket: no HTTP': '',
  'websocket: foreign page': '',
  'websocket: foreign origin': '',
  'websocket: no subprotocol': '',
  'proxy: no header': '',
  'proxy: too long': '',
  'proxy: no address': '',
  'proxy: no port': '',
  'proxy: unknown version': '',
  'proxy: cut short': '',
  'proxy: no TLS': '',
  'proxy: no client certificate': '',
  'proxy: no common name': '',
  'wrong protocol: TLS': '',
  'wrong protocol: HTTP': '',
  'wrong protocol: something else': '',
  'bad packet: too large': '',
  'bad packet: malformed': 'detail',
  'silent: nothing': 'seconds',
  'silent: no whole CONNECT': 'seconds',
  'protocol version: unknown': 'detail',
  'protocol version: not accepted': '',
  'client id: missing': '',
  'client id: prefix': 'prefix',
  'client id: of another user': 'owner',
  'will: topic': '',
  'will: payload': '',
  'will: qos': '',
  'will: retain': '',
  'credentials: no password': '',
  'credentials: wrong': '',
  'credentials: wrong password': 'username',
  'credentials: unknown user': 'username',
  'credentials: locked': 'username',
  'credentials: disabled': 'username',
  'credentials: without password': 'username',
  'page: wrong password': 'username',
  'page: unknown user': 'username',
  'page: locked': 'username',
  'page: disabled': 'username',
  'page: without password': 'username',
  'page: no role': 'username',
  'page: held': 'username',
  'not allowed: no user name': '',
  'not allowed: no user name as client id': '',
  'not allowed: no accounts': '',
  'not allowed: enhanced authentication': '',
  'not allowed: not in force any more': '',
  'not allowed: keep alive': 'most,seconds',
  'held: ': '',
  'unavailable: ': '',
  'busy: max_connections': '',
  'busy: global_max_clients': '',
  'busy: global_max_connections': '',
  'busy: memory_limit': '',
  'topic: denied': '',
  'topic: reserved topic': 'topicName',
  'topic: special name': 'topicName',
  'topic: no rule': 'topicName',
  'topic: roles': 'topicName',
  'topic: rule': 'rule,topicName',
  'duel: one place': 'address,count,seconds',
  'duel: two places': 'count,one,other,seconds',
  'flapping: ': 'address,count,seconds',
};

test('page has words for each reason of a refusal, with its values and no others', () => {
  assert.deepEqual(Object.keys(REASONS).sort(), Object.keys(CODES).sort());
  for (const [code, values] of Object.entries(CODES)) assert.equal(valuesIn(ENGLISH[REASONS[code as ReasonCode]]), values, code);
});

test('page has words for each piece of advice', () => {
  assert.deepEqual(Object.keys(ADVICE).sort(), [...ADVICE_CODES].sort());
});

function valuesIn(text = ''): string {
  return Array.from(text.matchAll(/\{(\w+)\}/g), ([, name]) => name)
    .sort()
    .join();
}
