// What `$SYS/midge/store` says: whether what is acknowledged is kept, and what that costs the card.

import { cardWear } from '../operations/card-wear.ts';
import type { Store } from '../store/store.ts';

/** storeTopics gives the texts by topic; none where nothing outlives the process. `diskSize` in bytes, null = not known. */
export function storeTopics(store: Store | null, diskSize: number | null): readonly (readonly [topicName: string, text: string])[] {
  if (store === null) return [];
  const { state, text } = store.health();
  const { bytesWritten, bytesLastHour, bytesLastDay, bytesPerDay, commits, fsyncs } = store.counters();
  const topics: [string, string | number][] = [
    ['state', state],
    ['health', text],
    ['bytes/written', bytesWritten],
    ['bytes/written/hour', bytesLastHour],
    ['bytes/written/day', bytesLastDay],
    ['wear', cardWear(bytesPerDay, diskSize).text],
    ['commits', commits],
    ['fsyncs', fsyncs],
  ];
  return topics.map(([name, value]) => [`$SYS/midge/store/${name}`, String(value)]);
}
