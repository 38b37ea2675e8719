// The settings that a program or a page can offer: those words of the table that stand alone on a line and take effect here.

import { OF_DEFAULT_LISTENER } from './default-listener.ts';
import { SECTIONS } from './directives.ts';
import { isSecret } from './treatments.ts';

/** KnownSetting is one of them. */
export interface KnownSetting {
  /** As in the reference. */
  readonly section: string;
  readonly name: string;
  /** 'listener': one may stand below each `listener` line; 'default listener': only for the one that no such line begins. */
  readonly scope: 'global' | 'listener' | 'default listener';
  /** For example `true | false`, or `number`. */
  readonly syntax: string;
  /** As one would write it; null = there is none. */
  readonly default: string | null;
  /** A sentence or two, with words of the language in backquotes. */
  readonly meaning: string;
  /** mosquitto does not know the word, or gives it another meaning. */
  readonly isOwn: boolean;
  /** False = a change takes effect at the next start. */
  readonly isReloadable: boolean;
  /** It may be said several times, and all count. */
  readonly isList: boolean;
  readonly isSecret: boolean;
}

/** knownSettings gives them in the order of the reference. */
export function knownSettings(): readonly KnownSetting[] {
  return SECTIONS.flatMap(({ title, directives }) =>
    directives.flatMap(({ name, scope, syntax, default: value, doc, own, reloadable, repeated, treatment }) => {
      if (treatment.state !== 'supported' || (scope !== 'global' && scope !== 'listener') || name.endsWith('*')) return [];
      const kind = { isOwn: own, isReloadable: reloadable, isList: repeated === 'allowed', isSecret: isSecret(name) };
      const place = OF_DEFAULT_LISTENER.has(name) ? 'default listener' : scope;
      return [{ section: title, name, scope: place, syntax, default: value, meaning: doc, ...kind }];
    }),
  );
}
