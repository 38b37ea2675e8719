// Who asks: the session of a cookie, or a Bearer token; how a session begins and ends, and how a new box gets its first admin.

import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { usernameFault } from '../access/password-file-edit.ts';
import { changeOf } from '../operations/audit.ts';
import type { Asker } from '../operations/operation.ts';
import { includesRight, lesserRight, RIGHTS, type Right } from '../operations/right.ts';
import { checked, MAX_LOGIN_BYTES, readJson } from './input.ts';
import type { ApiSetup, Login, SignedIn, TokenGrant } from './ports.ts';
import { Problem } from './problems.ts';
import type { Role } from './roles.ts';
import { isSameSecret, type Session, Sessions } from './sessions.ts';
import type { Visitor } from './visitor.ts';

/** A browser takes a cookie with `__Host-` only by HTTPS, and no other host of the domain can set it. RFC 6265bis 4.1.3.2 */
const SECURE_COOKIE = '__Host-midge';
const LOCAL_COOKIE = 'midge-local';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

const INVALID_TOKEN = 'Bearer error="invalid_token"';

/** Wrong codes and tokens of one address are counted under these names, which no account may have. Nobody guesses a right one, so that it counts however many wrong ones came before: who sends those keeps nobody else out. */
const CODE_NAME = 'set-up code\u0000';
const TOKEN_NAME = 'token\u0000';

/** LOGIN is the body of a sign-in. */
export const LOGIN = z.strictObject({ username: z.string().min(1).max(1024), password: z.string().min(1).max(1024) });

/** NAME is that of a new account: a line of a password file can hold it. */
const NAME = z
  .string()
  .max(256)
  .superRefine((name, context) => {
    const fault = usernameFault(name);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  });

/** CLAIM is the body of a claim. */
export const CLAIM = z.strictObject({ code: z.string().min(1).max(64), username: NAME, password: z.string().min(8).max(1024) });

/** OWN_PASSWORD is the body of a change of one's own password. */
export const OWN_PASSWORD = z.strictObject({ current: z.string().min(1).max(1024), password: z.string().min(8).max(1024) });

/** SESSION is what a browser learns about its session. */
export const SESSION = z.object({
  username: z.string(),
  role: z.enum(RIGHTS),
  csrfToken: z.string().describe('for the header X-CSRF-Token, which each request but GET needs'),
});

/** WELCOME tells a page what to show first. */
export const WELCOME = z.object({
  isClaimed: z.boolean().describe('false = whoever has the set-up code may make the first admin'),
  session: SESSION.nullable().describe('null = nobody is signed in'),
  missing: z
    .object({
      configuration: z.string().describe('the file that should name one'),
      passwordFile: z.string().describe('where it may be'),
      listener: z.string().nullable().describe('port or path of the listener below whose line it belongs; null = it is for all'),
      hasAccounts: z.boolean().describe('true = an account that is there already may claim the box'),
    })
    .nullable()
    .describe('told before the claim only: the configuration names no password_file, so that no account can be made; null = it does'),
  run: z.string().describe('another one after each start of the broker, which ends all sessions'),
});

/** SignIn knows the sessions. */
export class SignIn {
  readonly #setup: ApiSetup;
  readonly #sessions: Sessions;
  readonly #run = randomUUID();

  constructor(setup: ApiSetup) {
    this.#setup = setup;
    this.#sessions = new Sessions(setup.now);
  }

  /** require gives who asks. Throws Problem 401 where nobody is signed in, and 403 without the right, or where another web page may have sent it. */
  require(context: Context, visitor: Visitor, right: Right): Asker {
    const asker = this.#askerOf(context, visitor);
    const { name, right: own } = asker;
    visitor.signedIn();
    if (!includesRight(own, right)) throw new Problem(403, `This needs the right "${right}", and ${name} has "${own}"`);
    return named(asker, visitor);
  }

  /** isStillGood tells whether the caller of a long answer would be let in again. */
  isStillGood(context: Context, visitor: Visitor, right: Right): boolean {
    try {
      return this.require(context, visitor, right) !== null;
    } catch {
      return false;
    }
  }

  #askerOf(context: Context, visitor: Visitor): Asker {
    const authorization = context.req.header('authorization');
    if (authorization !== undefined) return this.#bearerOf(authorization, visitor);
    const found = this.#sessionOf(context, visitor);
    if (found === null) throw signedOut('Sign in first: POST /api/v1/session, or send a Bearer token');
    if (!SAFE_METHODS.has(context.req.method) && !isSameSecret(context.req.header('x-csrf-token') ?? '', found.session.csrfToken))
      throw new Problem(403, 'The header X-CSRF-Token is missing or wrong: GET /api/v1/session gives it');
    const { username, listener } = found.session;
    return ofPage({ username, listener, right: found.role });
  }

  #bearerOf(authorization: string, visitor: Visitor): Asker {
    const { tokens, attempts } = this.#setup;
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    if (token === undefined) throw signedOut('The header Authorization must be: Bearer TOKEN');
    const grant = tokens?.find(token) ?? null;
    if (grant !== null) return this.#holderOf(grant, visitor);
    if (attempts.isHeld(visitor.address, TOKEN_NAME)) throw tooMany();
    attempts.failed(visitor.address, TOKEN_NAME);
    throw signedOut('There is no such token, or it has ended', INVALID_TOKEN);
  }

  /** A token holds no more than its account does at this moment, at this listener. */
  #holderOf({ name, right, account }: TokenGrant, { listener }: Visitor): Asker {
    const who = `token ${JSON.stringify(name)}`;
    if (account === null) return { name: who, right };
    const role = this.#setup.accounts.canSignIn(listener, account) ? this.#setup.roles.of(account) : null;
    if (role === null) throw signedOut('The account that made this token has no role here any more, or cannot sign in', INVALID_TOKEN);
    return { name: `${who} of ${JSON.stringify(account)}`, right: lesserRight(right, role), tokenOf: account };
  }

  #sessionOf(context: Context, visitor: Visitor): { readonly session: Session; readonly role: Role } | null {
    const id = getCookie(context, cookieName(visitor));
    const session = id === undefined ? null : this.#sessions.find(id);
    const role = session === null ? null : this.#setup.roles.of(session.username);
    return session === null || role === null ? null : { session, role };
  }

  /** current gives the session of a browser. Throws Problem 401. */
  current(context: Context, visitor: Visitor): z.infer<typeof SESSION> {
    const found = this.#sessionOf(context, visitor);
    if (found === null) throw signedOut('Nobody is signed in');
    visitor.signedIn();
    return { username: found.session.username, role: found.role, csrfToken: found.session.csrfToken };
  }

  /** welcome tells what a visitor may do first; nobody needs to be signed in. */
  welcome(context: Context, visitor: Visitor): z.infer<typeof WELCOME> {
    const session = this.#sessionOf(context, visitor) === null ? null : this.current(context, visitor);
    const isClaimed = this.#setup.roles.hasAdmin;
    return { isClaimed, session, missing: isClaimed ? null : this.#setup.accounts.missing(visitor.listener), run: this.#run };
  }

  /** begin signs a browser in with the password of an account that has a role. Throws Problem: 401 does not tell what was wrong. */
  async begin(context: Context, visitor: Visitor): Promise<z.infer<typeof SESSION>> {
    refuseOtherPages(context);
    const { username, password } = checked(LOGIN, await readJson(context, MAX_LOGIN_BYTES));
    this.#refuseUnclaimed();
    const { address, listener } = visitor;
    const signedIn = await this.#checkAccount({ username, password, address, listener });
    const role = this.#setup.roles.of(username);
    if (role === null) {
      this.#setup.signIns.refused({ username, address, listener }, 'no role');
      throw wrongLogin();
    }
    return this.#beginSession(context, visitor, { username, listener, role, signedIn });
  }

  /** changePassword gives the account of a browser's session another password; its other sessions end. Needs no right: it is one's own. */
  async changePassword(context: Context, visitor: Visitor): Promise<z.infer<typeof SESSION>> {
    const asker = named(this.#askerOf(context, visitor), visitor);
    const { username, listener = visitor.listener } = asker;
    if (username === undefined) throw new Problem(403, 'A token has no password: sign in');
    const { current, password } = checked(OWN_PASSWORD, await readJson(context, MAX_LOGIN_BYTES));
    const { address } = visitor;
    const verdict = await this.#setup.accounts.check({ username, password: current, address, listener });
    if (verdict === 'unavailable') throw busy();
    if (verdict === 'refused')
      throw new Problem(422, 'The input does not fit', { fields: [{ field: 'current', detail: 'It is another one' }] });
    await this.#setup.operations.run('change password', { username, password, listener }, { ...asker, right: 'admin' });
    const signedIn = await this.#checkAccount({ username, password, address, listener });
    const role = this.#setup.roles.of(username);
    if (role === null) throw wrongLogin();
    return this.#beginSession(context, visitor, { username, listener, role, signedIn });
  }

  /** end signs a browser out. */
  end(context: Context, visitor: Visitor): void {
    this.#askerOf(context, visitor);
    const name = cookieName(visitor);
    const id = getCookie(context, name);
    if (id !== undefined) this.#sessions.end(id);
    deleteCookie(context, name, cookieOptions(visitor));
  }

  /** claim makes an account admin, for who has the set-up code, as long as there is no admin; an account that is there needs its password. */
  async claim(context: Context, visitor: Visitor): Promise<z.infer<typeof SESSION>> {
    refuseOtherPages(context);
    const { code, username, password } = checked(CLAIM, await readJson(context, MAX_LOGIN_BYTES));
    const { accounts, roles, attempts, setupCode } = this.#setup;
    if (roles.hasAdmin) throw new Problem(409, 'This box has an admin already');
    if (!isSameSecret(plainCode(code), plainCode(setupCode()))) {
      if (attempts.isHeld(visitor.address, CODE_NAME)) throw tooMany();
      attempts.failed(visitor.address, CODE_NAME);
      throw new Problem(403, 'The set-up code is another one: "midge status" and the log of the start show it');
    }
    const { listener } = visitor;
    if (!accounts.has(listener, username)) await accounts.add({ username, password, listener });
    const signedIn = await this.#checkAccount({ username, password, address: visitor.address, listener: visitor.listener });
    if (roles.hasAdmin) throw new Problem(409, 'This box has an admin already');
    roles.set(username, 'admin');
    const asker = ofPage({ username, listener, right: 'admin' });
    this.#setup.changed(changeOf('claim', { username }, named(asker, visitor)));
    return this.#beginSession(context, visitor, { username, listener, role: 'admin', signedIn });
  }

  async #checkAccount(login: Login): Promise<SignedIn> {
    const { accounts, attempts, signIns } = this.#setup;
    const isHeld = attempts.isHeld(login.address, login.username);
    const outcome = await accounts.check(login);
    if (outcome === 'unavailable') throw busy();
    if (outcome !== 'refused') return outcome;
    signIns.refused(login, isHeld ? 'held' : 'wrong password');
    throw wrongLogin();
  }

  #refuseUnclaimed(): void {
    if (this.#setup.roles.hasAdmin) return;
    throw new Problem(403, 'Nobody has claimed this box yet: POST /api/v1/claim with the set-up code, which "midge status" shows');
  }

  #beginSession(
    context: Context,
    visitor: Visitor,
    who: { readonly username: string; readonly listener: string; readonly role: Role; readonly signedIn: SignedIn },
  ): z.infer<typeof SESSION> {
    const { username, listener, role, signedIn } = who;
    const { id, session } = this.#sessions.begin({ username, listener }, signedIn);
    setCookie(context, cookieName(visitor), id, cookieOptions(visitor));
    visitor.signedIn();
    this.#setup.signIns.signedIn({ username, address: visitor.address, listener });
    this.#setup.logger.log(
      'notice',
      `${JSON.stringify(username)} has signed in to the REST interface from ${visitor.address || 'this machine'}.`,
    );
    return { username, role, csrfToken: session.csrfToken };
  }
}

/** refuseOtherPages throws Problem 403. A form of another page can't send application/json, but it can send nothing else either: whoever has a browser send this tells its origin. */
export function refuseOtherPages(context: Context): void {
  const site = context.req.header('sec-fetch-site');
  const origin = context.req.header('origin');
  const isOther = origin !== undefined && URL.parse(origin)?.host !== context.req.header('host');
  if (isOther || (site !== undefined && site !== 'same-origin' && site !== 'none'))
    throw new Problem(403, 'Another web page has sent this');
}

function ofPage(who: { readonly username: string; readonly listener: string; readonly right: Right }): Asker {
  return { ...who, name: JSON.stringify(who.username), isOfPage: true };
}

/** named says for the log where an asker has come from. */
function named(asker: Asker, { address }: Visitor): Asker {
  return { ...asker, name: `${asker.name} from ${address || 'this machine'} over REST`, address };
}

function cookieName({ hasTls }: Visitor): string {
  return hasTls ? SECURE_COOKIE : LOCAL_COOKIE;
}

function cookieOptions({ hasTls }: Visitor) {
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure: hasTls } as const;
}

/** People type it in groups, and in capitals. */
function plainCode(code: string): string {
  return code.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function signedOut(detail: string, challenge = 'Bearer'): Problem {
  return new Problem(401, detail, { headers: { 'www-authenticate': challenge } });
}

function wrongLogin(): Problem {
  return signedOut('The user name or the password is wrong, or the account has no role here');
}

/** busy is the problem of too many sign-ins at once. */
export function busy(): Problem {
  return new Problem(503, 'Too many sign-ins at once: try again', { headers: { 'retry-after': '1' } });
}

function tooMany(): Problem {
  return new Problem(429, 'Too many wrong ones: wait a while', { headers: { 'retry-after': '60' } });
}
