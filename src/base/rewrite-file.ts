// Files that a person edits, written by a program: whole or not at all, and as they were but for their text.

import { accessSync, chmodSync, chownSync, constants, realpathSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from './durable-file.ts';
import { OperatorError, reasonOf } from './errors.ts';
import { nameOf } from './system-users.ts';

/** rewriteFile puts a text into a file. Mode and owner stay, and a link stays one; `prepare` gives a new file its rights, which are 0600 before. Throws what the system says. */
export function rewriteFile(path: string, text: string, prepare: (temporary: string) => void): void {
  const old = statSync(path, { throwIfNoEntry: false });
  const target = old === undefined ? path : realpathSync(path);
  replaceFile(target, (temporary) => {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    if (old === undefined) return prepare(temporary);
    keepOwner(temporary, path, old);
    chmodSync(temporary, old.mode & 0o777);
  });
}

/** rewriteFault says why this user could not rewrite a file that is there; null = it could. */
export function rewriteFault(path: string): string | null {
  try {
    const { uid, gid } = statSync(path);
    const folder = dirname(realpathSync(path));
    accessSync(folder, constants.W_OK | constants.X_OK);
    const user = process.geteuid?.() ?? 0;
    const isOurs = user === 0 || uid === user || (uid === 0 && statSync(folder).uid === user); // as keepOwner has it
    if (!isOurs) return `it belongs to ${nameOf(uid)}`;
    const groups = [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])];
    const mayGive = user === 0 || uid !== user || groups.includes(gid) || getsGroupOf(folder, gid);
    return mayGive ? null : `${nameOf(uid)} is not in its group (${gid})`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** inode(7): what is made in a folder with S_ISGID has the group of the folder. */
function getsGroupOf(folder: string, gid: number): boolean {
  const stats = statSync(folder);
  return (stats.mode & 0o2000) !== 0 && stats.gid === gid;
}

/**
 * Another user than root gives no file away: a file that others must read would then be one that they cannot. What root has made in this
 * user's own folder root reads anyway: it becomes the user's, where its group is root's too or the user may give it that group.
 */
function keepOwner(temporary: string, path: string, { uid, gid }: Stats): void {
  const made = statSync(temporary);
  if (made.uid === uid && made.gid === gid) return;
  const isLeftByRoot = uid === 0 && made.uid !== 0 && statSync(dirname(temporary)).uid === made.uid;
  if (isLeftByRoot && (gid === 0 || gid === made.gid)) return;
  try {
    chownSync(temporary, uid, gid);
  } catch (cause) {
    if (made.uid === uid)
      throw new OperatorError(
        `"${path}" has a group (${gid}) that ${nameOf(uid)} may not give to a file - as root: chgrp ${made.gid} ${path}`,
        { cause },
      );
    throw new OperatorError(`"${path}" belongs to ${nameOf(uid)}, and would not any more - change it as that user`, { cause });
  }
}
