// Debug lines about packets: the same conversation with midge and with Debian's mosquitto leaves the same lines in both logs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordingLog } from '../support/ports/recording-log.ts';
import type { Conversation } from './conversation.ts';
import { startInMemory } from './midge-target.ts';
import { findMosquitto, startMosquitto } from './mosquitto-target.ts';
import { play } from './player.ts';

const SKIP = findMosquitto() === null ? { skip: 'mosquitto is not installed (Debian package mosquitto)' } : {};

/** Every kind of packet, each way. */
const CONVERSATION: Conversation = {
  name: 'every packet',
  steps: [
    'a connects',
    "a > 82 [ 0001 {} 't/#' 02 'u' 01 ]",
    'a < 90 [ 0001 {} 02 01 ]',
    'b connects',
    "b > 30 [ 't/0' {} |zero| ]",
    "a < 30 [ 't/0' {} |zero| ]",
    "b > 32 [ 'u' 0005 {} |one| ]",
    'b < 40 [ 0005 ]',
    "a < 32 [ 'u' @one {} |one| ]",
    'a > 40 [ @one ]',
    "b > 34 [ 't/2' 0006 {} |two| ]",
    'b < 50 [ 0006 ]',
    'b > 62 [ 0006 ]',
    'b < 70 [ 0006 ]',
    "a < 34 [ 't/2' @two {} |two| ]",
    'a > 50 [ @two ]',
    'a < 62 [ @two ]',
    'a > 70 [ @two ]',
    "a > A2 [ 0002 {} 'u' ]",
    'a < B0 [ 0002 {} 5:00 ]',
    'a > C0 00',
    'a < D0 00',
    'b disconnects',
    'a disconnects',
  ],
};

/** What only MQTT 5 has words for. */
const CONVERSATION_5: Conversation = {
  name: 'reason codes',
  versions: [5],
  settings: { denied: { topics: ['secret'] } },
  steps: [
    'a connects',
    "a > 82 [ 0001 {} 't' 02 'u' 01 ]",
    'a < 90 [ 0001 {} 02 01 ]',
    'b connects',
    "b > 32 [ 'nobody' 0004 {} |one| ]",
    'b < 40 [ 0004 10 ]',
    "b > 34 [ 'secret' 0005 {} |two| ]",
    'b < 50 [ 0005 87 ]',
    "b > 32 [ 'u' 0006 {} |one| ]",
    'b < 40 [ 0006 ]',
    "a < 32 [ 'u' @one {} |one| ]",
    'a > 40 [ @one 83 {} ]',
    "b > 34 [ 't' 0006 {} |two| ]",
    'b < 50 [ 0006 ]',
    'b > 62 [ 0006 00 ]',
    'b < 70 [ 0006 ]',
    "a < 34 [ 't' @two {} |two| ]",
    'a > 50 [ @two 83 {} ]',
    'a silent',
    "a > 30 [ 't' { 23 FFFF } |x| ]",
    'a < E0 [ 94 ]',
    'a closed',
  ],
};

for (const [conversation, version] of [
  [CONVERSATION, 4],
  [CONVERSATION, 5],
  [CONVERSATION_5, 5],
] as const) {
  test(`midge writes the lines of mosquitto about packets: ${conversation.name}, version ${version}`, SKIP, async () => {
    const log = recordingLog(['debug']);
    const midge = await startInMemory(conversation.settings ?? {}, log);
    await play(conversation, midge, version).finally(() => midge.stop());
    const mosquitto = await startMosquitto(conversation.settings ?? {});
    try {
      await play(conversation, mosquitto, version);
      assert.deepEqual(linesByClient(log.lines), linesByClient(mosquitto.lines()));
    } finally {
      await mosquitto.kill();
    }
  });
}

/** Lines about packets, client by client: mosquitto hands QoS 2 on later, so that lines of two clients change places. */
function linesByClient(lines: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = { a: [], b: [] };
  for (const line of lines) {
    const client = /^(?:Sending|Received|Denied) [A-Z]+ (?:to|from) (\w+)/.exec(line)?.[1];
    if (client !== undefined) found[client]?.push(line);
  }
  return found;
}
