// What an explanation of a refusal needs of the other rooms: what is in force now. app/ hands it over.

/** OpenPort is a TCP port that clients can come to. */
export interface OpenPort {
  readonly port: number;
  readonly protocol: 'mqtt' | 'websockets';
  readonly isTls: boolean;
}

/** KnownAccount is what the operator may know about a user name; the client never. */
export interface KnownAccount {
  readonly isKnown: boolean;
  /** In the password file. */
  readonly isLocked: boolean;
  /** The configuration that has this user's password in it, or null. */
  readonly passwordIn: string | null;
  /** The file of accounts, or null. */
  readonly passwordFile: string | null;
  /** What dynamic security knows of the user; null = it is not turned on. */
  readonly dynamic: 'can sign in' | 'disabled' | 'without password' | 'unknown' | null;
}

/** AclVerdict is why a client may not publish to a topic. */
export type AclVerdict =
  | { readonly what: 'reserved topic' }
  | { readonly what: 'special name'; readonly file: string }
  /** missingRule says what to write into the file; null = it cannot be written there. */
  | { readonly what: 'no rule'; readonly file: string; readonly missingRule: string | null }
  | { readonly what: 'rule'; readonly file: string; readonly line: number; readonly rule: string }
  /** Dynamic security; `why` is the end of a sentence, `command` would allow it, null = there is none. */
  | { readonly what: 'roles'; readonly why: string; readonly command: string | null };

/** RefusalNeeds is asked for each kind of refusal. `listener` is the name of one, `ListenerPolicy.name`. */
export interface RefusalNeeds {
  openPorts(): readonly OpenPort[];
  accountOf(listener: string, username: string): KnownAccount;
  verdictOn(listener: string, client: { readonly username: string | null; readonly clientId: string }, topicName: string): AclVerdict;
}
