// What the operations need of the others. app/ hands it over.

import type { AclAuthorizer } from '../access/acl.ts';
import type { ExplainedAuthorizer } from '../access/decision.ts';
import type { SecurityModel } from '../access/dynamic-security/model.ts';
import type { LoginThrottle } from '../access/login-throttle.ts';
import type { AccessFiles } from '../access/options.ts';
import type { LogLine } from '../base/logger.ts';
import type { InvitationBook } from '../bridges/invitation-book.ts';
import type { BridgeTopic } from '../bridges/options.ts';
import type { BridgeState } from '../bridges/state.ts';
import type { TrialStep } from '../bridges/trial.ts';
import type { Broker } from '../broker/broker.ts';
import type { Certificates } from '../certificates/certificates.ts';
import type { ClusterState } from '../cluster/state.ts';
import type { MachineModel } from '../host/host.ts';
import type { MachineHealth } from '../host/machine-health.ts';
import type { Internet } from '../internet/internet.ts';
import type { WayInStep } from '../internet/way-in.ts';
import type { PhoneBook } from '../phones/phone-book.ts';
import type { Whereabouts } from '../phones/whereabouts.ts';
import type { RefusalMemory } from '../refusals/refusal-memory.ts';
import type { StateNeeds } from '../state/needs.ts';
import type { Store } from '../store/store.ts';
import type { History } from '../telemetry/history/history.ts';
import type { Updates } from '../updates/updates.ts';
import type { TimedChange } from './change.ts';
import type { Right } from './right.ts';

/** Traffic is what clients did, without the broker's test of itself and the numbers of its $SYS tree. Counts since the start, rates per second over the last minute. */
export interface Traffic {
  readonly received: number;
  readonly sent: number;
  readonly receivedPerSecond: number;
  readonly sentPerSecond: number;
  readonly retained: number;
  readonly subscriptions: number;
  readonly connectedClients: number;
  readonly clientsAway: number;
  readonly connections: number;
  /** isTester tells whether a client is the broker's test of itself. */
  isTester(clientId: string): boolean;
}

/** OpenListener is a listener that clients can use now. */
export interface OpenListener {
  /** As in ListenerPolicy. */
  readonly name: string;
  readonly protocol: 'mqtt' | 'websockets' | 'http' | 'http_api';
  readonly tls: boolean;
  /** Whose certificate it shows: that of our authority, or one of files; null = it has no TLS, or pre-shared keys. */
  readonly certificate: 'ours' | 'of files' | null;
  /** Clients must have a certificate as well. */
  readonly wantsCertificate: boolean;
  /** They are those that our authority issues. */
  readonly takesOurCertificates: boolean;
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly addresses: readonly string[];
  readonly connections: number;
}

/** RELOAD_CAUSES are what asks for a reload: SIGHUP, `reload_on_change`, a request of a program. */
export const RELOAD_CAUSES = ['signal', 'change', 'command'] as const;
export type ReloadCause = (typeof RELOAD_CAUSES)[number];

export interface LastReload {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by: ReloadCause;
  /** Why nothing was changed; null = it is in force. */
  readonly error: string | null;
  /** The mistakes in the files, one sentence with its place each. */
  readonly mistakes: readonly string[];
  /** Words whose change takes effect at the next start. */
  readonly later: readonly string[];
}

/** InForce is the configuration that the broker runs with. */
export interface InForce {
  /** Main file as it was given, or null. */
  readonly file: string | null;
  /** All files that a reload would read. */
  readonly filesRead: readonly string[];
  /** One line per port: who may connect from where. */
  readonly access: readonly string[];
  /** Seconds; 0 = nothing is sampled. */
  readonly sysInterval: number;
}

/** BrokerParts are those of the engine that operations look at or change. */
type BrokerParts =
  | 'accept'
  | 'accountOf'
  | 'budget'
  | 'clock'
  | 'counters'
  | 'journal'
  | 'mayPublish'
  | 'mayReceive'
  | 'mayStillPublish'
  | 'options'
  | 'retained'
  | 'sessions'
  | 'topics';

/** Trial is a change of the configuration that waits to be confirmed, one at a time: see configuration-trial.ts. */
export interface Trial {
  readonly waiting: { readonly token: string; readonly until: number } | null;
  /** apply writes a text and puts it in force. Throws OperationFailure, and all is as it was. */
  apply(file: string, text: string, reload: () => Promise<LastReload>): Promise<TriedChange>;
  confirm(token: string): void;
  /** takeBack puts the old text in force again; false = no change waits. */
  takeBack(): Promise<boolean>;
}

export interface TriedChange {
  readonly confirm: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Words whose change takes effect at the next start. */
  readonly later: readonly string[];
}

/** BridgeInvitation is what another box needs to connect a bridge to this one. `authority` is PEM, or 'public' for those that every machine trusts. */
export interface BridgeInvitation {
  readonly name: string;
  readonly password: string;
  readonly address: string;
  readonly authority: string | 'public';
  readonly topics: readonly BridgeTopic[];
  readonly from: string;
}

/** ListenerCertificate is that of a listener, PEM, and the file that it is in. */
export interface ListenerCertificate {
  readonly pem: string;
  readonly file: string;
}

/** ReadInvitation is one that has come from another box, and was looked at. */
export interface ReadInvitation {
  readonly name: string;
  /** The box that invites, as it calls itself; null = it does not say. */
  readonly from: string | null;
  readonly lines: readonly string[];
  readonly authority: string | null;
  readonly addresses: string;
  /** Nothing goes to one of them without TLS. */
  readonly tls: boolean;
  readonly topics: readonly BridgeTopic[];
}

/** NewText is what a file is to hold; before = null: it is not there yet, and then `mode` are its rights. */
export interface NewText {
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
  readonly mode?: number;
}

/** RoleKeeper knows the role of each account that has one. `set` throws OperatorError when it cannot be written. */
export interface RoleKeeper {
  readonly all: ReadonlyMap<string, Right>;
  set(username: string, role: Right | null): void;
}

/** NewToken is a Bearer token to be made. */
export interface NewToken {
  readonly name: string;
  readonly right: Right;
  /** Until it ends; null = it does not. */
  readonly days: number | null;
  /** Who makes it; null = a program of this machine. */
  readonly account: string | null;
}

/** MadeToken is one without its secret; times are in milliseconds since 1970, and `ends` null = never. */
export interface MadeToken {
  readonly name: string;
  readonly right: Right;
  readonly created: number;
  readonly ends: number | null;
  readonly account: string | null;
}

/** TokenKeeper has the Bearer tokens. It throws what can be shown to the asker. */
export interface TokenKeeper {
  list(): readonly MadeToken[];
  /** add gives the secret, too. */
  add(token: NewToken): MadeToken & { readonly token: string };
  /** remove is false where there is none of this name. */
  remove(name: string): boolean;
}

/** SettingChange: no values = the word goes. `listener` is the port (or path) of the listener that it is for; null = the whole program, or the default listener. */
export interface SettingChange {
  readonly name: string;
  readonly values: readonly string[];
  readonly listener: string | null;
}

/** KnownSetting is a word of the configuration that can be set by itself. */
export interface KnownSetting {
  readonly section: string;
  readonly name: string;
  readonly scope: 'global' | 'listener' | 'default listener';
  readonly syntax: string;
  readonly default: string | null;
  readonly meaning: string;
  readonly isOwn: boolean;
  readonly isReloadable: boolean;
  readonly isList: boolean;
  readonly isSecret: boolean;
}

/** SaidSetting is a statement of the configuration. */
export interface SaidSetting {
  readonly name: string;
  /** Null = a secret. */
  readonly value: string | null;
  /** The line that it stands below, such as `listener 8883`; null = none. */
  readonly block: string | null;
  readonly file: string;
  readonly line: number;
}

/** RestartFault is what the program could not do again, for example "open port 443", and why. */
export interface RestartFault {
  readonly what: string;
  readonly reason: string;
}

/** Restart begins the program anew, as the user that it is by now. */
export interface Restart {
  /** fault says what it could not do again where it has given up root; null = nothing. */
  fault(): Promise<RestartFault | null>;
  /** begin stops it in a moment: who has asked is answered first. */
  begin(): void;
}

/** BroughtBackup is one backup at a time that waits for somebody to say yes: see prepared-restore.ts. It throws OperationFailure. */
export interface BroughtBackup {
  /** Where it lies. */
  readonly path: string;
  /** obstacle says why no backup can be restored over this door, before one is brought; null = one can. */
  obstacle(): Promise<Error | null>;
  /** take writes what comes, has it looked at, and gives the id by which it is confirmed. What fails leaves nothing. */
  take<T>(content: AsyncIterable<Uint8Array>, wish: TakeWish<T>): Promise<{ readonly id: string; readonly plan: T }>;
  /** confirm has the program begin anew with it. */
  confirm(id: string): void;
  discard(id: string): Promise<void>;
}

export interface TakeWish<T> {
  readonly withConfiguration: boolean;
  look(): Promise<T>;
  /** Is told how many bytes have come. */
  report(received: number): void;
}

/** Phones are those that were set up here, and what is known about them while the broker runs. */
export interface Phones {
  readonly book: PhoneBook;
  /** Where its page was asked for last, and when it signed in last, in milliseconds since 1970; null = not since the start. */
  seen(account: string): { readonly address: string | null; readonly signedIn: number | null };
}

/** Locations are those of phones: the latest of each, and what is kept of the past. */
export interface Locations {
  readonly live: Pick<Whereabouts, 'drop' | 'find' | 'forget' | 'list' | 'onChange'>;
  /** Null = nothing outlives the process. */
  readonly log: Store['locations'] | null;
  /** As the configuration has it: see LocationHistoryOptions. */
  readonly keep: 'phones' | 'all' | 'none';
  readonly days: number;
  /** isKept tells whether what a phone tells from now on is kept. */
  isKept(topic: string): boolean;
}

/** OperationNeeds is asked anew for each operation: most of it changes while the broker runs. */
export interface OperationNeeds {
  readonly program: {
    /** As the program calls itself, for example "midge version 0.1.0". */
    readonly title: string;
    /** Milliseconds since 1970: of its commit, and of the start of the broker. */
    readonly buildDate: number;
    readonly since: number;
  };
  /** Absolute paths. */
  readonly state: {
    readonly path: string;
    readonly database: string;
    readonly certificates: string;
    /** The folder is there and ours. */
    readonly isThere: boolean;
  };
  readonly configuration: InForce;
  readonly reloads: {
    readonly last: LastReload | null;
    changedFiles(): readonly string[];
    reload(by: ReloadCause): Promise<LastReload>;
  };
  readonly broker: Pick<Broker, BrokerParts>;
  readonly traffic: Traffic;
  readonly listeners: readonly OpenListener[];
  /** The last lines of the log, the oldest first. */
  lastLines(): readonly LogLine[];
  /** The oldest first. */
  changes(): readonly TimedChange[];
  /** In the order of the configuration. */
  readonly bridges: readonly BridgeState[];
  /** Null = this broker is on its own. */
  readonly cluster: ClusterState | null;
  /** kickElsewhere ends a client at the other broker of the cluster where it is connected, and gives the address that it came from; null = it is at none. */
  kickElsewhere(id: string): Promise<string | null>;
  /** forgetBroker ends what waits for another broker of the cluster; null = this one is on its own. */
  forgetBroker(id: string): 'forgotten' | 'unknown' | 'connected' | null;
  /** tryBridge tries one of the configuration, and says what happens; null = there is none of this name, else whether all is well. */
  tryBridge(name: string, say: (step: TrialStep) => void): Promise<boolean | null>;
  readonly refusals: Pick<RefusalMemory, 'list' | 'lastLetIn'>;
  readonly throttle: Pick<LoginThrottle, 'held' | 'end'>;
  /** A change of the configuration that waits to be confirmed. */
  readonly trial: Trial;
  /** The language of the configuration file. */
  readonly files: {
    /** check reads a text in the place of the main file, and changes nothing. */
    check(file: string, text: string): { readonly mistakes: readonly string[]; readonly warnings: readonly string[] };
    /** valueOf gives what the file says last about a word, or null. */
    valueOf(file: string, name: string): string | null;
    /** withChange gives a text of the main file with a word set as a person would, or without it. Throws OperatorError. */
    withChange(file: string, text: string, change: SettingChange): string;
    /** withoutBridge gives what the files hold without a connection block, and which are of no use then. Throws OperatorError where there is none. */
    withoutBridge(file: string, name: string): { readonly changed: readonly NewText[]; readonly obsolete: readonly string[] };
    /** withBridge gives what the files hold when a bridge has another address, user name or password, or other topics; null = it keeps it. Throws OperatorError where there is none. */
    withBridge(
      file: string,
      name: string,
      change: {
        readonly address: string | null;
        readonly username: string | null;
        readonly password: string | null;
        readonly topics: readonly string[] | null;
      },
    ): readonly NewText[];
    /** settings gives each statement; null for the value of a secret. A text stands for what the main file holds. */
    settings(file: string, text?: string): readonly SaidSetting[];
    /** known gives all words that can be set by themselves. */
    known(): readonly KnownSetting[];
  };
  /** certificateOfFiles gives the certificate that a listener has from a file of the owner's; null = it is ours, or cannot be read any more. */
  certificateOfFiles(listener: string): ListenerCertificate | null;
  readonly invitations: {
    /** Those that this box has given. */
    readonly book: Pick<InvitationBook, 'add' | 'list' | 'remove'>;
    isName(name: string): boolean;
    /** readTopics reads topics as a `topic` line has them. Throws OperatorError. */
    readTopics(texts: readonly string[]): readonly BridgeTopic[];
    /** issuerOf gives the authority of a listener's certificate of files, as PEM; null = one that every machine knows. */
    issuerOf(listener: string): string | null;
    /** write gives the text, which holds the password. */
    write(invitation: BridgeInvitation): string;
    /** read takes a text apart. Throws OperatorError for what is none, or wants more than a bridge. */
    read(text: string): ReadInvitation;
    /** called gives one whose bridge has another name. Throws OperatorError. */
    called(invited: ReadInvitation, name: string): ReadInvitation;
    /** filesOf works out where it goes in a configuration. Throws OperatorError where there is such a file. */
    filesOf(main: string, invited: ReadInvitation): readonly NewText[];
  };
  readonly access: {
    /** The one account that the configuration itself names, or null. */
    readonly account: string | null;
    /** Clients without a user name may come in by a listener. */
    readonly hasGuests: boolean;
    /** Each listener has files of its own (`per_listener_settings`). */
    readonly isPerListener: boolean;
    /** canSignIn tells whether an account can, at any listener. */
    canSignIn(username: string): boolean;
    filesOf(listener: string): AccessFiles;
    /** What the engine asks, null = there are no rules. */
    readonly authorizer: ExplainedAuthorizer | null;
    /** Clients of dynamic security that can sign in. */
    readonly dynamicUsers: readonly string[];
    /** Null = dynamic security is not turned on. */
    readonly dynamic: {
      readonly file: string;
      readonly model: SecurityModel;
      /**
       * run carries out commands of mosquitto's for a user of ours, and gives an answer for each: it has an `error`, or all is done. When
       * their turn has come, `look` is shown the model: what it throws ends them, and nothing has changed.
       */
      run(
        commands: readonly object[],
        username: string | null,
        look: (model: SecurityModel) => void,
      ): Promise<readonly Readonly<Record<string, unknown>>[]>;
    } | null;
    /** aclOf gives the ACL file of a listener, or null. */
    aclOf(listener: string): AclAuthorizer | null;
  };
  /** Null = no listener uses a certificate of our authority. */
  readonly certificates: Pick<Certificates, 'authority' | 'check' | 'server'> | null;
  /** Null = there is no state folder. */
  readonly brought: BroughtBackup | null;
  readonly restart: Restart;
  /** stateNeeds are what backup and restore need; they are loaded for that. */
  stateNeeds(): Promise<StateNeeds>;
  /** Null = the configuration asks for nothing outside. */
  readonly internet: Internet | null;
  /** Of midge itself; its room is loaded by the first who asks. */
  updates(): Promise<Pick<Updates, 'check' | 'install' | 'state'>>;
  /** checkWayIn looks from inside whether the Internet leads here, and tells each step. No names = those of the configuration. */
  checkWayIn(names: readonly string[], say: (step: WayInStep) => void): Promise<boolean>;
  /** Null = nothing outlives the process. */
  readonly store: Store | null;
  /** Null = none is kept. */
  readonly history: Pick<History, 'extract'> | null;
  readonly machine: { now(): Promise<MachineHealth>; model(): Promise<MachineModel | null> };
  /** Makes the first admin of the REST interface; null = it has one, or there is no such interface. */
  readonly setupCode: string | null;
  /** Null = there is no REST interface. */
  readonly tokens: TokenKeeper | null;
  readonly roles: RoleKeeper | null;
  /** Names and addresses that the owner has written down for this machine (`certificate_names`). */
  readonly certificateNames: readonly string[];
  /** Null = there is no REST interface, whose listeners phones are set up by. */
  readonly phones: Phones | null;
  /** Null = there is no REST interface, by which they can be seen. */
  readonly locations: Locations | null;
  /** The name that mDNS gives to it, for example `midge-2.local`; null = it is not announced. */
  readonly announcedHost: string | null;
}
