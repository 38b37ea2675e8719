// Who may connect and what they may do; built by config/.

/** Account is one user with a plain password from the configuration (`username`/`password`). Never logged. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

export interface AccessOptions {
  /** The one account of the configuration's `username` and `password`, or null. */
  readonly account: Account | null;
  /** mosquitto password file, absolute, or null. */
  readonly passwordFile: string | null;
  /** mosquitto ACL file, absolute, or null: then everybody may read and write every topic. */
  readonly aclFile: string | null;
}
