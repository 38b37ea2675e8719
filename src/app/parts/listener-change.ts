// From the open listeners to those of another configuration: everything is read and opened first, then put in force in one step.
//
//   same socket    new options are prepared          commit: in force for connections from now on
//   new            opened                            undo: closed
//   gone           left alone, unless a new one      commit: closed      undo: opened again
//                  needs its port: then closed

import type { Listener } from '../../listeners/listeners.ts';
import { type ListenerOptions, listenerName } from '../../listeners/options.ts';

export interface ListenerChangeSetup {
  readonly open: readonly Listener[];
  readonly next: readonly ListenerOptions[];
  readonly create: (options: ListenerOptions) => Listener;
  /** start opens a listener; false when it may be left out. */
  readonly start: (listener: Listener) => Promise<boolean>;
}

/** ListenerChange is ready: one of its two steps is to be taken. */
export interface ListenerChange {
  /** commit puts all in force and gives the listeners that are open now. Connections of closed ones live on. */
  commit(): readonly Listener[];
  undo(): Promise<void>;
}

/** prepareListeners throws OperatorError when a file is bad or a port can't be opened; then everything is as it was. */
export async function prepareListeners({ open, next, create, start }: ListenerChangeSetup): Promise<ListenerChange> {
  const kept = pairs(open, next);
  const gone = open.filter((listener) => !kept.has(listener));
  const known = new Set(kept.values());
  const added = next.filter((options) => !known.has(options)).map(create);
  const steps = await Promise.all([...kept].map(([listener, options]) => listener.prepare(options)));
  const inTheWay = gone.filter((listener) => added.some((other) => sharesPort(listener, other)));
  for (const listener of inTheWay) listener.close();
  const opened: Listener[] = [];
  const undo = async (): Promise<void> => {
    for (const listener of opened) await listener.stop();
    for (const listener of inTheWay) await listener.start();
  };
  try {
    for (const listener of added) if (await start(listener)) opened.push(listener);
  } catch (error) {
    await undo();
    throw error;
  }
  return {
    commit() {
      for (const step of steps) step();
      for (const listener of gone) listener.close();
      return [...kept.keys(), ...opened];
    },
    undo,
  };
}

/** Each open listener with its options in the new configuration. Several may have the same socket where the system chose their ports. */
function pairs(open: readonly Listener[], next: readonly ListenerOptions[]): Map<Listener, ListenerOptions> {
  const found = new Map<Listener, ListenerOptions>();
  const left = [...open];
  for (const options of next) {
    const index = left.findIndex((listener) => listenerName(listener.options) === listenerName(options));
    if (index !== -1) for (const listener of left.splice(index, 1)) found.set(listener, options);
  }
  return found;
}

function sharesPort(a: Listener, b: Listener): boolean {
  if (a.options.unixPath !== null || b.options.unixPath !== null) return false; // of the same path they would be the same
  return a.options.port === b.options.port && b.options.port !== 0;
}
