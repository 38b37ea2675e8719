// Publishes a message for whoever asks, by the rules for the user whose message it is.

import { z } from 'zod';
import type { Publisher } from '../broker/message.ts';
import { Message, NEVER } from '../broker/message.ts';
import type { Requester } from '../broker/ports.ts';
import { encodeProperties } from '../mqtt/properties.ts';
import { isTopicName } from '../mqtt/topics.ts';
import type { OperationNeeds } from './needs.ts';
import { type Asker, badInput, OperationFailure, operation } from './operation.ts';
import { PAYLOAD_INPUT, readPayload } from './payload.ts';
import { includesRight } from './right.ts';
import { whenDurable } from './when-durable.ts';

/** Client identifier of messages that come by an operation, for rules with `%c` and `check_retain_source`. */
const CLIENT_ID = 'midge-operations';

/** Seconds that a Message Expiry Interval can have, 3.3.2.3.3. */
const EXPIRY_MAX = 0xffffffff;

const INPUT = z.strictObject({
  topic: z.string().describe('topic name'),
  ...PAYLOAD_INPUT,
  qos: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(0),
  retain: z.boolean().default(false),
  expiry: z.number().int().min(1).max(EXPIRY_MAX).nullish().describe('seconds; none = it does not expire'),
  contentType: z.string().max(65_535).nullish(),
  username: z
    .string()
    .nullish()
    .describe(
      'the user whose rules are asked; none = the account that has signed in, or no user name. Another one needs the right "admin"',
    ),
  listener: z
    .string()
    .nullish()
    .describe('with per_listener_settings: the listener whose rules are asked, by its name in status; none = the first one'),
});

/** PUBLISH does it. */
export const PUBLISH = operation({
  name: 'publish',
  kind: 'command',
  right: 'operator',
  summary: 'Publish a message, if the rules allow it to the user whose message it is.',
  input: INPUT,
  output: z.object({
    topic: z.string(),
    bytes: z.number().int().describe('of the payload'),
    username: z.string().nullable().describe('whose message it was; null = nobody with an account'),
  }),
  run: publish,
});

/** publish does it: the answer comes when a message of QoS 1 or 2 is durable. Throws OperationFailure. */
export async function publish(needs: OperationNeeds, input: z.infer<typeof INPUT>, asker: Asker) {
  const { broker } = needs;
  const { topic: name, qos, retain, expiry, contentType } = input;
  if (!isTopicName(name))
    throw badInput('topic', `Cannot publish to "${name}": it is no topic name - leave out + and #, which only filters have`);
  const username = usernameFor(input.username, asker);
  const listener = input.listener ?? needs.listeners[0]?.name ?? '';
  if (!needs.listeners.some((each) => each.name === listener) && input.listener != null)
    throw badInput('listener', `Cannot publish by the rules of listener "${listener}": there is none of this name`);
  const publisher = publisherOf(needs, { clientId: CLIENT_ID, username, listener });
  const topic = broker.topics.named(name);
  if (topic.reserved || !broker.mayPublish(publisher.requester, topic))
    throw new OperationFailure('not allowed', `Cannot publish to "${name}": the rules do not let ${whoIs(username)} write there`);
  const payload = readPayload(input);
  checkOptions(needs, { retain, bytes: payload.length });
  const expiresAt = expiry == null ? NEVER : broker.clock.now() + expiry * 1000;
  const properties = encodeProperties(contentType == null ? {} : { contentType });
  const message = Message.of({ topic, qos, retain, payload, properties, expiresAt, publisher });
  if (retain && payload.length > 0 && !broker.retained.hasRoomFor(message))
    throw new OperationFailure('not possible', `Cannot keep the message to "${name}": there is no room (memory_limit)`);
  broker.counters.publishReceived++;
  broker.counters.publishBytesReceived += payload.length;
  broker.accept(message);
  if (qos > 0) await whenDurable(needs, `The message to "${name}" was delivered, but the database cannot be written`);
  return { topic: name, bytes: payload.length, username };
}

function usernameFor(wanted: string | null | undefined, asker: Asker): string | null {
  const own = asker.username ?? null;
  if (wanted == null || wanted === own) return own;
  if (includesRight(asker.right, 'admin')) return wanted;
  throw new OperationFailure('not allowed', `Cannot publish as user "${wanted}": that needs the right "admin"`);
}

/** It has no session: no message of QoS 1 or 2 comes back to it, and No Local means nobody. */
function publisherOf({ broker }: OperationNeeds, requester: Requester): Publisher {
  return { ...requester, requester, account: broker.accountOf(requester.listener, requester.username), connection: null };
}

function checkOptions({ broker }: OperationNeeds, { retain, bytes }: { readonly retain: boolean; readonly bytes: number }): void {
  const { retainAvailable, messageSizeLimit, maxPacketSize } = broker.options;
  if (retain && !retainAvailable) throw badInput('retain', 'Cannot keep the message: retain_available is false');
  const most = messageSizeLimit === 0 ? maxPacketSize : Math.min(messageSizeLimit, maxPacketSize);
  if (bytes > most) throw badInput('payload', `Cannot publish ${bytes} bytes: ${most} are allowed (message_size_limit, max_packet_size)`);
}

function whoIs(username: string | null): string {
  return username === null ? 'clients without a user name' : `user "${username}"`;
}
