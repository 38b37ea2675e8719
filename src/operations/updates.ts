// Newer versions of midge itself: which there is, installing it, and how the last try ended.

import { z } from 'zod';
import { UPDATE_MODES } from '../updates/options.ts';
import { OUTCOMES, type UpdateAttempt } from '../updates/update-record.ts';
import { CANNOT_INSTALL, type UpdatesState } from '../updates/updates.ts';
import { OperationFailure, operation } from './operation.ts';
import { iso, TIME } from './time.ts';

const PROGRESS = z.object({
  step: z.enum(['fetching', 'installing']),
  version: z.string(),
  bytes: z.number().describe('that have come'),
  size: z.number(),
});

const ATTEMPT = z.object({
  at: TIME,
  from: z.string(),
  to: z.string().nullable().describe('null = it ended before that was known'),
  outcome: z
    .enum(OUTCOMES)
    .describe('on trial = a card has it, and keeps it when it has been healthy for five minutes; unchanged = nothing newer was there'),
  reason: z.string().nullable().describe('why the machine has the version that it had'),
});

const UPDATES_STATE = z.object({
  current: z.string().describe('the version that runs'),
  built: TIME.describe('the date of its sources: no security update in it is younger'),
  automatic: z.enum(UPDATE_MODES).describe('automatic_updates'),
  url: z.string().nullable().describe('updates_url; null = nobody has said where releases are'),
  window: z.object({ from: z.string(), to: z.string() }).describe('update_window, as HH:MM'),
  way: z.enum(['service', 'package', 'by hand']).describe('who installs: midge, apt-get, or a person'),
  newest: z
    .object({ version: z.string(), date: TIME, notes: z.string().describe('Markdown'), isNewer: z.boolean() })
    .nullable()
    .describe('when it was looked for last; null = never found'),
  checked: z.object({ at: TIME, fault: z.string().nullable().describe('why nothing was found') }).nullable(),
  nextCheck: TIME.nullable().describe('null = only when somebody asks'),
  progress: PROGRESS.nullable().describe('of the update under way; null = none'),
  last: ATTEMPT.nullable().describe('how the last try ended'),
});

/** KNOWN_UPDATE is a part of the status. */
export const KNOWN_UPDATE = z.object({
  built: TIME.describe('the date of the sources of this version'),
  automatic: z.enum(UPDATE_MODES),
  newer: z.string().nullable().describe('the newer version that was found; null = none is known'),
  checked: TIME.nullable().describe('when it was looked for last; null = never'),
  fault: z.string().nullable().describe('why the last look found nothing'),
  last: ATTEMPT.nullable().describe('how the last update ended'),
});

/** knownUpdate shows it. */
export function knownUpdate(state: UpdatesState, buildDate: number): z.infer<typeof KNOWN_UPDATE> {
  const { built, automatic, newest, checked, last } = shown(state, buildDate);
  return {
    built,
    automatic,
    newer: newest?.isNewer ? newest.version : null,
    checked: checked?.at ?? null,
    fault: checked?.fault ?? null,
    last,
  };
}

/** UPDATES tells what is known, and asks nobody. */
export const UPDATES = operation({
  name: 'updates',
  kind: 'query',
  right: 'viewer',
  summary: 'The version that runs, the newest that is known, and how the last update ended. Nobody outside is asked.',
  input: z.strictObject({}),
  output: UPDATES_STATE,
  run: async ({ updates, program }) => shown((await updates()).state, program.buildDate),
});

/** CHECK_UPDATES looks on the web. */
export const CHECK_UPDATES = operation({
  name: 'check updates',
  kind: 'command',
  right: 'operator',
  summary: 'Look for the newest signed release at updates_url. Nothing is installed.',
  input: z.strictObject({}),
  output: UPDATES_STATE,
  run: async ({ updates, program }) => {
    const known = await updates();
    await known.check();
    return shown(known.state, program.buildDate);
  },
});

/** INSTALL_UPDATE ends with the program where all goes well: who asks looks again when the new one answers. */
export const INSTALL_UPDATE = operation({
  name: 'install update',
  kind: 'command',
  right: 'admin',
  summary:
    'Install the newest signed release from updates_url. The broker starts anew; if the new version is not healthy, the one before comes back by itself, and "updates" tells why.',
  input: z.strictObject({}),
  output: ATTEMPT,
  progress: PROGRESS,
  run: async ({ updates }, _, __, report) => {
    const known = await updates();
    const { way } = known.state;
    if (way !== 'service') throw new OperationFailure('not possible', CANNOT_INSTALL[way]);
    return shownAttempt(await known.install(report));
  },
});

function shown({ options, newest, checked, nextCheck, last, ...rest }: UpdatesState, buildDate: number): z.infer<typeof UPDATES_STATE> {
  const { current, way, progress } = rest;
  return {
    current,
    built: iso(buildDate),
    automatic: options.mode,
    url: options.url,
    window: { from: clockTime(options.window.from), to: clockTime(options.window.to) },
    way,
    newest: newest && { ...newest, date: iso(Date.parse(newest.date)) },
    checked: checked && { at: iso(checked.at), fault: checked.fault },
    nextCheck: nextCheck === null ? null : iso(nextCheck),
    progress,
    last: last && shownAttempt(last),
  };
}

function shownAttempt({ at, from, to, outcome, reason }: UpdateAttempt): z.infer<typeof ATTEMPT> {
  return { at: iso(Date.parse(at)), from, to, outcome, reason };
}

function clockTime(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
