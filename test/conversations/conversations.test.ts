// Every conversation, played against our broker in memory, whole packets and byte by byte.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Conversation, readConversations, versionsOf } from './conversation.ts';
import { startInMemory } from './midge-target.ts';
import { play } from './player.ts';

for (const { theme, conversations } of readConversations()) {
  describe(theme, () => {
    for (const conversation of conversations) {
      for (const version of versionsOf(conversation)) {
        it(`${conversation.name}, version ${version}`, () => playInMemory(conversation, version, false));
        it(`${conversation.name}, version ${version}, byte by byte`, () => playInMemory(conversation, version, true));
      }
    }
  });
}

async function playInMemory(conversation: Conversation, version: 3 | 4 | 5, bytewise: boolean): Promise<void> {
  const target = await startInMemory(conversation.settings ?? {});
  try {
    await play(conversation, target, version, { bytewise });
  } finally {
    await target.stop();
  }
}

describe('conversation files', () => {
  const all = readConversations().flatMap(({ conversations }) => conversations);

  it('have a name of their own for each conversation, beginning with the server', () => {
    const names = all.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
    assert.deepEqual(
      names.filter((name) => !name.startsWith('server ')),
      [],
    );
  });

  it('write clauses in one of the two forms', () => {
    const odd = all.filter(({ name }) => /\[(?!(3\.1\.1 )?MQTT-\d+\.\d+\.\d+-\d+\])/.test(name));
    assert.deepEqual(odd, []);
  });

  it('use no words but their own', () => {
    const words = ['name', 'versions', 'clients', 'settings', 'mosquitto', 'steps'];
    const odd = all.flatMap((conversation) => Object.keys(conversation).filter((word) => !words.includes(word)));
    assert.deepEqual(odd, []);
  });
});
