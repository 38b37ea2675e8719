// The door of the engine: makes one, and gives it the handlers of the control packets.

import { Broker } from './engine.ts';
import { dispatch } from './handlers/dispatch.ts';
import type { BrokerOptions } from './options.ts';
import type { BrokerPorts } from './ports.ts';

export type { Broker } from './engine.ts';

/** createBroker makes an engine: no I/O, no timer until `start`. */
export function createBroker(options: BrokerOptions, ports: BrokerPorts): Broker {
  return new Broker(options, ports, dispatch);
}
