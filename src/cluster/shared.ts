// Messages of shared subscriptions that were meant for a broker that is away: members elsewhere get them.

import type { Broker } from '../broker/broker.ts';
import { redeliverShared } from '../broker/delivery/delivery.ts';
import type { Share } from '../broker/delivery/subscription.ts';
import type { Session } from '../broker/session/session.ts';

/**
 * giveBackShared gives them to other members that are connected, as when a client ends its session [MQTT-4.8.2-4]: a QoS 2 message that the
 * other broker may have waits for it. It happens when the link has ended, for until then the other broker may still acknowledge.
 */
export function giveBackShared(broker: Broker, session: Session): void {
  const give = () => session.outgoing.giveBack(othersIn(broker, session), (deliveries) => redeliverShared(broker, deliveries));
  if (session.connection === null) give();
  else session.connection.whenClosed(give);
}

function othersIn({ tree }: Broker, own: Session): (group: Share) => boolean {
  const known = new Map<string, boolean>();
  return ({ name, topicFilter }) => {
    const key = `${name}/${topicFilter}`;
    const isKnown =
      known.get(key) ?? tree.group(name, topicFilter).members.some(({ session }) => session !== own && session.outgoing.isOnline);
    known.set(key, isKnown);
    return isKnown;
  };
}
