// What `$SYS/cluster` says: how the brokers of a cluster are, what each counts, and the sums.

/** SeenBroker is another broker; null = it is away, or has not told. */
interface SeenBroker {
  readonly id: string;
  readonly phase: string;
  readonly sent: number;
  readonly queued: number;
  readonly dropped: number;
  readonly latency: number | null;
  readonly figures: Readonly<Record<string, number>> | null;
}

/** SeenCluster is a cluster as one of its brokers sees it. */
export interface SeenCluster {
  readonly name: string;
  readonly id: string;
  readonly phase: string;
  readonly carried: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly totals: Readonly<Record<string, number>>;
  readonly peers: readonly SeenBroker[];
}

type Topic = readonly [topicName: string, text: string];

/** clusterTopics gives the texts by topic; none for a broker on its own. A broker that has gone keeps what it told last, and its state says that it is away. */
export function clusterTopics(cluster: SeenCluster | null): readonly Topic[] {
  if (cluster === null) return [];
  const { name, id, phase, carried, figures, totals, peers } = cluster;
  const connected = peers.filter((peer) => peer.phase === 'connected');
  const queued = peers.reduce((sum, peer) => sum + peer.queued, 0);
  return [
    ...topics('', {
      name,
      id,
      state: phase,
      'brokers/total': peers.length + 1,
      'brokers/connected': connected.length + 1,
      carried,
      queued,
    }),
    ...topics('total/', totals),
    ...topics(`broker/${id}/`, { state: phase, ...figures }),
    ...peers.flatMap((peer) => topics(`broker/${peer.id}/`, ofPeer(peer))),
  ];
}

function ofPeer({ phase, sent, queued, dropped, latency, figures }: SeenBroker): Record<string, string | number> {
  const measured = latency === null ? {} : { latency: latency.toFixed(1) };
  return { state: phase, 'from here/sent': sent, 'from here/queued': queued, 'from here/dropped': dropped, ...measured, ...figures };
}

function topics(root: string, values: Readonly<Record<string, string | number>>): Topic[] {
  return Object.entries(values).map(([name, value]): Topic => [`$SYS/cluster/${root}${name}`, String(value)]);
}
