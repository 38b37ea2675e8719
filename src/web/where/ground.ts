// What is shown of the earth: people by their names, and the way of one.

import type { Place } from './geo.ts';

/** Mark is a place with a name. */
export interface Mark extends Place {
  readonly key: string;
  readonly label: string;
}

/** Ground has what a plot or a map shows; the table behind it has it too. */
export interface Ground {
  /** Says what it shows, for who does not see it. */
  readonly name: string;
  readonly marks: readonly Mark[];
  /** The oldest place first. */
  readonly track: readonly Place[];
}
