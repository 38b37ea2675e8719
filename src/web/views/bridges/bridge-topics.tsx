// What a bridge carries, and where to.

import { t } from '../../i18n.ts';
import { DIRECTIONS } from './directions.ts';
import type { Direction } from './topic-line.ts';

interface Carried {
  readonly filter: string;
  /** What it is called at the other broker; absent = the same. */
  readonly remote?: string;
  readonly direction: Direction;
}

/** BridgeTopics lists it. */
export function BridgeTopics({ topics }: { readonly topics: readonly Carried[] }) {
  if (topics.length === 0) return null;
  return (
    <ul class="bridge-topics" aria-label={t('bridges.topics')}>
      {topics.map(({ filter, remote = filter, direction }) => (
        <li key={`${filter} ${remote} ${direction}`}>
          <code>{filter}</code> {t(DIRECTIONS[direction])}
          {remote !== filter && <span class="hint"> · {t('bridges.there', { filter: remote })}</span>}
        </li>
      ))}
    </ul>
  );
}
