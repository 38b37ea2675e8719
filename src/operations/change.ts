// What is known of a change that somebody has made.

/** Door is what somebody has come by: 'program' has a token, 'machine' is a command on this machine. */
export type Door = 'page' | 'program' | 'machine';

/** Change is one of them. */
export interface Change {
  /** Of the asker: `"jane" from 192.0.2.7 over REST`. */
  readonly who: string;
  readonly door: Door;
  /** The account that has signed in; null = none. */
  readonly username: string | null;
  /** Where it has come from; '' = this machine, null = by no network. */
  readonly address: string | null;
  readonly operation: string;
  /** What it was about: some fields of its input. */
  readonly about: Readonly<Record<string, string | number | boolean>>;
  /** False = it is of the moment, such as a message that was published. */
  readonly lasts: boolean;
}

/** TimedChange is one of the list. */
export interface TimedChange extends Omit<Change, 'lasts'> {
  /** Milliseconds since 1970. */
  readonly time: number;
}
