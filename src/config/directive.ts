// The shape of a row in the table of directives, and the few ways to write one.

import type { BridgeDraft, GlobalDraft, ListenerDraft, SecurityDraft } from './draft.ts';
import { isMistake, type Mistake, type ValueKind } from './values.ts';

/** Scope is where a directive belongs; it is also the section of the reference that shows it. */
export type Scope = 'global' | 'listener' | 'bridge' | 'plugin';

/**
 * Treatment is what becomes of a directive: `supported` ones are stored into a draft, `without effect` gets a warning with the reason (or
 * the mistake that `find` finds),
 * `refused` an error with what to do instead - except where the value is in `harmless` (`*END` = ends like this), which asks for what
 * happens anyway.
 * `structure` are the words that shape the file itself (`listener`, `connection`, `include`); the interpreter and the reader handle them by name.
 */
export type Treatment =
  | { readonly state: 'supported'; readonly scope: 'global'; readonly store: Store<GlobalDraft> }
  | { readonly state: 'supported'; readonly scope: 'listener'; readonly store: Store<ListenerDraft> }
  | { readonly state: 'supported'; readonly scope: 'security'; readonly store: Store<SecurityDraft> }
  | { readonly state: 'supported'; readonly scope: 'bridge'; readonly store: Store<BridgeDraft> }
  | { readonly state: 'structure' }
  | { readonly state: 'without effect'; readonly reason: string; readonly find: (text: string, name: string) => Mistake | null }
  | { readonly state: 'refused'; readonly instead: string; readonly harmless: readonly string[] };

/** isHarmless tells whether a value of a refused directive asks for what happens anyway. */
export function isHarmless(harmless: readonly string[], text: string): boolean {
  return harmless.some((value) => (value.startsWith('*') ? text.endsWith(value.slice(1)) : text === value));
}

/** Store reads a directive's text into a draft, or gives the mistake in it. */
export type Store<Draft> = (draft: Draft, text: string, name: string) => Mistake | null;

/** Directive is one row: a word of the configuration language. */
export interface Directive {
  /** Name; one that ends in `*` stands for every word that starts like it. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly scope: Scope;
  /** True for the words that mosquitto does not have, or gives another meaning. */
  readonly own: boolean;
  readonly syntax: string;
  /** Default as one would write it, or null when there is none. */
  readonly default: string | null;
  /** True when SIGHUP makes a changed value effective. */
  readonly reloadable: boolean;
  readonly repeated: 'allowed' | 'refused' | 'last wins';
  /** Nothing behind the name is a value too. */
  readonly mayBeEmpty: boolean;
  /** One sentence for the reference. */
  readonly doc: string;
  readonly treatment: Treatment;
}

/** Row is what every kind of directive may say besides its name and meaning. */
interface Row {
  readonly doc: string;
  readonly default?: string;
  readonly aliases?: readonly string[];
  readonly reloadable?: boolean;
  readonly repeatable?: boolean;
  readonly own?: boolean;
}

/** Put stores a value into a draft; it may refuse one that does not go with what is there. */
type Put<Draft, T> = (draft: Draft, value: T) => Mistake | undefined;

/** globalDirective is a supported word for the whole program. */
export function globalDirective<T>(name: string, kind: ValueKind<T>, row: Row, put: Put<GlobalDraft, T>): Directive {
  return directive(name, 'global', kind, row, { state: 'supported', scope: 'global', store: storeWith(kind, put) });
}

/** listenerDirective is a supported word for one listener. */
export function listenerDirective<T>(name: string, kind: ValueKind<T>, row: Row, put: Put<ListenerDraft, T>): Directive {
  return directive(
    name,
    'listener',
    kind,
    { reloadable: true, ...row },
    { state: 'supported', scope: 'listener', store: storeWith(kind, put) },
  );
}

/** securityDirective is a supported word for the whole program, or for one listener with `per_listener_settings true`. */
export function securityDirective<T>(name: string, kind: ValueKind<T>, row: Row, put: Put<SecurityDraft, T>): Directive {
  return directive(
    name,
    'global',
    kind,
    { reloadable: true, ...row },
    { state: 'supported', scope: 'security', store: storeWith(kind, put) },
  );
}

/** bridgeDirective is a supported word of a `connection` block. */
export function bridgeDirective<T>(name: string, kind: ValueKind<T>, row: Row, put: Put<BridgeDraft, T>): Directive {
  return directive(
    name,
    'bridge',
    kind,
    { reloadable: true, ...row },
    { state: 'supported', scope: 'bridge', store: storeWith(kind, put) },
  );
}

/** structureDirective is a word that shapes the file. */
export function structureDirective(name: string, scope: Scope, syntax: string, row: Row): Directive {
  return directive(name, scope, { syntax, repeated: 'last wins' }, { ...row, repeatable: true }, { state: 'structure' });
}

/** withoutEffect is a word that only tunes how mosquitto works inside: it is accepted, with a warning that gives the reason, unless its value is wrong. */
export function withoutEffect(name: string, scope: Scope, kind: ValueKind<unknown>, reason: string, row: Row): Directive {
  const find = (text: string, given: string) => {
    const reading = kind.read(text, given);
    return isMistake(reading) ? reading : null;
  };
  return directive(name, scope, { ...kind, repeated: 'last wins' }, row, { state: 'without effect', reason, find });
}

/** refused is a word that would be dangerous to ignore: an error that says what to do instead. */
export function refused(
  name: string,
  scope: Scope,
  syntax: string,
  instead: string,
  row: Row & { harmless?: readonly string[] },
): Directive {
  return directive(name, scope, { syntax, repeated: 'last wins' }, row, { state: 'refused', instead, harmless: row.harmless ?? [] });
}

function directive(
  name: string,
  scope: Scope,
  kind: Pick<ValueKind<unknown>, 'syntax' | 'repeated' | 'mayBeEmpty'>,
  row: Row,
  treatment: Treatment,
): Directive {
  return {
    name,
    aliases: row.aliases ?? [],
    scope,
    own: row.own ?? false,
    syntax: kind.syntax,
    default: row.default ?? null,
    reloadable: row.reloadable ?? false,
    repeated: row.repeatable ? 'allowed' : kind.repeated,
    mayBeEmpty: kind.mayBeEmpty ?? false,
    doc: row.doc,
    treatment,
  };
}

function storeWith<Draft, T>(kind: ValueKind<T>, put: Put<Draft, T>): Store<Draft> {
  return (draft, text, name) => {
    const reading = kind.read(text, name);
    if (isMistake(reading)) return reading;
    return put(draft, reading.value) ?? null;
  };
}
