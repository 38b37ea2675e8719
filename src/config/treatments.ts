// What becomes of every line of a configuration, for those who come with one of mosquitto's.

import { type Place, Report } from './diagnostic.ts';
import { type Directive, isHarmless } from './directive.ts';
import { findDirective, findInConnection } from './directives.ts';
import { readStatements, type Texts } from './reader.ts';

/** TreatedLine is one statement. `scope` is 0 in the main file and what it includes, and another number in each file of `include_dir`. */
export interface TreatedLine {
  readonly place: Place;
  readonly name: string;
  readonly text: string;
  readonly scope: number;
  /** The first words of the `listener` or `connection` line that it stands below, for example `listener 8883`; null = none. */
  readonly block: string | null;
  /** 'same meaning': it asks for what happens anyway. */
  readonly outcome: 'taken' | 'same meaning' | 'without effect' | 'refused';
  /** Why, or what to do instead; null when it is taken. */
  readonly reason: string | null;
}

/** isSecret tells whether the value of a word is shown to nobody. */
export function isSecret(name: string): boolean {
  return /(^|_)(password|psk)$/.test(name);
}

/** treatLines reads a configuration file with all that it includes; `texts` stand for what the files hold. Files that cannot be read are missing: loadConfiguration says so. */
export function treatLines(file: string, texts?: Texts): readonly TreatedLine[] {
  const blocks = new Map<number, string>();
  const connections = new Set<number>();
  return readStatements(file, new Report(), new Set(), texts).map(({ place, name, text, scope }) => {
    const inConnection = connections.has(scope) ? findInConnection(name) : null;
    if (name === 'connection') connections.add(scope);
    if (name === 'listener' || name === 'connection') blocks.set(scope, `${name} ${text.split(/[ \t]/, 1)[0] ?? ''}`);
    return { place, name, text, scope, block: blocks.get(scope) ?? null, ...treat(inConnection ?? findDirective(name), text) };
  });
}

function treat(directive: Directive | null, text: string): Pick<TreatedLine, 'outcome' | 'reason'> {
  if (directive === null) return { outcome: 'refused', reason: 'the word is not known' };
  const { treatment } = directive;
  if (treatment.state === 'without effect') return { outcome: 'without effect', reason: treatment.reason };
  if (treatment.state !== 'refused') return { outcome: 'taken', reason: null };
  if (isHarmless(treatment.harmless, text)) return { outcome: 'same meaning', reason: 'it asks for what happens anyway' };
  return { outcome: 'refused', reason: treatment.instead };
}
