// A change in the text of a file that a person edits: written whole, put in force at once, or taken back.

import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { rewriteFile } from '../base/rewrite-file.ts';
import type { NewText, OperationNeeds } from './needs.ts';
import { OperationFailure } from './operation.ts';

/** readEdited gives the text of a file. Throws OperationFailure when it cannot be read. */
export function readEdited(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperationFailure('not possible', `Cannot read "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/** revisionOf names what a text holds, against two who edit it at a time. */
export function revisionOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** revisionOfFile is that of the text of a file; null = there is no file that can be read. */
export function revisionOfFile(path: string | null): string | null {
  try {
    return path === null ? null : revisionOf(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** checkRevision throws OperationFailure when a text is not that which the asker has seen. */
export function checkRevision(path: string, text: string, seen: string | null | undefined): void {
  if (seen == null || seen === revisionOf(text)) return;
  throw new OperationFailure('stale', `Cannot change "${path}": it has changed since - read it again`);
}

/** changeInForce has `edit` make another text of a file, and the broker read it. Throws OperationFailure when it cannot be written, or cannot be put in force: then it is as it was. */
export async function changeInForce(
  { reloads }: Pick<OperationNeeds, 'reloads'>,
  path: string,
  edit: (text: string) => string,
): Promise<void> {
  const before = readEdited(path);
  const after = edit(before);
  if (after === before) return;
  write(path, after);
  const { error, mistakes } = await reloads.reload('command');
  if (error === null) return;
  const reason = [error, ...mistakes].join('\n');
  if (readEdited(path) !== after)
    throw new OperationFailure(
      'conflict',
      `The change of "${path}" is not in force, and somebody else has changed it meanwhile: ${reason}`,
    );
  write(path, before);
  await reloads.reload('command');
  throw new OperationFailure('not possible', `Cannot change "${path}": ${reason}\nIt was taken back.`);
}

/** writeInForce writes several files, and has the broker read them: all of them, or none. Throws what was in the way. */
export async function writeInForce({ reloads }: Pick<OperationNeeds, 'reloads'>, files: readonly NewText[]): Promise<void> {
  const written: NewText[] = [];
  try {
    for (const file of files) {
      written.push(file);
      rewriteFile(file.path, file.after, (temporary) => chmodSync(temporary, file.mode ?? 0o644));
    }
    const { error, mistakes } = await reloads.reload('command');
    if (error !== null) throw new OperatorError([error, ...mistakes].join('\n'));
  } catch (error) {
    for (const { path, before, after } of written.reverse()) {
      if (before === null) rmSync(path, { force: true });
      else if (readEdited(path) === after) rewriteFile(path, before, () => {}); // else somebody has changed it meanwhile
    }
    await reloads.reload('command');
    throw error;
  }
}

function write(path: string, text: string): void {
  try {
    rewriteFile(path, text, () => {});
  } catch (error) {
    throw new OperationFailure('not possible', `Cannot write "${path}": ${reasonOf(error)} - nothing was changed`, { cause: error });
  }
}
