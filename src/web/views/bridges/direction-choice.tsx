// Where the messages of a bridge go, seen from here.

import { Choice } from '../../components/field.tsx';
import { type Key, t } from '../../i18n.ts';
import type { Direction } from './bridge-block.ts';

/** DIRECTIONS in words. */
export const DIRECTIONS: Readonly<Record<Direction, Key>> = { both: 'bridges.both', out: 'bridges.out', in: 'bridges.in' };

interface DirectionChoiceProps {
  readonly value: Direction;
  readonly choose: (direction: Direction) => void;
}

/** DirectionChoice offers them. */
export function DirectionChoice({ value, choose }: DirectionChoiceProps) {
  return <Choice label={t('bridges.direction')} value={value} choose={choose} options={directionOptions()} />;
}

/** directionOptions gives them with their words. */
export function directionOptions(): readonly (readonly [Direction, string])[] {
  const all = Object.keys(DIRECTIONS) as Direction[]; // its keys
  return all.map((each) => [each, t(DIRECTIONS[each])]);
}
