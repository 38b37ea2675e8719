// What clients may do, by the rules of an ACL file, with mosquitto's meaning:
//
//   client's own `topic` lines      first deny that matches -> no;  first grant that matches -> yes;  else
//   `pattern` lines, %c %u filled   first deny that matches -> no;  first grant that matches -> yes;  else no
//
// So a `pattern deny` takes nothing back that a `topic` line grants. read = messages to the client, write = from it; SUBSCRIBE is always
// accepted and what arrives is decided message by message. A topic that begins with `$` needs a filter that does.

import type { Requester } from '../broker/ports.ts';
import type { AclFile, AclRule } from './acl-file.ts';
import type { Action, Arriving, AskedClient, ConcernedNames, Decision, ExplainedAuthorizer } from './decision.ts';
import { namesIn, overlaps } from './filter-names.ts';

/** Bits of `AclMatch.access`. */
const READ = 1;
const WRITE = 2;

const ACCESS_BITS = { read: READ, write: WRITE, readwrite: READ | WRITE, deny: READ | WRITE } as const;

/** Verdicts kept per publishing client: about 100 bytes each. One that writes to more topics pays for a look at the rules, half a microsecond. */
const MAX_VERDICTS = 32;

/**
 * Bytes of rules and verdicts that are kept ready: those of some 20,000 clients with a few patterns and topics. Clients invent their names
 * and topics, so beyond it all are made anew, in a microsecond for each client.
 */
const MAX_KEPT_BYTES = 33_554_432;

/** What each takes besides its names. */
const CLIENT_BYTES = 500;
const PATTERN_BYTES = 100;
const VERDICT_BYTES = 100;

/** Characters of a topic name whose verdict is worth keeping. */
const LONG_NAME = 512;

/** AclRequester is who asks for what one file says. */
type AclRequester = Pick<Requester, 'clientId' | 'username'>;

/** A rule that is ready to match: a deny is one for reading and writing. */
interface AclMatch {
  readonly rule: AclRule;
  readonly access: number;
  readonly levels: readonly string[];
}

/** Those of one client, denials first in each list. */
interface ClientRules {
  readonly username: string | null;
  readonly own: readonly AclMatch[];
  readonly patterns: readonly AclMatch[];
  /** A name with `+` or `#` would make its pattern match those of others: such a client gets nothing by patterns. */
  readonly hasSpecialName: boolean;
  /** May it publish, by topic name; null until it asks. */
  verdicts: Map<string, boolean> | null;
  /** Topic name that it was last asked for whether it may receive, and the answer. */
  lastRead: string | null;
  mayReadLast: boolean;
}

/** AclAuthorizer answers the engine. Its verdicts never change: a changed file makes a new one. */
export class AclAuthorizer implements ExplainedAuthorizer {
  readonly file: AclFile;
  readonly #users: ReadonlyMap<string | null, readonly AclMatch[]>;
  /** By client id. */
  readonly #clients = new Map<string, ClientRules>();
  #keptBytes = 0;

  constructor(file: AclFile) {
    this.file = file;
    this.#users = new Map(Array.from(file.users, ([user, rules]) => [user, denialsFirst(rules.map((rule) => matchOf(rule, rule.filter)))]));
  }

  mayPublish(requester: AclRequester, topicName: string): boolean {
    const client = this.#clientOf(requester);
    const known = client.verdicts?.get(topicName);
    if (known !== undefined) return known;
    const verdict = isGrant(decidingRule(client, WRITE, topicName));
    if (topicName.length <= LONG_NAME) this.#keepVerdict(client, topicName, verdict);
    return verdict;
  }

  #keepVerdict(client: ClientRules, topicName: string, verdict: boolean): void {
    client.verdicts ??= new Map();
    if (client.verdicts.size >= MAX_VERDICTS) client.verdicts.clear(); // still counted: all is made anew a little sooner
    client.verdicts.set(topicName, verdict);
    this.#count(VERDICT_BYTES + topicName.length);
  }

  /** mayReceive keeps one verdict: the engine asks when a route is made, and keeps the route; but for shared subscriptions it asks each time. */
  mayReceive(requester: AclRequester, topicName: string): boolean {
    const client = this.#clientOf(requester);
    if (client.lastRead !== topicName) {
      const verdict = isGrant(decidingRule(client, READ, topicName));
      if (topicName.length > LONG_NAME) return verdict;
      client.mayReadLast = verdict;
      client.lastRead = topicName;
    }
    return client.mayReadLast;
  }

  maySubscribe(): boolean {
    return true;
  }

  explain(client: Pick<AskedClient, 'username' | 'clientId'>, action: Action, topic: string): Decision {
    const { path: file } = this.file;
    if (action === 'subscribe') return { allowed: true, reason: 'always accepted', file };
    const rules = this.#rulesOf(client.username, client.clientId);
    const rule = decidingRule(rules, action === 'publish' ? WRITE : READ, topic);
    if (rule !== null) return { allowed: isGrant(rule), reason: 'rule', file, rule };
    return { allowed: false, reason: rules.hasSpecialName ? 'special name' : 'no rule', file };
  }

  arriving(client: Pick<AskedClient, 'username' | 'clientId'>, topicFilter: string): Arriving {
    const { own, patterns } = this.#rulesOf(client.username, client.clientId);
    const levels = topicFilter.split('/');
    const meant = [...own, ...patterns].filter((match) => (match.access & READ) !== 0 && overlaps(match.levels, levels));
    const decisions = meant.map(({ rule }) => ({ allowed: isGrant(rule), reason: 'rule' as const, file: this.file.path, rule }));
    return { decisions, arrives: decisions.some(({ allowed }) => allowed) };
  }

  namesAbout(_listener: string, topicName: string): ConcernedNames {
    const found = this.file.patterns.map((rule) => namesIn(rule.filter, topicName)).filter((names) => names !== null);
    return {
      usernames: [...this.file.users.keys(), ...found.map(({ username }) => username)].filter((name) => name !== null),
      clientIds: found.flatMap(({ clientId }) => clientId ?? []),
      literalFilters: [],
    };
  }

  /** Without a client id the patterns with `%c` are left out. */
  #rulesOf(username: string | null, clientId: string | null): ClientRules {
    const { patterns } = this.file;
    const hasSpecialName = patterns.length > 0 && (/[+#]/.test(username ?? '') || /[+#]/.test(clientId ?? ''));
    return {
      username,
      own: this.#users.get(username) ?? [],
      patterns: hasSpecialName ? [] : denialsFirst(patterns.flatMap((rule) => fillPattern(rule, username, clientId))),
      hasSpecialName,
      verdicts: null,
      lastRead: null,
      mayReadLast: false,
    };
  }

  #clientOf(requester: AclRequester): ClientRules {
    const { clientId, username } = requester;
    const known = this.#clients.get(clientId);
    if (known !== undefined && known.username === username) return known; // the id may come back with another user
    const client = this.#rulesOf(username, clientId);
    const names = clientId.length + (username?.length ?? 0);
    this.#count(CLIENT_BYTES + names + client.patterns.length * (PATTERN_BYTES + names));
    this.#clients.set(clientId, client);
    return client;
  }

  #count(bytes: number): void {
    this.#keptBytes += bytes;
    if (this.#keptBytes <= MAX_KEPT_BYTES) return;
    this.#clients.clear();
    this.#keptBytes = bytes;
  }
}

/** The rule that decides, or null when none matches: then it is a no. */
function decidingRule(client: ClientRules, access: number, topicName: string): AclRule | null {
  const levels = topicName.split('/');
  return firstMatch(client.own, access, levels) ?? firstMatch(client.patterns, access, levels);
}

/** Whether a deciding rule means yes. */
function isGrant(rule: AclRule | null): boolean {
  return rule !== null && rule.access !== 'deny';
}

function firstMatch(rules: readonly AclMatch[], access: number, levels: readonly string[]): AclRule | null {
  for (let index = 0; index < rules.length; index++) {
    const match = rules[index]!; // index < length
    if ((match.access & access) !== 0 && levelsMatch(match.levels, levels)) return match.rule;
  }
  return null;
}

/** levelsMatch is `filterMatches` for a filter and a name that are split already, 4.7. */
function levelsMatch(filter: readonly string[], name: readonly string[]): boolean {
  const first = filter[0];
  if ((first === '+' || first === '#') && name[0]!.startsWith('$')) return false; // [MQTT-4.7.2-1]; a split text has a first part
  for (let level = 0; level < filter.length; level++) {
    const wanted = filter[level];
    if (wanted === '#') return true;
    if (level >= name.length) return false;
    if (wanted !== '+' && wanted !== name[level]) return false;
  }
  return filter.length === name.length;
}

/**
 * Each `%c` and `%u` is replaced once: a name that holds `%u` itself stays as it is. A name is one level, as since mosquitto 2.1: client
 * `jane/x` must not come under `home/jane` by a pattern for `home/%c`. Nor may it make the first level of a broker's own topic out of `%c/#`:
 * anybody may call itself `$SYS`.
 */
function fillPattern(rule: AclRule, username: string | null, clientId: string | null): AclMatch[] {
  if (rule.filter.includes('%u') && !isOneLevel(username)) return [];
  if (rule.filter.includes('%c') && !isOneLevel(clientId)) return [];
  const filter = rule.filter.replaceAll(/%[cu]/g, (mark) => (mark === '%c' ? clientId : username) ?? '');
  return filter.startsWith('$') && !rule.filter.startsWith('$') ? [] : [matchOf(rule, filter)];
}

function isOneLevel(name: string | null): boolean {
  return name !== null && name !== '' && !name.includes('/');
}

function matchOf(rule: AclRule, filter: string): AclMatch {
  return { rule, access: ACCESS_BITS[rule.access], levels: filter.split('/') };
}

function denialsFirst(matches: readonly AclMatch[]): AclMatch[] {
  return [...matches.filter(({ rule }) => rule.access === 'deny'), ...matches.filter(({ rule }) => rule.access !== 'deny')];
}
