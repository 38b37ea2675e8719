// A taken-over configuration: written anew line by line, with what has no effect or is refused as comments that say why.

import { basename, join } from 'node:path';
import type { TreatedLine } from '../config/config.ts';

/** Lines (`password_file /etc/mosquitto/passwd`) whose file was copied, with the path of the copy. */
export type Moved = ReadonlyMap<string, string>;

/** Words that say where mosquitto keeps its database: ours is in the state folder. */
const OF_DATABASE = ['persistence_location', 'persistence_file'];

/** ConfigurationFile is one file to be written; `name` is relative to the folder of the main one. */
export interface ConfigurationFile {
  readonly name: string;
  readonly text: string;
}

/** writeConfiguration gives the main file `midge.conf`, and one file in `conf.d/` for each file of an include_dir, whose lines start at the default listener. */
export function writeConfiguration(lines: readonly TreatedLine[], source: string, moved: Moved): readonly ConfigurationFile[] {
  const scopes = [...new Set(lines.map((line) => line.scope))].filter((scope) => scope !== 0);
  const main = lines.filter((line) => line.scope === 0);
  const first = lines.findIndex((line) => line.scope !== 0);
  const before = main.filter((line) => first === -1 || lines.indexOf(line) < first);
  const head = `# Taken over from ${source}, where the comments are.\n`;
  const include = scopes.length === 0 ? '' : 'include_dir conf.d\n';
  const files = scopes.map((scope, place) => {
    const own = lines.filter((line) => line.scope === scope);
    const name = `${String(place + 1).padStart(2, '0')}-${basename(own[0]?.place.file ?? 'included.conf')}`;
    return { name: join('conf.d', name), text: textOf(own, moved) };
  });
  return [{ name: 'midge.conf', text: head + textOf(before, moved) + include + textOf(main.slice(before.length), moved) }, ...files];
}

function textOf(lines: readonly TreatedLine[], moved: Moved): string {
  return lines.map((line) => `${lineOf(line, moved)}\n`).join('');
}

function lineOf({ name, text, outcome, reason }: TreatedLine, moved: Moved): string {
  if (OF_DATABASE.includes(name)) return `# ${name} ${text}   (the state folder is where the database is)`;
  if (outcome === 'taken') return `${name} ${moved.get(`${name} ${text}`) ?? text}`.trimEnd();
  return `# ${name} ${text}   (${outcome}: ${reason})`;
}
