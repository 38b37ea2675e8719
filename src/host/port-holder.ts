// Which program listens on a TCP port, as far as this user may know: the kernel tells everybody the user, and the program only its own user and root.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { nameOf } from '../base/system-users.ts';

/** PortHolder has a port: `program` and `pid` are null where this user may not know. */
export interface PortHolder {
  readonly uid: number;
  readonly program: string | null;
  readonly pid: number | null;
}

/** The state TCP_LISTEN. proc(5) */
const LISTENING = '0A';

/** portHolder gives the first program that listens on a port, or null when nobody does. Never throws. */
export function portHolder(port: number): PortHolder | null {
  const [socket] = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => listeningSockets(path, port));
  if (socket === undefined) return null;
  const pid = processWith(`socket:[${socket.inode}]`);
  return { uid: socket.uid, pid, program: pid === null ? null : read(`/proc/${pid}/comm`).trim() || null };
}

/** describeHolder names the program that has a port, as far as this user may know. */
export function describeHolder(port: number): string {
  const holder = portHolder(port);
  if (holder === null) return 'another program';
  const { program, pid, uid } = holder;
  return program === null ? `a program of user ${nameOf(uid)}` : `${program} (process ${pid})`;
}

/** Lines of proc(5): `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`, numbers in hexadecimal. */
function listeningSockets(path: string, port: number): { readonly uid: number; readonly inode: string }[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(path)
    .split('\n')
    .flatMap((line) => {
      const [, local = '', , state, , , , uid, , inode = ''] = line.trim().split(/\s+/);
      return local.endsWith(end) && state === LISTENING ? [{ uid: Number(uid), inode }] : [];
    });
}

function processWith(link: string): number | null {
  const numbers = names('/proc').filter((name) => /^\d+$/.test(name));
  const found = numbers.find((pid) => names(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === link));
  return found === undefined ? null : Number(found);
}

/** Processes come and go meanwhile, and those of others are closed to us. */
function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
