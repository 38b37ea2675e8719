// What a conversation is, and how its files are read.

import { readdirSync, readFileSync } from 'node:fs';
import type { Version } from '../support/protocol/hex-template.ts';

/**
 * Conversation is one exchange between named clients and the broker, as data.
 *
 * Its name says "subject does behaviour when condition [clause]". Clauses are normative statements of MQTT 5.0 as they are numbered
 * there, `[MQTT-3.1.0-1]`; those that only MQTT 3.1.1 has, or numbers otherwise, are written `[3.1.1 MQTT-3.1.0-1]`.
 */
export interface Conversation {
  readonly name: string;
  /** Protocol levels it is played with, once each: 3 = MQTT 3.1, 4 = 3.1.1, 5 = 5.0. Default 4 and 5. */
  readonly versions?: readonly Version[];
  /** Clients that always speak another version. */
  readonly clients?: Readonly<Record<string, Version>>;
  readonly settings?: Settings;
  /** Why Debian's mosquitto 2.0.11 is not asked. */
  readonly mosquitto?: string;
  readonly steps: readonly Step[];
}

/** Settings differ from the defaults: `options` and `policy` are fields of BrokerOptions and ListenerPolicy. */
export interface Settings {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly policy?: Readonly<Record<string, unknown>>;
  /** User names and passwords; without them everyone may come. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** Topic filters that nobody may publish to or receive from, and filters nobody may subscribe to. */
  readonly denied?: { readonly topics?: readonly string[]; readonly subscriptions?: readonly string[] };
}

/**
 * Step is a line; CLIENT is any name, PACKET is written as test/support/protocol/hex-template.ts says:
 *
 *   CLIENT > PACKET              sends; the first line of a client that has no network connection opens one
 *   CLIENT < PACKET              the next packet of the broker to this client is that
 *   CLIENT <! PACKET             the same, byte for byte: not in another form that means the same, without a Reason String
 *   CLIENT closed                the broker has closed the connection, and nothing came before that
 *   CLIENT silent                nothing is on its way to this client: after all other clients have got their PINGRESP, its own is next
 *   CLIENT connects [keeping] [as ID]   CONNECT (clean start; or a session to keep) and a CONNACK 0 without session present
 *   CLIENT returns [as ID]       the same without clean start; the CONNACK says session present
 *   CLIENT disconnects           DISCONNECT, and the broker closes
 *   CLIENT closes | aborts       the network connection ends without DISCONNECT, in order (FIN) or torn
 *   N seconds pass
 *   broker stops                 in order, as by SIGTERM
 *
 * A list of "CLIENT < PACKET" lines of one client: they come in any order. At the end of a conversation every connected client is
 * silent.
 */
export type Step = string | readonly string[];

export interface ConversationFile {
  readonly theme: string;
  readonly conversations: readonly Conversation[];
}

/** readConversations reads the files of this folder in the order of their names. */
export function readConversations(): ConversationFile[] {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'));
  return files.sort().map((name) => {
    const text = readFileSync(`${import.meta.dirname}/${name}`, 'utf8');
    return { theme: name.slice(0, -'.json'.length), conversations: JSON.parse(text) as Conversation[] }; // checked by conversations.test.ts
  });
}

/** versionsOf gives the protocol levels a conversation is played with. */
export function versionsOf(conversation: Conversation): readonly Version[] {
  return conversation.versions ?? [4, 5];
}
