// The rows of mosquitto.conf(5) about the log.

import { resolve } from 'node:path';

import { LOG_TYPES, type LogType } from '../../base/logger.ts';
import type { LogDestination } from '../../logging/options.ts';
import { type Directive, globalDirective } from '../directive.ts';
import { boolean, choice, integer, isMistake, type Reading, text, type ValueKind } from '../values.ts';

const DESTINATIONS = { stdout: 'stdout', stderr: 'stderr', syslog: 'syslog', topic: 'topic', none: 'none' } as const;

const plainDestination = choice(DESTINATIONS, {
  refused: {
    dlt: 'the Diagnostic Log and Trace of cars is not there; use syslog',
    android: 'there is no Android log; use stderr',
  },
});

/** destination is one word, or `file` and a path to the end of the line. */
const destination: ValueKind<LogDestination> = {
  syntax: `${plainDestination.syntax} | file path`,
  repeated: 'refused',
  read: (line, name): Reading<LogDestination> => {
    if (!/^file([ \t]|$)/.test(line)) {
      if (line.startsWith('/')) return { problem: `Invalid ${name} value (${line})`, hint: `write ${name} file ${line}` };
      const reading = plainDestination.read(line, name);
      return isMistake(reading) ? reading : { value: { kind: reading.value } };
    }
    const path = line.slice('file'.length).trim();
    if (path === '') return { problem: 'Empty "log_dest file" value in configuration', hint: 'write log_dest file PATH' };
    return { value: { kind: 'file', path: resolve(path) } };
  },
};

const type = choice({
  ...(Object.fromEntries(LOG_TYPES.map((word) => [word, word])) as Record<LogType, LogType>),
  all: 'all',
  none: 'none',
} as const); // keys are LOG_TYPES

/** LOGGING_DIRECTIVES say what is logged, where and how. */
export const LOGGING_DIRECTIVES: readonly Directive[] = [
  globalDirective(
    'log_dest',
    destination,
    {
      default: 'stderr',
      reloadable: true,
      repeatable: true,
      doc: 'Where log lines go; repeat it for several places; `none` forgets those before it. There can be one file.',
    },
    (draft, value) => {
      const before = draft.log.destinations ?? [];
      if (value.kind === 'file' && before.some(({ kind }) => kind === 'file')) {
        return { problem: 'Duplicate "log_dest file" value', hint: 'there can be one log file' };
      }
      draft.log.destinations = value.kind === 'none' ? [] : [...before, value];
      return undefined;
    },
  ),
  globalDirective(
    'log_facility',
    integer({ min: 0, max: 7, unit: '0-7' }),
    { reloadable: true, doc: 'Facility local0 to local7 of syslog; without it daemon.' },
    (draft, value) => {
      draft.log.facility = value;
    },
  ),
  globalDirective(
    'log_timestamp',
    boolean,
    { default: 'true', reloadable: true, doc: 'Starts each log line with the time.' },
    (draft, value) => {
      draft.log.timestamp = value;
    },
  ),
  globalDirective(
    'log_timestamp_format',
    text('format'),
    { reloadable: true, doc: 'Format of that time as strftime(3) has it; without it seconds since 1970.' },
    (draft, value) => {
      draft.log.timestampFormat = value;
    },
  ),
  globalDirective(
    'log_type',
    type,
    {
      reloadable: true,
      repeatable: true,
      doc: 'Which lines are logged; repeat it for several types; `none` forgets those before it. Without it error, warning, notice and information.',
    },
    (draft, value) => {
      if (value === 'none') draft.log.types = [];
      else if (value === 'all') draft.log.types = [...LOG_TYPES];
      else draft.log.types = [...new Set([...(draft.log.types ?? []), value])];
    },
  ),
  globalDirective(
    'connection_messages',
    boolean,
    { default: 'true', reloadable: true, doc: 'Logs clients that come and go.' },
    (draft, value) => {
      draft.broker.connectionMessages = value;
    },
  ),
];
