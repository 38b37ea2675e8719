// Whether the program can begin anew as the user that it has become: what root has opened for it is closed then.

import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '../base/errors.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Listener } from '../listeners/listeners.ts';
import type { RestartFault } from '../operations/needs.ts';

export interface RestartFacts {
  readonly configuration: Pick<Configuration, 'process' | 'internet'>;
  readonly listeners: readonly Pick<Listener, 'options' | 'port'>[];
  /** namedFiles gives the files of the configuration, and those that it names. Throws where one cannot be read. */
  readonly namedFiles: () => readonly string[];
  /** Of the program itself. */
  readonly program: readonly string[];
}

/** restartFault gives the first thing that another user than root could not do again; null = there is none. */
export function restartFault({ configuration, listeners, namedFiles, program }: RestartFacts): RestartFault | null {
  const first = firstFreePort();
  const challenge = configuration.internet.acme?.challenge;
  const ports = listeners.flatMap(({ options, port: each }) => (options.unixPath === null ? [each] : []));
  const port = [...ports, ...(challenge?.type === 'http' ? [challenge.port] : [])].find((each) => each < first);
  if (port !== undefined) return { what: `open port ${port}`, reason: `ports below ${first} are for root` };
  const sockets = listeners.flatMap(({ options }) => options.unixPath ?? []);
  const { pidFile } = configuration.process;
  try {
    const read = [...program, ...namedFiles(), ...listeners.flatMap(({ options }) => options.tls?.capath ?? [])];
    const [unreadable] = faults(read, constants.R_OK);
    if (unreadable !== undefined) return { what: `read "${unreadable.path}"`, reason: unreadable.reason };
    const [shut] = faults(
      [...sockets.map(dirname), ...(pidFile === null ? [] : [existsSync(pidFile) ? pidFile : dirname(pidFile)])],
      constants.W_OK,
    );
    return shut === undefined ? null : { what: `write "${shut.path}"`, reason: shut.reason };
  } catch (error) {
    return { what: 'read its configuration', reason: reasonOf(error) };
  }
}

function faults(paths: readonly string[], mode: number): readonly { readonly path: string; readonly reason: string }[] {
  return paths.flatMap((path) => {
    try {
      accessSync(path, mode);
      return [];
    } catch (error) {
      return [{ path, reason: reasonOf(error).replace(/^[A-Z]+: ([^,]+),.*$/, '$1') }]; // without path and call, as they are said
    }
  });
}

/** ip(7), ip_unprivileged_port_start */
function firstFreePort(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return 1024;
  }
}
