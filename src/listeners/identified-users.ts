// Users whom a listener knows by their certificate or pre-shared key have an account too: what is theirs is kept from others.

import type { Authenticator } from '../broker/ports.ts';
import type { Listener } from './listeners.ts';

/** withIdentities adds them to those whom an authenticator knows by their passwords. */
export function withIdentities(passwords: Authenticator, listeners: () => readonly Listener[]): Authenticator {
  return {
    authenticate: (credentials) => passwords.authenticate(credentials),
    hasAccount: (name, username) =>
      passwords.hasAccount?.(name, username) === true ||
      listeners().some((listener) => listener.options.policy.name === name && listener.identifies(username)),
  };
}
