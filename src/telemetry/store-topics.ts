// What `$SYS/midge/store` says: whether what is acknowledged is kept, and what that costs the card.

import { cardWear } from './card-wear.ts';

/** MeasuredStore is a store that knows how it fares and what it has written. */
export interface MeasuredStore {
  health(): { readonly state: string; readonly text: string };
  /** Bytes; null = not known yet. */
  counters(): {
    readonly bytesWritten: number;
    readonly bytesLastHour: number;
    readonly bytesLastDay: number;
    readonly bytesPerDay: number | null;
    readonly commits: number;
    readonly fsyncs: number;
  };
}

/** storeTopics gives the texts by topic; none where nothing outlives the process. `diskSize` in bytes, null = not known. */
export function storeTopics(store: MeasuredStore | null, diskSize: number | null): readonly (readonly [topicName: string, text: string])[] {
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
