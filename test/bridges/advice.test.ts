// What a person is told to do about a bridge that is not connected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviceFor } from '../../src/bridges/advice.ts';
import { LinkError, refusedConnect } from '../../src/broker/client/link-error.ts';
import { REASON } from '../../src/mqtt/reason-codes.ts';

const JANE = { remoteUsername: 'jane', remotePassword: 'secret' };

function refusal(reasonCode: number): LinkError {
  return refusedConnect({ sessionPresent: false, reasonCode, properties: {} });
}

for (const [name, error, login, expected] of [
  ['wrong login', refusal(REASON.NOT_AUTHORIZED), JANE, /^check the user name and the password first: the bridge signs in as "jane"$/],
  ['login without a password', refusal(REASON.NOT_AUTHORIZED), { ...JANE, remotePassword: null }, /signs in as "jane" without one$/],
  ['no login', refusal(REASON.NOT_AUTHORIZED), { remoteUsername: null, remotePassword: null }, /: the bridge has none$/],
  ['right login soon after wrong ones', refusal(REASON.CONNECTION_RATE_EXCEEDED), JANE, /^after wrong logins .* wait a few minutes$/],
  [
    'name of the home',
    new LinkError('name', 'not known'),
    JANE,
    /^this name is found at home only: in the same house write the address .* elsewhere ask for/,
  ],
] as const) {
  test(`${name} has its advice`, () => assert.match(adviceFor(error, login, 'pi.local') ?? '', expected));
}

test('name of the Internet has its advice, and no advice is made up', () => {
  assert.match(adviceFor(new LinkError('name', 'not known'), JANE, 'pi.example') ?? '', /^check how the name is written/);
  assert.equal(adviceFor(refusal(REASON.SERVER_UNAVAILABLE), JANE, 'pi.example'), null);
  assert.equal(adviceFor(new LinkError('network', 'no broker listens'), JANE, 'pi.example'), null);
});
