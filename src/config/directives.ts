// The one table of configuration words: mosquitto 2.1's and our own. A new word is one row in its section's file.

import { closestWord } from '../base/closest-word.ts';
import type { Directive } from './directive.ts';
import { BRIDGE_DIRECTIVES } from './directives/bridge.ts';
import { BRIDGE_TLS_DIRECTIVES } from './directives/bridge-tls.ts';
import { CLUSTER_DIRECTIVES } from './directives/cluster.ts';
import { GLOBAL_DIRECTIVES } from './directives/global.ts';
import { INTERNET_DIRECTIVES } from './directives/internet.ts';
import { LISTENER_DIRECTIVES } from './directives/listener.ts';
import { LOGGING_DIRECTIVES } from './directives/logging.ts';
import { OWN_DIRECTIVES } from './directives/own.ts';
import { PLUGIN_DIRECTIVES } from './directives/plugin.ts';
import { TLS_DIRECTIVES } from './directives/tls.ts';
import { UPDATE_DIRECTIVES } from './directives/updates.ts';

/** Section is a group of rows as the reference shows them. */
export interface Section {
  readonly title: string;
  readonly directives: readonly Directive[];
}

/** SECTIONS hold every directive exactly once. */
export const SECTIONS: readonly Section[] = [
  { title: 'Settings that only midge has', directives: OWN_DIRECTIVES },
  { title: 'Certificates and names on the Internet', directives: INTERNET_DIRECTIVES },
  { title: 'Updates of midge', directives: UPDATE_DIRECTIVES },
  { title: 'Several brokers as one', directives: CLUSTER_DIRECTIVES },
  { title: 'Whole program', directives: GLOBAL_DIRECTIVES },
  { title: 'Log', directives: LOGGING_DIRECTIVES },
  { title: 'Listeners', directives: LISTENER_DIRECTIVES },
  { title: 'TLS of a listener', directives: TLS_DIRECTIVES },
  { title: 'Plugins', directives: PLUGIN_DIRECTIVES },
  { title: 'Bridges', directives: BRIDGE_DIRECTIVES },
  { title: 'TLS of a bridge', directives: BRIDGE_TLS_DIRECTIVES },
];

/** DIRECTIVES are all rows. */
export const DIRECTIVES: readonly Directive[] = SECTIONS.flatMap((section) => section.directives);

const BY_WORD = new Map(
  DIRECTIVES.flatMap((directive) => [directive.name, ...directive.aliases].map((word) => [word, directive] as const)),
);
const PREFIXES = [...BY_WORD.keys()].filter((word) => word.endsWith('*')).map((word) => word.slice(0, -1));

/** findDirective gives the row of a word, by its name, an alias or its start (`plugin_opt_...`); null when there is none. */
export function findDirective(word: string): Directive | null {
  const prefix = PREFIXES.find((start) => word.startsWith(start));
  return BY_WORD.get(word) ?? BY_WORD.get(`${prefix}*`) ?? null;
}

/** The old names of `remote_username` and `remote_password`, which outside a `connection` block are words of our own. */
const BRIDGE_CREDENTIALS: ReadonlyMap<string, string> = new Map([
  ['username', 'remote_username'],
  ['password', 'remote_password'],
]);

/** findInConnection gives the row of a word that below a `connection` is a part of it; null when it is none of a bridge, and for `connection`. */
export function findInConnection(word: string): Directive | null {
  const directive = findDirective(BRIDGE_CREDENTIALS.get(word) ?? word);
  return directive?.scope === 'bridge' && directive.name !== 'connection' ? directive : null;
}

/** closestDirective gives the word that a mistyped one most likely stood for, or null. */
export function closestDirective(word: string): string | null {
  return closestWord(word, BY_WORD.keys());
}
