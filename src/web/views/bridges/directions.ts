// Where the messages of a bridge go, seen from here.

import type { Key } from '../../i18n.ts';
import type { Direction } from './topic-line.ts';

/** DIRECTIONS in words. */
export const DIRECTIONS: Readonly<Record<Direction, Key>> = { both: 'bridges.both', out: 'bridges.out', in: 'bridges.in' };
