// A `connection` block of the configuration, from what somebody types about another broker. mosquitto.conf(5)

/** Wish is what was typed. */
export interface Wish {
  readonly name: string;
  /** A name or an address, with a port or without, or a URL such as wss://broker.example.org/mqtt. */
  readonly address: string;
  /** It is reached with TLS, unless its URL says otherwise. */
  readonly isPrivate: boolean;
  /** PEM of the authority to trust; null = those that every machine trusts. */
  readonly authority: string | null;
  /** '' = none. */
  readonly username: string;
  readonly password: string;
  /** What follows the word `topic`. */
  readonly topics: readonly string[];
}

/** blockFor writes the block, and the authority behind it, as in an invitation. */
export function blockFor({ name, address, isPrivate, authority, username, password, topics }: Wish): string {
  const lines = [
    `connection ${name}`,
    `address ${addressOf({ address, isPrivate })}`,
    ...(isPrivate && authority !== null ? ['bridge_cafile authority'] : []),
    ...(username === '' ? [] : [`remote_username ${username}`]),
    ...(password === '' ? [] : [`remote_password ${password}`]),
    'notifications_local_only true', // most brokers in a cloud refuse them
    ...topics.map((topic) => `topic ${topic}`),
    ...(isPrivate && authority !== null ? [authority.trim()] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** addressOf writes what stands behind the word `address`. A scheme that was typed counts. */
export function addressOf({ address, isPrivate }: Pick<Wish, 'address' | 'isPrivate'>): string {
  const where = address.trim();
  return isPrivate && !where.includes('://') ? `mqtts://${where}` : where;
}

/** isBridgeName tells what the box takes: the name becomes part of a file's name. */
export function isBridgeName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name);
}
