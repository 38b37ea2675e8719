// Every conversation, played against Debian's mosquitto: what both say alike is what clients out there are used to.
// Where mosquitto is known to do otherwise, the conversation says so with its reason ("mosquitto": "..."), and is not played.

import { describe, it } from 'node:test';
import { type Conversation, readConversations, versionsOf } from './conversation.ts';
import { findMosquitto, startMosquitto } from './mosquitto-target.ts';
import { play } from './player.ts';

const MISSING = findMosquitto() === null ? 'mosquitto is not installed (Debian package mosquitto)' : null;

for (const { theme, conversations } of readConversations()) {
  describe(`mosquitto, ${theme}`, { concurrency: 4 }, () => {
    for (const conversation of conversations.filter(({ mosquitto }) => mosquitto === undefined)) {
      for (const version of versionsOf(conversation)) {
        it(`${conversation.name}, version ${version}`, MISSING === null ? {} : { skip: MISSING }, () =>
          playOnMosquitto(conversation, version),
        );
      }
    }
  });
}

async function playOnMosquitto(conversation: Conversation, version: 3 | 4 | 5): Promise<void> {
  const mosquitto = await startMosquitto(conversation.settings ?? {});
  try {
    await play(conversation, mosquitto, version);
  } finally {
    await mosquitto.kill();
  }
}
