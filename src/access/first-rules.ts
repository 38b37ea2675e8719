// The text that an ACL file begins with where there was none: everybody keeps what they had.

const EVERYTHING = 'topic readwrite #\ntopic read $SYS/#\n';

/** FirstRulesWish says who is there already. */
export interface FirstRulesWish {
  readonly users: Iterable<string>;
  /** Clients without a user name may come in. */
  readonly hasGuests: boolean;
}

/** firstRules gives all rights to those who are there; an account that comes later needs rules of its own. */
export function firstRules({ users, hasGuests }: FirstRulesWish): string {
  return [
    '# Who may read and write which topics. An account without rules may do nothing: midge acl explains it.\n',
    hasGuests ? `\n# Clients without a user name\n${EVERYTHING}` : '',
    ...Array.from(new Set(users), (user) => `\nuser ${user}\n${EVERYTHING}`),
  ].join('');
}
