// Root in a folder that somebody else owns: what is done there is done as that user, so that a planted link, a hard link or a FIFO
// reaches nothing that this user could not reach without us.
//
// The effective user changes, and changes back, in this process. The real and the saved one stay root's, so that the user can neither send
// us signals nor trace us, which a child process that drops root for good would allow; and files that root has opened before, a backup say,
// go on being written. One thing at a time runs in these commands: nothing else is done as the wrong user meanwhile.

import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { idOf, nameOf } from '../base/system-users.ts';

/** Links on the way to a file that the system follows, path_resolution(7). */
const MAX_LINKS = 40;

/** asOwner does something as the user who can change what `path` leads to; just does it where that is root, or we are not. */
export async function asOwner<T>(path: string, action: () => Promise<T>): Promise<T> {
  const owner = foreignOwner(path);
  if (owner === null) return action();
  const back = become(owner);
  try {
    return await action();
  } catch (error) {
    throw named(error, owner, path);
  } finally {
    back();
  }
}

/** asOwnerNow is asOwner for what does not wait. */
export function asOwnerNow<T>(path: string, action: () => T): T {
  const owner = foreignOwner(path);
  if (owner === null) return action();
  const back = become(owner);
  try {
    return action();
  } catch (error) {
    throw named(error, owner, path);
  } finally {
    back();
  }
}

/** foreignOwner gives the number of the user as whom root must act at a path, or null: it is root's, or we are not root. */
export function foreignOwner(path: string): number | null {
  const owner = process.geteuid?.() === 0 ? ownerOf(path) : 0;
  return owner === 0 ? null : owner;
}

/** The last owner, other than root, of a folder or a link on the way: root's own folder behind another's link is not to be trusted. */
function ownerOf(path: string): number {
  const left = namesIn(resolve(path));
  let [at, owner, links] = ['/', 0, 0];
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    const next = name === '..' ? dirname(at) : join(at, name);
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found === undefined) return owner;
    if (found.uid !== 0) owner = found.uid;
    if (!found.isSymbolicLink()) at = next;
    else {
      links += 1;
      if (links > MAX_LINKS) throw new OperatorError(`Cannot use "${path}": too many links lead there`);
      const target = readlinkSync(next);
      if (target.startsWith('/')) at = '/';
      left.unshift(...namesIn(target));
    }
  }
  return owner;
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** With no groups but the user's own. */
function become(uid: number): () => void {
  const groups = process.getgroups?.() ?? [];
  const gid = idOf(String(uid), '-g') ?? uid;
  process.setgroups?.([gid]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  return () => {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  };
}

/** What the user may not do is mostly what root has left in the folder. No command is proposed: the path may be a planted link. */
function named(error: unknown, uid: number, path: string): unknown {
  if (!isForbidden(error)) return error;
  const who = `root does this as user ${nameOf(uid)}, to whom "${path}" or its folder belongs`;
  return new OperatorError(`${reasonOf(error)} - ${who}: give that user the file that is meant, or remove what should not be there`, {
    cause: error,
  });
}

function isForbidden(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && (error.code === 'EACCES' || error.code === 'EPERM')) || isForbidden(error.cause);
}
