// A tree of any length: only the rows that are seen are in the document.

import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows above and below what is seen, so that a flick shows no gap. */
const SPARE = 8;

export interface VirtualTreeProps<T> {
  /** Says what the rows are, for who does not see the page. */
  readonly name: string;
  readonly rows: readonly T[];
  /** Pixels of each row. */
  readonly rowHeight: number;
  /** Id of the row that the keyboard is at; null = none. */
  readonly activeId: string | null;
  readonly keyOf: (row: T) => string;
  /** render makes an element with the role `treeitem`. */
  readonly render: (row: T, index: number) => ComponentChildren;
  readonly onKey: (event: KeyboardEvent) => void;
  /** onSeen is told which rows are in the document. */
  readonly onSeen?: (first: number, last: number) => void;
  /** The row that must be seen when it changes. */
  readonly follow?: number;
}

/** VirtualTree is as high as its place. */
export function VirtualTree<T>(props: VirtualTreeProps<T>) {
  const { name, rows, rowHeight, activeId, keyOf, render, onKey, onSeen, follow = -1 } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const measure = () => {
    const { scrollTop: top = 0, clientHeight: height = 0 } = box.current ?? {};
    setView((old) => (old.top === top && old.height === height ? old : { top, height }));
  };
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (follow >= 0 && box.current !== null) scrollTo(box.current, follow * rowHeight, rowHeight);
    measure();
  }, [follow]);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - SPARE);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + SPARE);
  useEffect(() => onSeen?.(first, last), [first, last, rows]);
  return (
    <div
      ref={box}
      class="virtual-tree"
      role="tree"
      aria-label={name}
      aria-activedescendant={activeId ?? undefined}
      tabIndex={0}
      onScroll={measure}
      onKeyDown={onKey}
    >
      <div role="none" class="virtual-space" style={{ height: `${rows.length * rowHeight}px` }}>
        <div role="none" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows.slice(first, last).map((row, index) => (
            <div role="none" key={keyOf(row)} style={{ height: `${rowHeight}px` }}>
              {render(row, first + index)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function scrollTo(box: HTMLElement, top: number, height: number): void {
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight;
}
