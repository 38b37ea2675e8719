// Real-time signals, which `process.on` does not know: mosquitto 2.1 opens its log files again at SIGRTMIN, and log rotation sends it.
//
// Node listens to a signal by an object of its own. The object of another signal gives its class away to an asynchronous hook, and the
// class takes any number. Where a future Node has it no more, the signal ends the process as it always did.

import { createHook } from 'node:async_hooks';

/** SIGRTMIN of glibc, signal(7): the two numbers before it are its own. */
export const SIGRTMIN = 34;

interface SignalHandle {
  onsignal: () => void;
  start(number: number): number;
  unref(): void;
}

/** onRealTimeSignal calls `listener` at each signal of that number; gives false where this Node cannot. */
export function onRealTimeSignal(number: number, listener: () => void): boolean {
  const Handle = signalHandle();
  if (Handle === null) return false;
  const handle = new Handle();
  handle.unref();
  handle.onsignal = listener;
  return handle.start(number) === 0;
}

function signalHandle(): (new () => SignalHandle) | null {
  let found: (new () => SignalHandle) | null = null;
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (type === 'SIGNALWRAP') found = resource.constructor as new () => SignalHandle; // what Node calls it inside
    },
  }).enable();
  const ignore = () => {};
  process.on('SIGWINCH', ignore).off('SIGWINCH', ignore); // its default is to be ignored
  hook.disable();
  return found;
}
