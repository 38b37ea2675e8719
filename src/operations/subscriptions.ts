// Subscriptions: who wants what.

import { z } from 'zod';
import type { Subscription } from '../broker/delivery/subscription.ts';
import type { Session } from '../broker/session/session.ts';
import { filterMatches, isTopicName } from '../mqtt/topics.ts';
import { shown } from './clients.ts';
import { badInput, operation } from './operation.ts';
import { PAGE_INPUT, pageOf, takePage } from './page.ts';

const SUBSCRIPTION = z.object({
  client: z.string().describe('client identifier'),
  username: z.string().nullable(),
  connected: z.boolean(),
  filter: z.string().describe('topic filter, as the client sent it'),
  topicFilter: z.string().describe('without `$share/GROUP/`, with the mount point of its listener'),
  group: z.string().nullable().describe('of a shared subscription'),
  qos: z.number().int(),
  noLocal: z.boolean().describe('its own messages do not come back to it'),
  retainAsPublished: z.boolean(),
  identifier: z.number().int().describe('Subscription Identifier; 0 = none'),
});

interface Found {
  readonly session: Session;
  readonly filter: string;
  readonly subscription: Subscription;
}

/** SUBSCRIPTIONS lists them. */
export const SUBSCRIPTIONS = operation({
  name: 'subscriptions',
  kind: 'query',
  right: 'viewer',
  summary: 'Subscriptions of all clients or of one, by client and topic filter.',
  input: z.strictObject({
    ...PAGE_INPUT,
    client: z.string().nullish().describe('only those of this client'),
    search: z.string().nullish().describe('only those that have this in their topic filter'),
    topic: z.string().nullish().describe('only those that a message to this topic name would go to, if the rules allow it'),
  }),
  output: pageOf(SUBSCRIPTION),
  run: (needs, { client, search, topic, ...page }) => {
    if (topic != null && !isTopicName(topic))
      throw badInput('topic', `Cannot find subscriptions for "${topic}": it is no topic name - leave out + and #, which only filters have`);
    const sessions = shown(needs, ({ clientId }) => client == null || clientId === client);
    const isMeant = ({ filter, subscription }: Found) =>
      (search == null || filter.includes(search)) && (topic == null || filterMatches(subscription.topicFilter, topic));
    return takePage(found(sessions, isMeant), page, ({ session, filter }) => `${session.clientId}\0${filter}`, show);
  },
});

function* found(sessions: Iterable<Session>, isMeant: (one: Found) => boolean): Generator<Found> {
  for (const session of sessions) {
    for (const [filter, subscription] of session.subscriptions) {
      const one = { session, filter, subscription };
      if (isMeant(one)) yield one;
    }
  }
}

function show({ session, filter, subscription }: Found): z.infer<typeof SUBSCRIPTION> {
  const { topicFilter, group, qos, noLocal, retainAsPublished, identifier } = subscription;
  return {
    client: session.clientId,
    username: session.username,
    connected: session.connection !== null,
    filter,
    topicFilter,
    group: group === null ? null : group.name,
    qos,
    noLocal,
    retainAsPublished,
    identifier,
  };
}
