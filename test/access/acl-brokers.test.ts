// The same ACL files, the same clients: our broker and Debian's mosquitto must give the same verdicts.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AclAuthorizer } from '../../src/access/acl.ts';
import { parseAclFile } from '../../src/access/acl-file.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { ACL_CASES, type AclQuestion, readQuestion } from './acl-cases.ts';
import { type Open, skipWithoutMosquitto, startMosquitto } from './mosquitto-beside.ts';

/** Somebody who may publish what others should receive. */
const SPEAKER = '\nuser speaker\ntopic readwrite #\ntopic readwrite $other/#\n';

/** $SYS/broker/version is retained in mosquitto. */
const VERSION_TOPIC = '$SYS/broker/version';

for (const { name, acl, questions } of ACL_CASES) {
  test(`broker obeys an ACL file with ${name}`, async () => {
    await using ours = await startTestBroker({ authorizer: new AclAuthorizer(parseAclFile(acl + SPEAKER, 'acl').acl) });
    ours.broker.publish({ cmd: 'publish', topic: VERSION_TOPIC, payload: Buffer.from('1'), qos: 0, retain: true, dup: false });
    for (const question of questions) await ask(async () => ours.open(), readQuestion(question));
  });

  test(`mosquitto obeys an ACL file with ${name} as we do`, { skip: skipWithoutMosquitto }, async (context) => {
    const open = await startMosquitto(context, withAcl(context, acl + SPEAKER));
    for (const question of questions) await ask(open, readQuestion(question));
  });
}

test('mosquitto denies everything by an empty ACL file as we do', { skip: skipWithoutMosquitto }, async (context) => {
  const open = await startMosquitto(context, withAcl(context, ''));
  await ask(open, readQuestion('ann@x publish a -> no'));
});

async function ask(open: Open, question: AclQuestion): Promise<void> {
  const { text, allowed } = question;
  const client = await login(open, question.username, question.clientId);
  assert.equal(await (question.action === 'publish' ? publishes(client, question) : receives(open, client, question)), allowed, text);
  client.abort();
}

async function login(open: Open, username: string | null, clientId: string): Promise<WirePeer> {
  const peer = await open();
  peer.send(connectTemplate(username === null ? { clientId } : { clientId, username }));
  await peer.expect('20 [ ?? 00 { ... } ]');
  return peer;
}

/** PUBACK says in MQTT 5 whether a message was taken. */
async function publishes(peer: WirePeer, { topicName }: AclQuestion): Promise<boolean> {
  peer.send(`32 [ '${topicName}' 0001 {} |x| ]`);
  const puback = await peer.expect('40 [ 0001 ] or 40 [ 0001 10 ] or 40 [ 0001 87 ]');
  return puback[4] !== 0x87;
}

async function receives(open: Open, peer: WirePeer, { topicName }: AclQuestion): Promise<boolean> {
  peer.send(`82 [ 0001 {} '${topicName}' 00 ]`);
  await peer.settle();
  if (topicName !== VERSION_TOPIC) {
    const speaker = await login(open, 'speaker', 'speaker');
    speaker.send(`32 [ '${topicName}' 0001 {} |x| ]`);
    await speaker.expect('40 [ 0001 ] or 40 [ 0001 10 ]');
    speaker.abort();
    await peer.settle();
  }
  return peer.waiting.some((packet) => packet[0]! >> 4 === 3);
}

function withAcl(context: TestContext, acl: string): string {
  const file = join(temporaryFolder(context), 'acl');
  writeFileSync(file, acl, { mode: 0o600 });
  return `allow_anonymous true\nacl_file ${file}`;
}
