// Who may connect and what they may do; built by config/.

/** Account is one user with a plain password from the configuration (`username`/`password`). Never logged. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** LoginThrottleOptions: whether wrong logins are slowed down, and from where they are not: addresses and networks, as `192.168.1.0/24`. */
export interface LoginThrottleOptions {
  readonly enabled: boolean;
  readonly exempt: readonly string[];
}

export interface AccessOptions {
  /** The one account of the configuration's `username` and `password`, or null. */
  readonly account: Account | null;
  /** mosquitto password file, absolute, or null. */
  readonly passwordFile: string | null;
  /** mosquitto ACL file, absolute, or null: then everybody may read and write every topic. */
  readonly aclFile: string | null;
  readonly loginThrottle: LoginThrottleOptions;
}
