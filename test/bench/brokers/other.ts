// Any other broker: a command that listens on the port it is given, on loopback, and lets everybody in.

import { OperatorError } from '../../../src/base/errors.ts';
import { freePort } from '../../support/network/free-ports.ts';
import { startChild, waitForPort } from '../child.ts';
import type { BenchBroker } from './broker.ts';

/** PORT stands in the command for the port to listen on. */
export const PORT = '{port}';

/** otherBroker makes the entry for a broker that a shell command starts. It has plain TCP only: nobody knows how to tell it more. */
export function otherBroker(name: string, command: string): BenchBroker {
  return {
    name,
    missing: 'look at its command',
    version: () => `(${command})`,
    start: async ({ transport, access, persistence, core }) => {
      if (transport !== 'tcp' || access || persistence) throw new OperatorError('not measured: --broker is for plain TCP');
      const port = await freePort();
      const child = await startChild('sh', ['-c', `exec ${command.replaceAll(PORT, String(port))}`], core);
      await waitForPort(port, child, name);
      return { child, port, fsyncs: null };
    },
  };
}
