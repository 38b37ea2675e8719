// A table, which becomes a list of cards on a phone.

import type { ComponentChildren } from 'preact';

/** Column says what stands in it. */
export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right, below each other. */
  readonly isNumber?: boolean;
  /** The first line of a card on a phone. */
  readonly isHead?: boolean;
  /** Buttons; their column needs no title for the eye. */
  readonly isActions?: boolean;
}

export interface TableProps<T> {
  /** Says what the rows are, for who does not see the page. */
  readonly name: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
}

/** Table shows rows. The roles are said outright: browsers forget them where the style sheet makes cards of a table. */
export function Table<T>({ name, columns, rows, keyOf }: TableProps<T>) {
  return (
    <table class="table" aria-label={name}>
      {/* biome-ignore-start lint/a11y/noRedundantRoles: see above */}
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, isNumber, isActions }) => (
            <th key={title} role="columnheader" scope="col" class={isNumber ? 'number' : undefined}>
              {isActions ? <span class="unseen">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr role="row" key={keyOf(row)}>
            {columns.map((column) => (
              <td key={column.title} role="cell" data-title={column.title} class={classOf(column)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
      {/* biome-ignore-end lint/a11y/noRedundantRoles: see above */}
    </table>
  );
}

function classOf<T>({ isNumber, isHead, isActions }: Column<T>): string | undefined {
  if (isHead) return 'head';
  if (isActions) return 'row-actions';
  return isNumber ? 'number' : undefined;
}
