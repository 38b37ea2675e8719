// Before an installation: which of the ports that the configuration opens belong to other programs.

import { describeHolder, portHolder } from '../host/port-holder.ts';
import { serviceState } from '../install/machine.ts';
import { type Machine, PLACES } from '../install/plan.ts';
import { loadAsOwner } from './configuration-file.ts';

/** portsInUse names each such port with its program, ordered by port; none while our own service runs, which has them. */
export function portsInUse(
  { configuration, isActive }: Machine,
  newConfiguration: string,
): readonly { readonly port: number; readonly holder: string }[] {
  if (isActive) return [];
  const own = serviceState().pid;
  const ports = configuration === 'absent' ? portsOfText(newConfiguration) : portsOfFile(PLACES.configuration);
  return [...new Set(ports)]
    .sort((a, b) => a - b)
    .flatMap((port) => {
      const holder = portHolder(port);
      return holder === null || (own !== 0 && holder.pid === own) ? [] : [{ port, holder: describeHolder(port) }];
    });
}

/** Of the configuration that an installation writes, which opens every port on all addresses. */
function portsOfText(text: string): number[] {
  return Array.from(text.matchAll(/^listener (\d+)/gm), ([, port]) => Number(port));
}

/** Where a listener has an address, another program may have the same port on another one. */
function portsOfFile(file: string): number[] {
  const { configuration } = loadAsOwner(file);
  return (configuration?.listeners ?? []).flatMap(({ port, address, bindInterface, unixPath }) =>
    port > 0 && address === null && bindInterface === null && unixPath === null ? [port] : [],
  );
}
