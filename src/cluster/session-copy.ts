// A session as bytes, from broker to broker: a line of JSON for the session, and one for each of its messages.

import type { LoadedSession, StoredDelivery, StoredMessage } from '../broker/ports.ts';

/** Message as JSON has it: bytes in base64. `of` = the line whose message it is, from 0, where several deliveries share one. */
type Line = { readonly delivery: StoredDelivery } & (
  | { readonly of: number }
  | { readonly message: Omit<StoredMessage, 'payload' | 'properties'> & { payload: string; properties: string } }
);

/** encodeSession makes the bytes. Its will is not in it. */
export function encodeSession({ session, subscriptions, deliveries, incoming }: LoadedSession): Buffer {
  const lines = [JSON.stringify({ session: { ...session, will: null }, subscriptions, incoming })];
  const lineOf = new Map<number, number>();
  for (const { delivery, message } of deliveries) {
    const of = lineOf.get(message.key);
    if (of === undefined) lineOf.set(message.key, lines.length - 1);
    const { payload, properties } = message;
    const whole = { ...message, payload: payload.toString('base64'), properties: properties.toString('base64') };
    lines.push(JSON.stringify(of === undefined ? { delivery, message: whole } : { delivery, of }));
  }
  return Buffer.from(lines.join('\n'));
}

/** decodeSession reads them. Throws for what is none. */
export function decodeSession(bytes: Buffer): LoadedSession {
  const [first, ...rest] = bytes.toString('utf8').split('\n');
  const { session, subscriptions, incoming } = JSON.parse(first ?? '') as Omit<LoadedSession, 'deliveries'>; // another broker's
  const messages: StoredMessage[] = [];
  const deliveries = rest.map((text) => {
    const line = JSON.parse(text) as Line; // as above
    const message = 'of' in line ? messages[line.of] : whole(line.message);
    if (message === undefined) throw new Error('a message of the session is missing');
    messages.push(message);
    return { delivery: line.delivery, message };
  });
  return { session, subscriptions, incoming, deliveries };
}

function whole(message: Extract<Line, { message: unknown }>['message']): StoredMessage {
  return { ...message, payload: Buffer.from(message.payload, 'base64'), properties: Buffer.from(message.properties, 'base64') };
}
