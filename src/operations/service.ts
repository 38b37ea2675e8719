// The five settings of a small broker, as openHAB's have them, in the configuration file.

import { z } from 'zod';
import { checkRevision, readEdited, revisionOf } from './change-in-force.ts';
import { applyText, mainFile } from './configuration.ts';
import type { OperationNeeds } from './needs.ts';
import { operation } from './operation.ts';
import { iso, TIME } from './time.ts';

const NAMES = ['port', 'username', 'password', 'secure', 'persistence_file'] as const;

const SET = z.enum(['set', 'default']);

const SERVICE = z.object({
  port: z.number().int().nullable().describe('null = the default'),
  username: z.string().nullable(),
  password: SET.describe('whether there is one; it is not told'),
  secure: z.boolean().nullable().describe('TLS with the certificate of the broker'),
  persistence_file: z.string().nullable(),
  revision: z.string().describe('of the text of the configuration file'),
});

/** SERVICE_SETTINGS gives them. */
export const SERVICE_SETTINGS = operation({
  name: 'service',
  kind: 'query',
  right: 'viewer',
  summary: 'The five settings of a small broker, as the configuration file has them.',
  input: z.strictObject({}),
  output: SERVICE,
  run: readService,
});

const CHANGE = z.strictObject({
  port: z.number().int().min(1).max(65_535).nullish(),
  username: z.string().min(1).nullish(),
  password: z.string().min(1).nullish(),
  secure: z.boolean().nullish(),
  persistence_file: z.string().min(1).nullish(),
  revision: z.string().nullish().describe('of the text that the asker has seen; another one is a conflict'),
});

/** CHANGE_SERVICE changes some of them. */
export const CHANGE_SERVICE = operation({
  name: 'change service',
  kind: 'command',
  right: 'admin',
  summary:
    'Change some of the five settings (null = the default); the change is taken back unless it is confirmed, as with "apply configuration".',
  input: CHANGE,
  output: z.object({
    confirm: z.string().nullable().describe('for "confirm configuration"; null = nothing had to be changed'),
    until: TIME.nullable().describe('when it is taken back'),
    later: z.array(z.string()).describe('words whose change takes effect at the next start'),
  }),
  run: changeService,
});

function readService(needs: OperationNeeds) {
  const file = mainFile(needs);
  const said = (name: (typeof NAMES)[number]) => needs.files.valueOf(file, name);
  const [port, secure] = [said('port'), said('secure')];
  return {
    port: port === null ? null : Number(port),
    username: said('username'),
    password: said('password') === null ? ('default' as const) : ('set' as const),
    secure: secure === null ? null : /^true$/i.test(secure),
    persistence_file: said('persistence_file'),
    revision: revisionOf(readEdited(file)),
  };
}

async function changeService(needs: OperationNeeds, { revision, ...wanted }: z.infer<typeof CHANGE>) {
  const file = mainFile(needs);
  const before = readEdited(file);
  checkRevision(file, before, revision);
  let text = before;
  for (const name of NAMES) {
    const value = wanted[name];
    if (value !== undefined)
      text = needs.files.withChange(file, text, { name, values: value === null ? [] : [String(value)], listener: null });
  }
  if (text === before) return { confirm: null, until: null, later: [] };
  const { confirm, until, later } = await applyText(needs, text, revisionOf(before));
  return { confirm, until: iso(until), later };
}
