// What a backup and a restore need of other rooms.

/** DatabaseTools open databases as the broker does. Those that throw say by an OperatorError what is wrong. */
export interface DatabaseTools {
  /** Of a database whose file has no name of its own. */
  readonly usualName: string;
  /** copy writes a copy that is whole or not there, of a database that no broker uses. */
  copy(path: string, copy: string): Promise<void>;
  /** check reads all of a database that nobody has open, and changes nothing; gives a sentence about what of it cannot be taken, or null. Throws when it is not sound. */
  check(path: string): Promise<string | null>;
  /** isUsed tells whether a broker has it open. Throws when this user may not look. */
  isUsed(path: string): Promise<boolean>;
  /** moveAside renames a database, or any other file, and what SQLite keeps beside it. */
  moveAside(path: string, aside: string): void;
}

/** NamedFiles are those of a configuration: absolute, the main one and what it includes first. */
export type NamedFiles = (main: string, workingFolder: string) => readonly string[];

/** StateNeeds is handed over by app/. */
export interface StateNeeds {
  readonly database: DatabaseTools;
  readonly namedFiles: NamedFiles;
  /** accountsIn gives what each account of a password or PSK file is let in by, null for one that cannot sign in; empty for a file of another kind. */
  accountsIn(content: Buffer): ReadonlyMap<string, string | null>;
  /** keepRevoked has certificates stay revoked that are so `today`, in a folder of certificates of `then`; gives their number. */
  keepRevoked(then: string, today: string): Promise<number>;
  /** isBrokerThere tells whether a broker answers at a control socket. */
  isBrokerThere(controlSocket: string): Promise<boolean>;
}
