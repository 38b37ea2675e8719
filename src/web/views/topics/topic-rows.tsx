// The lines of the tree of topics, for the mouse, the thumb, the keyboard and the screen reader.

import { useState } from 'preact/hooks';
import { Icon } from '../../components/icon.tsx';
import { VirtualTree } from '../../components/virtual-tree.tsx';
import { number, t } from '../../i18n.ts';
import { go } from '../../router.ts';
import type { TopicStore } from '../../topics/topic-store.ts';
import type { Row, TopicNode, Value } from '../../topics/topic-tree.ts';

/** Pixels: enough for a thumb. */
const ROW_HEIGHT = 44;

/** A level further in is so many pixels to the right; what is very deep stays in sight. */
const INDENT = 18;
const MOST_INDENT = 8;

/** Characters of a value on its line. */
const MOST_SHOWN = 200;

const NONE: ReadonlyMap<string, number> = new Map();

export interface TopicRowsProps {
  readonly store: TopicStore;
  /** Another one when something in the rows has changed: they are the same objects. */
  readonly version: number;
  readonly rows: readonly Row[];
  /** Whole topics below each other instead of a tree. */
  readonly isFlat: boolean;
  readonly chosen: string | null;
}

/** TopicRows shows them. Arrows move, Right and Left open and close, Enter chooses. */
export function TopicRows({ store, rows, isFlat, chosen }: TopicRowsProps) {
  const [active, setActive] = useState(0);
  const [isMoving, setMoving] = useState(false);
  const at = Math.min(active, rows.length - 1);
  const uncounted = isFlat ? NONE : store.tree.uncounted();
  const choose = (index: number) => {
    setActive(index);
    setMoving(false);
    const row = rows[index];
    if (row?.kind !== 'topic') return;
    if (isFlat) void store.reveal(row.node.topic);
    go('topics', [row.node.topic]);
  };
  const onKey = (event: KeyboardEvent) => {
    const next = keyTarget(event.key, at, rows, (node, isOpen) => openLevel(store, node, isOpen));
    if (next === null && event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    if (next === null) return choose(at);
    setActive(next);
    setMoving(true);
  };
  const seen = (first: number, last: number) => {
    for (const { kind, node } of rows.slice(first, last)) if (kind === 'rest') void store.listMore(node.depth < 0 ? null : node.topic);
    if (isFlat && last >= rows.length) void store.findMore();
  };
  return (
    <VirtualTree
      name={t('topics.title')}
      rows={rows}
      rowHeight={ROW_HEIGHT}
      activeId={rows[at]?.kind === 'topic' ? idOf(at) : null}
      keyOf={(row) => `${row.kind} ${row.node.topic}`}
      onKey={onKey}
      onSeen={seen}
      {...(isMoving ? { follow: at } : {})}
      render={(row, index) =>
        row.kind === 'rest' ? (
          <p class="topic-rest">{t('face.loading')}</p>
        ) : (
          <TopicLine
            row={row}
            count={row.node.retained + (uncounted.get(row.node.topic) ?? 0)}
            id={idOf(index)}
            isFlat={isFlat}
            isActive={index === at}
            isChosen={row.node.topic === chosen}
            choose={() => choose(index)}
            toggle={() => openLevel(store, row.node, !row.isOpen)}
          />
        )
      }
    />
  );
}

interface TopicLineProps {
  readonly row: Extract<Row, { kind: 'topic' }>;
  /** Topics that have a value, here and below. */
  readonly count: number;
  readonly id: string;
  readonly isFlat: boolean;
  readonly isActive: boolean;
  readonly isChosen: boolean;
  readonly choose: () => void;
  readonly toggle: () => void;
}

function TopicLine({ row, count, id, isFlat, isActive, isChosen, choose, toggle }: TopicLineProps) {
  const { node, isOpen } = row;
  const isBranch = node.hasChildren && !isFlat;
  const indent = isFlat ? 0 : Math.min(node.depth, MOST_INDENT) * INDENT;
  const name = isFlat ? node.topic : node.level === '' ? t('topics.emptyLevel') : node.level;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it has the keys
    <div
      id={id}
      class={`topic-line${isActive ? ' active' : ''}${isFlat ? ' flat' : ''}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={isFlat ? 1 : node.depth + 1}
      aria-expanded={isBranch ? isOpen : undefined}
      aria-selected={isChosen}
      style={{ paddingLeft: `${indent}px` }}
      onClick={node.value === null && isBranch ? toggle : choose}
    >
      <span class={`topic-toggle${isOpen ? ' open' : ''}`}>{isBranch && <Toggle toggle={toggle} />}</span>
      <span class={node.level === '' && !isFlat ? 'topic-level none' : 'topic-level'}>{name}</span>
      {node.value !== null && <ValueInLine value={node.value} isKept={node.isKept} />}
      {node.value === null && isBranch && count > 0 && <span class="topic-count">{number(count)}</span>}
    </div>
  );
}

/** The line as a whole chooses, where its topic has a value; this opens and closes. */
function Toggle({ toggle }: { readonly toggle: () => void }) {
  const press = (event: Event) => {
    event.stopPropagation();
    toggle();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the tree around it has the keys
    <span class="topic-toggle-area" onClick={press}>
      <Icon name="chevron" />
    </span>
  );
}

function ValueInLine({ value, isKept }: { readonly value: Value; readonly isKept: boolean }) {
  const { payload, encoding, isWithheld, at } = value;
  const isText = payload !== null && encoding === 'utf8';
  const text = isText ? payload.slice(0, MOST_SHOWN).replaceAll(/\s+/g, ' ') : t(isWithheld ? 'topics.withheld' : 'topics.binary');
  return (
    <>
      <span key={at} class={isText && text !== '' ? 'topic-value' : 'topic-value quiet'}>
        {text === '' ? t('topics.emptyPayload') : text}
      </span>
      {isKept && (
        <span class="topic-retained" title={t('topics.retained')}>
          <Icon name="pin" />
          <span class="unseen">{t('topics.retained')}</span>
        </span>
      )}
    </>
  );
}

function openLevel(store: TopicStore, node: TopicNode, isOpen: boolean): void {
  store.tree.toggle(node.topic, isOpen);
  store.branch = isOpen ? node.topic : null;
  if (isOpen) void store.listMore(node.topic);
  store.changed();
}

/** The row that a key leads to; null = it is none of ours. WAI-ARIA, tree view pattern. */
function keyTarget(key: string, at: number, rows: readonly Row[], open: (node: TopicNode, isOpen: boolean) => void): number | null {
  const row = rows[at];
  switch (key) {
    case 'ArrowDown':
      return Math.min(rows.length - 1, at + 1);
    case 'ArrowUp':
      return Math.max(0, at - 1);
    case 'Home':
      return 0;
    case 'End':
      return rows.length - 1;
    case 'ArrowRight':
      if (row?.kind !== 'topic' || !row.node.hasChildren) return at;
      if (row.isOpen) return Math.min(rows.length - 1, at + 1);
      open(row.node, true);
      return at;
    case 'ArrowLeft':
      if (row?.kind !== 'topic') return at;
      if (!row.isOpen) return parentOf(rows, at);
      open(row.node, false);
      return at;
    default:
      return null;
  }
}

function parentOf(rows: readonly Row[], at: number): number {
  const depth = rows[at]?.node.depth ?? 0;
  for (let index = at - 1; index >= 0; index--) {
    const row = rows[index];
    if (row?.kind === 'topic' && row.node.depth < depth) return index;
  }
  return at;
}

function idOf(index: number): string {
  return `topic-${index}`;
}
