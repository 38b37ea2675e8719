// Statements -> drafts: each finds its row in the table and the listener it belongs to.

import { OF_DEFAULT_LISTENER } from './default-listener.ts';
import type { Place, Report } from './diagnostic.ts';
import { type Directive, isHarmless, type Store, type Treatment } from './directive.ts';
import { closestDirective, findDirective, findInConnection } from './directives.ts';
import {
  type BridgeDraft,
  createBridgeDraft,
  createGlobalDraft,
  createListenerDraft,
  type GlobalDraft,
  type ListenerDraft,
  type Places,
  type SecurityDraft,
} from './draft.ts';
import type { Statement } from './reader.ts';
import { endpoint, isMistake } from './values.ts';

/** Interpretation is what all files together say. */
export interface Interpretation {
  readonly global: GlobalDraft;
  /** What stands before any `listener`. */
  readonly defaultListener: ListenerDraft;
  /** One draft per `listener` line, in order. */
  readonly listeners: readonly ListenerDraft[];
  /** One draft per `connection` line, in order. */
  readonly bridges: readonly BridgeDraft[];
}

/** interpret stores every statement or reports why it cannot. */
export function interpret(statements: readonly Statement[], report: Report): Interpretation {
  const interpreter = new Interpreter(report);
  for (const statement of statements) interpreter.read(statement);
  return interpreter;
}

/** Words that mosquitto 2.1 brought, and takes only where a listener is opened above them. */
const BELOW_A_LISTENER = new Set([
  'accept_protocol_versions',
  'disable_client_cert_date_checks',
  'enable_proxy_protocol',
  'listener_allow_anonymous',
  'listener_auto_id_prefix',
  'proxy_protocol_v2_require_tls',
]);

/** Scope is where the words of one file, and of those it includes, go. */
interface Scope {
  listener: ListenerDraft;
  /** That of the last `connection`; null = there was none. */
  bridge: BridgeDraft | null;
}

class Interpreter implements Interpretation {
  readonly global = createGlobalDraft();
  readonly defaultListener = createListenerDraft(null);
  readonly listeners: ListenerDraft[] = [];
  readonly bridges: BridgeDraft[] = [];
  readonly #scopes = new Map<number, Scope>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  read(statement: Statement): void {
    const { name, place } = statement;
    const scope = this.#scope(statement.scope);
    const directive = (scope.bridge === null ? null : findInConnection(name)) ?? findDirective(name);
    if (hasEqualsSign(statement)) this.#reportEqualsSign(statement);
    else if (directive === null) this.#reportUnknown(name, place);
    else if (name === 'listener') this.#startListener(statement, scope);
    else if (name === 'connection') this.#startBridge(statement, scope);
    else if (directive.scope === 'bridge' && scope.bridge === null) this.#reportOutsideConnection(name, place);
    else if (statement.text === '' && !directive.mayBeEmpty)
      this.#report.error(place, `Empty ${name} value in configuration`, `write ${name} ${directive.syntax}`);
    else this.#treat(directive, statement, scope);
  }

  #scope(number: number): Scope {
    const scope = this.#scopes.get(number) ?? { listener: this.defaultListener, bridge: null };
    this.#scopes.set(number, scope);
    return scope;
  }

  #startListener({ text, name, place, textPlace }: Statement, scope: Scope): void {
    const draft = createListenerDraft(place);
    scope.listener = draft;
    this.listeners.push(draft);
    const reading = endpoint.read(text, name);
    if (isMistake(reading)) this.#report.error(textPlace, reading.problem, reading.hint);
    else Object.assign(draft.socket, reading.value);
  }

  /** What is below a `connection` with a mistake is still looked at. */
  #startBridge({ text, name, place, textPlace }: Statement, scope: Scope): void {
    const [bridgeName = '', ...more] = text
      .replace(/(^|[ \t])#.*$/, '')
      .trim()
      .split(/[ \t]+/);
    const twin = this.bridges.find((each) => each.name === bridgeName);
    scope.bridge = createBridgeDraft(bridgeName, place);
    this.bridges.push(scope.bridge);
    if (bridgeName === '') this.#report.error(place, `Empty ${name} value in configuration`, 'write a name for the bridge behind it');
    else if (more.length > 0)
      this.#report.error(
        textPlace,
        `Cannot read connection "${bridgeName}": unexpected "${more[0]}" after it`,
        'a name must not contain spaces',
      );
    else if (twin !== undefined)
      this.#report.error(textPlace, `Duplicate bridge name "${bridgeName}"`, `the first is at ${twin.place.file}:${twin.place.line}`);
    else if (/[+#]/.test(bridgeName))
      this.#report.error(textPlace, `Invalid connection name (${bridgeName})`, 'it is a part of a topic: write it without + and #');
  }

  #reportOutsideConnection(name: string, place: Place): void {
    this.#report.error(place, `The '${name}' option requires a bridge to be defined first`, 'put it below a connection line');
  }

  #treat(directive: Directive, statement: Statement, scope: Scope): void {
    const { treatment } = directive;
    const { text, place, name } = statement;
    if (treatment.state === 'without effect') this.#warnOfNoEffect(statement, treatment);
    else if (treatment.state === 'refused') {
      if (!isHarmless(treatment.harmless, text)) this.#report.error(place, `Cannot use ${name}`, treatment.instead);
    } else if (treatment.state === 'supported') {
      if (treatment.scope === 'global') this.#store(directive, treatment.store, this.global, statement);
      else if (treatment.scope === 'bridge')
        this.#store(directive, treatment.store, scope.bridge!, statement); // read() has looked
      else if (treatment.scope === 'security') this.#storeSecurity(directive, treatment.store, scope, statement);
      else if (name === 'mount_point' && this.listeners.length === 0) this.#reportEarlyMountPoint(place);
      else if (BELOW_A_LISTENER.has(name) && !this.#isOpened(scope.listener)) this.#reportEarly(name, place);
      else this.#store(directive, treatment.store, OF_DEFAULT_LISTENER.has(name) ? this.defaultListener : scope.listener, statement);
    }
  }

  #warnOfNoEffect({ name, text, place, textPlace }: Statement, { find, reason }: Extract<Treatment, { state: 'without effect' }>): void {
    const mistake = find(text, name);
    if (mistake === null) this.#report.warning(place, `${name} has no effect`, reason);
    else this.#report.error(textPlace, mistake.problem, mistake.hint);
  }

  /** isOpened: only a line of its own opens the default listener; a word about some other one does not. */
  #isOpened(listener: ListenerDraft): boolean {
    return listener !== this.defaultListener || [...OF_DEFAULT_LISTENER].some((word) => listener.places.has(word));
  }

  #storeSecurity(directive: Directive, store: Store<SecurityDraft>, { listener }: Scope, statement: Statement): void {
    const draft = this.global.perListenerSettings ? listener : this.global;
    if (draft === this.defaultListener && draft.places.size === 0) {
      const sentence = `The '${statement.name}' option requires a listener to be defined first`;
      this.#report.error(statement.place, sentence, 'put it below a listener line, because of per_listener_settings true');
    } else this.#store(directive, (_, text, name) => store(draft.security, text, name), draft, statement);
  }

  #store<Draft extends { places: Places }>(directive: Directive, store: Store<Draft>, draft: Draft, statement: Statement): void {
    const { name, text, place, textPlace } = statement;
    const before = draft.places.get(directive.name);
    if (before !== undefined && directive.repeated === 'refused') {
      this.#report.error(place, `Duplicate ${name} value in configuration`, `the first is at ${before.file}:${before.line}`);
      return;
    }
    if (before !== undefined && directive.repeated === 'last wins') this.#reportRepeated(name, place, before);
    draft.places.set(directive.name, place);
    const mistake = store(draft, text, name);
    if (mistake !== null) this.#report.error(textPlace, mistake.problem, mistake.hint);
  }

  #reportUnknown(name: string, place: Place): void {
    const closest = closestDirective(name);
    this.#report.error(place, `Unknown configuration variable "${name}"`, closest === null ? null : `did you mean "${closest}"?`);
  }

  /** The value is not shown: it may be a password. */
  #reportEqualsSign({ name, place }: Statement): void {
    const [word = ''] = name.split('=', 1);
    this.#report.error(place, `Cannot read ${word}: there is no = between a word and its value`, `write a space instead: ${word} ...`);
  }

  #reportEarly(name: string, place: Place): void {
    this.#report.error(place, `The '${name}' option requires a listener to be defined first`, 'put it below a listener line');
  }

  #reportEarlyMountPoint(place: Place): void {
    const sentence = 'You must use create a listener before using the mount_point option in the configuration file';
    this.#report.error(place, sentence, 'put it below a listener line');
  }

  #reportRepeated(name: string, place: Place, before: Place): void {
    if (name === 'port') {
      this.#report.warning(place, 'Default listener port specified multiple times. Only the latest will be used');
    } else this.#report.warning(place, `Repeated ${name} value in configuration`, `it replaces the one at ${before.file}:${before.line}`);
  }
}

/** hasEqualsSign tells `port=1883` and `port = 1883`, as other programs have it, from words and values. */
function hasEqualsSign({ name, text }: Statement): boolean {
  return /^[a-z_]+=/.test(name) || /^=(\s|$)/.test(text);
}
