// What can happen to three boxes, each of it from its begin to its end.

import { setTimeout as later } from 'node:timers/promises';
import type { Box } from './box.ts';
import type { Switch } from './hosts.ts';

/** SMALL is the box whose disk becomes full, WRONG the one whose clock is wrong. */
export const SMALL = 1;
export const WRONG = 2;
/** The one that is taken off the switch. */
const LONELY = 0;
const PAIRS = [
  [0, 1],
  [1, 2],
  [0, 2],
] as const;
const HOUR = 3600;
/** Milliseconds of a fault that others must notice (after five seconds), and of a short one. */
const LONG = 8000;
const SHORT = 3000;
/** PEACE are the milliseconds between two faults. */
export const PEACE = 2000;

export interface Fault {
  readonly name: string;
  /** happen resolves when it is over: the boxes may not be well yet. */
  happen(): Promise<void>;
}

/** faultsOf has each fault of each box, or pair, once. */
export function faultsOf(boxes: readonly Box[], wires: Switch): Fault[] {
  const [small, wrong, lonely] = [boxes[SMALL]!, boxes[WRONG]!, boxes[LONELY]!]; // there are three
  const clock = (seconds: number) =>
    meanwhile(
      SHORT,
      () => wrong.setClock(seconds),
      () => wrong.setClock(0),
    );
  return [
    ...boxes.map((box) => ({ name: `broker of ${box.id} killed`, happen: () => reborn(box) })),
    ...boxes.map((box) => ({ name: `NATS server of ${box.id} killed`, happen: () => natsReborn(box) })),
    ...PAIRS.map(([one, other]) => ({
      name: `box-${one} and box-${other} parted`,
      happen: () =>
        meanwhile(
          LONG,
          () => wires.cut(one, other),
          () => wires.mend(one, other),
        ),
    })),
    {
      name: `${lonely.id} unplugged`,
      happen: () =>
        meanwhile(
          LONG,
          () => wires.unplug(LONELY),
          () => wires.plug(LONELY),
        ),
    },
    {
      name: `link of ${lonely.id} slow`,
      happen: () =>
        meanwhile(
          LONG,
          () => wires.slow(LONELY),
          () => wires.speedUp(LONELY),
        ),
    },
    { name: `disk of ${small.id} full`, happen: () => fullFor(small) },
    { name: `clock of ${wrong.id} an hour ahead`, happen: () => clock(HOUR) },
    { name: `clock of ${wrong.id} an hour behind`, happen: () => clock(-HOUR) },
    {
      name: `${lonely.id} unplugged, and its broker killed`,
      happen: async () => {
        wires.unplug(LONELY);
        await later(LONG);
        await reborn(lonely);
        wires.plug(LONELY);
      },
    },
  ];
}

/** again has clients whose messages were not acknowledged connect anew and send them again. */
export async function again(box: Box): Promise<void> {
  box.detach();
  await box.attach();
}

async function meanwhile(milliseconds: number, begin: () => void, end: () => void): Promise<void> {
  begin();
  await later(milliseconds);
  end();
}

async function reborn(box: Box): Promise<void> {
  await box.kill();
  await later(SHORT);
  await box.start();
  await box.attach();
}

async function natsReborn(box: Box): Promise<void> {
  await box.killNats();
  await later(SHORT);
  await box.startNats();
}

async function fullFor(box: Box): Promise<void> {
  await meanwhile(
    LONG,
    () => box.fillDisk(),
    () => box.emptyDisk(),
  );
  await later(PEACE);
  await again(box);
}
