// Rules: what a user may publish and receive, in the ACL file, which a person may edit as well.

import { z } from 'zod';
import { parseAclFile } from '../access/acl-file.ts';
import { addRule, hasRule, removeRule } from '../access/acl-file-edit.ts';
import { usernameFault } from '../access/password-file-edit.ts';
import { isTopicFilter } from '../mqtt/topics.ts';
import { changeInForce, checkRevision, readEdited, revisionOf } from './change-in-force.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, OperationFailure, operation } from './operation.ts';
import { LISTENER_INPUT, listenerOf } from './users.ts';

/** Lines that one request may change. */
const MAX_LINES = 1000;

const RULE = z.strictObject({
  kind: z.enum(['topic', 'pattern']).describe('a pattern is for everybody, with %u and %c for user name and client identifier'),
  access: z.enum(['read', 'write', 'readwrite', 'deny']).describe('read = messages to the client, write = messages from it'),
  filter: z.string().describe('topic filter'),
});

const USER = { username: z.string().nullish().describe('whose rules; none = those for clients without a user name') };

const OUTPUT = z.object({
  file: z.string(),
  revision: z.string().describe('of the text of the file'),
  rules: z.array(z.object({ line: z.number().int(), ...RULE.shape })).describe('of the user, and all patterns'),
});

/** RULES gives those of a user. */
export const RULES = operation({
  name: 'rules',
  kind: 'query',
  right: 'admin',
  summary: 'The rules of a user and the patterns for everybody, with their lines in the ACL file.',
  input: z.strictObject({ ...USER, ...LISTENER_INPUT }),
  output: OUTPUT,
  run: (needs, { username, listener }) => readRules(fileOf(needs, { listener }), username ?? null),
});

const CHANGE = z.strictObject({
  ...USER,
  ...LISTENER_INPUT,
  add: z.array(RULE).max(MAX_LINES).default([]).describe('rules that are there already stay once'),
  remove: z.array(RULE).max(MAX_LINES).default([]),
  revision: z.string().nullish().describe('of the text that the asker has seen; another one is a conflict'),
});

/** CHANGE_RULES changes those of a user, all or none. */
export const CHANGE_RULES = operation({
  name: 'change rules',
  kind: 'command',
  right: 'admin',
  summary: 'Add and remove rules of a user, and patterns, in the ACL file; they count at once, and comments stay.',
  input: CHANGE,
  output: OUTPUT,
  run: changeRules,
});

async function changeRules(needs: OperationNeeds, { username: given, listener, add, remove, revision }: z.infer<typeof CHANGE>) {
  const username = given ?? null;
  const file = fileOf(needs, { listener });
  const fault = username === null ? null : usernameFault(username);
  if (fault !== null) throw badInput('username', fault);
  for (const [index, { filter }] of add.entries()) checkFilter(filter, ['add', index, 'filter']);
  await changeInForce(needs, file, (text) => {
    checkRevision(file, text, revision);
    let changed = text;
    for (const rule of remove) {
      if (!hasRule(changed, username, rule))
        throw new OperationFailure('not found', `Cannot remove "${rule.kind} ${rule.access} ${rule.filter}": there is no such rule`);
      changed = removeRule(changed, username, rule);
    }
    for (const rule of add) changed = addRule(changed, username, rule);
    return changed;
  });
  return readRules(file, username);
}

/** checkFilter throws OperationFailure for what no rule can be for; `path` is its place in the input. */
export function checkFilter(filter: string, path: readonly (string | number)[]): void {
  const refuse = (message: string) => new OperationFailure('bad input', message, { faults: [{ path: [...path], message }] });
  if (!isTopicFilter(filter))
    throw refuse(
      `Cannot add a rule for "${filter}": it is no topic filter - + stands for one whole level, and # for all below, only at the end: home/+/light, home/#`,
    );
  // A line break would begin another rule, and blanks at an end are lost.
  if (/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(filter) || filter !== filter.trim())
    throw refuse(
      `Cannot add a rule for "${filter}": a line of the file cannot hold it - leave out blanks at its ends, and characters that are not shown`,
    );
}

function readRules(file: string, username: string | null) {
  const text = readEdited(file);
  const { users, patterns } = parseAclFile(text, file).acl;
  return { file, revision: revisionOf(text), rules: [...(users.get(username) ?? []), ...patterns].map((rule) => ({ ...rule })) };
}

function fileOf(needs: OperationNeeds, meant: { readonly listener?: string | null | undefined }): string {
  const { aclFile } = needs.access.filesOf(listenerOf(needs, meant));
  if (aclFile !== null) return aclFile;
  throw new OperationFailure('not possible', 'There are no rules: the configuration names no acl_file, so everybody may do everything');
}
