// The header Authorization with a name and a password: RFC 7617.

/** BasicLogin is what it brings; null = it has none. */
export interface BasicLogin {
  readonly username: string | null;
  readonly password: string | null;
}

/** basicLogin reads it; a name without a colon has no password. */
export function basicLogin(header: string | undefined): BasicLogin {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return { username: null, password: null };
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? { username: text, password: null } : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
