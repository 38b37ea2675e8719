// An invitation comes from somebody else: it is read back as it was written, and can want nothing but a bridge.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Invitation, readInvitation, readTopics, topicWords, writeInvitation } from '../../src/config/bridge-invitation.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIBgjCCASmg+/AB\nZZ==\n-----END CERTIFICATE-----\n';

const INVITATION: Invitation = {
  name: 'anna',
  password: 'aaaaa-bbbbb',
  address: 'pi.local:8883',
  authority: PEM,
  topics: readTopics(['family/# both 1', 'a/# out 2 here/ there/', '"" in 0 here/lamp there/lamp']),
  from: 'pi',
};

test('invitation is read as it was written, with the directions of the other side', () => {
  const invited = readInvitation(writeInvitation(INVITATION));
  assert.equal(invited.name, 'anna');
  assert.equal(invited.authority, PEM);
  assert.deepEqual([invited.addresses, invited.tls], ['pi.local:8883', true]);
  assert.deepEqual(invited.topics.map(topicWords), ['family/# both 1', 'a/# in 2 there/ here/', '"" out 0 there/lamp here/lamp']);
  assert.ok(invited.lines.includes('remote_password aaaaa-bbbbb'));
  assert.ok(!invited.lines.some((line) => line.includes('bridge_cafile')), 'that file is named by who accepts');
});

test('invitation is read after a way through Windows', () => {
  assert.equal(readInvitation(writeInvitation(INVITATION).replaceAll('\n', '\r\n')).authority, PEM);
});

test('invitation goes by TLS where its words or its addresses ask for it, and no address is without', () => {
  const goesByTls = (...lines: string[]) => readInvitation(['connection anna', ...lines, 'topic a'].join('\n')).tls;
  assert.equal(goesByTls('address pi.local'), false);
  assert.equal(goesByTls('address pi.local', 'bridge_tls_use_os_certs true'), true);
  assert.equal(goesByTls('address ssl://pi.local'), true);
  assert.equal(goesByTls('address WSS://pi.local/mqtt'), true);
  assert.equal(goesByTls('addresses mqtts://pi.local mqtt://pi.local'), false);
  assert.equal(goesByTls('address ws://pi.local', 'bridge_tls_use_os_certs true'), false);
});

test('invitation without an authority has no certificate', () => {
  for (const authority of [null, 'public'] as const) {
    const text = writeInvitation({ ...INVITATION, authority });
    assert.doesNotMatch(text, /CERTIFICATE|bridge_cafile/);
    assert.equal(/^bridge_tls_use_os_certs true$/m.test(text), authority === 'public');
    assert.equal(readInvitation(text).authority, null);
  }
});

const BLOCK = 'connection anna\naddress pi.local\ntopic a/# in\n';

for (const [what, text, words] of [
  ['a word of the whole program', `${BLOCK}allow_anonymous true\n`, /"allow_anonymous" has no place/],
  ['a word before the block', `user root\n${BLOCK}`, /does not begin with a connection line/],
  ['an include', `${BLOCK}include /etc/passwd\n`, /"include" has no place/],
  ['a listener', `${BLOCK}listener 1883\n`, /"listener" has no place/],
  ['a second block', `${BLOCK}connection other\n`, /"connection" has no place/],
  ['a file of this machine', `${BLOCK}bridge_keyfile /etc/midge/key\n`, /"bridge_keyfile" has no place/],
  ['a user of this box', `${BLOCK}local_username jane\n`, /"local_username" has no place/],
  ['a log', `${BLOCK}log_dest file /etc/cron.d/x\n`, /"log_dest" has no place/],
  ['a way out of the folder', BLOCK.replace('anna', '../x'), /"..\/x" is no name for a bridge/],
  ['a name with blanks', BLOCK.replace('anna', 'a b'), /"a b" is no name/],
  ['an authority that is not there', `${BLOCK}bridge_cafile /etc/ssl/x.pem\n`, /the certificate at its end is missing/],
  ['a topic that is none', `${BLOCK}topic a# in\n`, /Invalid bridge topic/],
  ['nothing', '', /does not begin with a connection line/],
] as const) {
  test(`invitation is refused when it holds ${what}`, () => {
    assert.throws(() => readInvitation(text), words);
  });
}
