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

/** AccessFiles say who may do what, at all listeners or at one. */
export interface AccessFiles {
  /** mosquitto password file, absolute, or null. */
  readonly passwordFile: string | null;
  /** mosquitto ACL file, absolute, or null: then everybody may read and write every topic. */
  readonly aclFile: string | null;
}

export interface AccessOptions extends AccessFiles {
  /** The one account of the configuration's `username` and `password`, or null. */
  readonly account: Account | null;
  /** Files of each listener, by `ListenerPolicy.name` (`per_listener_settings true`), instead of those above; null = the same for all. */
  readonly listeners: ReadonlyMap<string, AccessFiles> | null;
  readonly loginThrottle: LoginThrottleOptions;
  /** Accounts and roles that are changed while the broker runs; null = there are none. */
  readonly dynamicSecurity: DynamicSecurityOptions | null;
}

/** DynamicSecurityOptions are those of mosquitto's plugin; files are absolute. */
export interface DynamicSecurityOptions {
  readonly file: string;
  /** Its first line is the password of the first administrator; null = one is made. */
  readonly passwordInitFile: string | null;
}

/** filesOf gives the files that are in force at a listener. */
export function filesOf(access: AccessOptions, listener: string): AccessFiles {
  return access.listeners === null ? access : (access.listeners.get(listener) ?? { passwordFile: null, aclFile: null });
}
