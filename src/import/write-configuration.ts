// A taken-over configuration: written anew line by line, with what has no effect or is refused as comments that say why.

import { basename, join } from 'node:path';
import type { SettingLine } from './needs.ts';

/** Lines (`password_file /etc/mosquitto/passwd`) whose file was copied, with the path of the copy. */
export type Moved = ReadonlyMap<string, string>;

/** Change is what becomes of a line that midge could follow but should not: places and rights that are mosquitto's own. */
export interface Change {
  /** The line in its place; null = none. */
  readonly instead: string | null;
  readonly reason: string;
}

const OF_DATABASE = 'the state folder is where the database is';

/** Words whose value is of no use to another program. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  persistence_location: OF_DATABASE,
  persistence_file: OF_DATABASE,
  pid_file: 'the service manager knows the process, and the service may write only into the state folder',
  user: 'the service has a user of its own',
};

/** Destinations of a log that come to the journal of the service. */
const JOURNAL = ['stderr', 'stdout', 'syslog'];

/** changeOf gives what becomes of a line, of all of its configuration, that is not written as it is; null = it is. */
export function changeOf({ name, text, outcome }: SettingLine, all: readonly SettingLine[]): Change | null {
  if (outcome !== 'taken') return null;
  const reason = LEFT_OUT[name];
  if (reason !== undefined) return { instead: null, reason };
  if (name !== 'log_dest' || !/^file\s/.test(text)) return null;
  const isLogged = all.some((line) => line.name === 'log_dest' && JOURNAL.includes(line.text));
  const place = 'the service may not write there: its log is in the journal, see journalctl -u midge';
  return { instead: isLogged ? null : 'log_dest stderr', reason: place };
}

/** ConfigurationFile is one file to be written; `name` is relative to the folder of the main one. */
export interface ConfigurationFile {
  readonly name: string;
  readonly text: string;
}

/** writeConfiguration gives the main file `midge.conf`, and one file in `conf.d/` for each file of an include_dir, whose lines start at the default listener. */
export function writeConfiguration(lines: readonly SettingLine[], source: string, moved: Moved): readonly ConfigurationFile[] {
  const scopes = [...new Set(lines.map((line) => line.scope))].filter((scope) => scope !== 0);
  const main = lines.filter((line) => line.scope === 0);
  const first = lines.findIndex((line) => line.scope !== 0);
  const before = main.filter((line) => first === -1 || lines.indexOf(line) < first);
  const head = `# Taken over from ${source}, where the comments are.\n`;
  const include = scopes.length === 0 ? '' : 'include_dir conf.d\n';
  const files = scopes.map((scope, place) => {
    const own = lines.filter((line) => line.scope === scope);
    const name = `${String(place + 1).padStart(2, '0')}-${basename(own[0]?.place.file ?? 'included.conf')}`;
    return { name: join('conf.d', name), text: textOf(own, lines, moved) };
  });
  return [
    { name: 'midge.conf', text: head + textOf(before, lines, moved) + include + textOf(main.slice(before.length), lines, moved) },
    ...files,
  ];
}

function textOf(lines: readonly SettingLine[], all: readonly SettingLine[], moved: Moved): string {
  return lines.map((line) => `${lineOf(line, changeOf(line, all), moved)}\n`).join('');
}

function lineOf({ name, text, outcome, reason }: SettingLine, change: Change | null, moved: Moved): string {
  if (change !== null) return `# ${name} ${text}   (${change.reason})${change.instead === null ? '' : `\n${change.instead}`}`;
  if (outcome === 'taken') return `${name} ${moved.get(`${name} ${text}`) ?? text}`.trimEnd();
  return `# ${name} ${text}   (${outcome}: ${reason})`;
}
