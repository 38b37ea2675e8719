// The pages by which a phone sets itself up: /phone/ID, with the token of the link behind a #, where no request has it.
//
//   http://  /phone/ID                         how to trust our authority; the authority itself; nothing that is secret
//            /phone/ID/authority.mobileconfig
//   https:// /phone/ID                         how to set the app up, and how far the phone is; how to trust our authority, where that is not known to be done
//            /phone/ID/trusted                 answers whoever trusts us
//            /phone/ID/settings                makes account and settings, once, for the phone that brings the token

import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { AUTHORITY_TYPE, authorityBytes, authorityName, authorityProfile, MOBILECONFIG_TYPE } from '../phones/mobileconfig.ts';
import { mqttSettings } from '../phones/mqtt-settings.ts';
import {
  certificateFileName,
  otrcText,
  ownTracksConfiguration,
  ownTracksLink,
  type PhoneSystem,
  postUrl,
  type SignIn,
} from '../phones/owntracks.ts';
import { endedPage } from '../phones/pages/ended-page.ts';
import type { Page } from '../phones/pages/page.ts';
import { setUpPage } from '../phones/pages/set-up-page.ts';
import { trustPage } from '../phones/pages/trust-page.ts';
import { accountOf } from '../phones/phone.ts';
import { PASS_MS, type Phone } from '../phones/phone-book.ts';
import type { PhoneWords } from '../phones/words/phone-words.ts';
import { wordsFor } from '../phones/words/words.ts';
import { checked, MAX_LOGIN_BYTES, readJson } from './input.ts';
import type { ApiSetup, PhoneDoor } from './ports.ts';
import { Problem } from './problems.ts';
import { refuseOtherPages } from './sign-in.ts';
import { httpsOrigin, type Visitor } from './visitor.ts';

/** PHONE_PATHS are those of the pages. */
export const PHONE_PATHS = '/phone';

/** Paths of a link that hold no secret: they may go where others can read along. */
const OPEN_PATHS = /^\/phone\/[\w-]+(\/authority\.(mobileconfig|crt))?$/;

const COOKIE = 'midge-phone';

/** Wrong tokens of one address are counted under this name, which no account may have. */
const LINK_NAME = 'phone link\u0000';

/** Times that a link gives settings. Each makes a password, and may make a certificate, which stays in the list of those that were revoked. */
const MOST_SETTINGS = 10;

const WANTED = z.strictObject({ token: z.string().max(64), system: z.enum(['ios', 'android']) });

/** Row is of the paths, where `{id}` is that of a link. */
type Row = [method: 'GET' | 'POST', path: string, handler: (context: Context) => Response | Promise<Response>];

/** isOpenPath tells whether a request may be answered where others can read along. */
export function isOpenPath(method: string, path: string): boolean {
  return ['GET', 'HEAD'].includes(method) && OPEN_PATHS.test(path);
}

/** What was done is not told to another phone than the one that has opened the link. */
function isMeant({ link }: Phone, hasPass: boolean): boolean {
  return hasPass || link?.pass == null;
}

const NOT_BEGUN = { certificate: null, tls: null, signedIn: null, location: null };

/** PhonePages answers the requests of phones that are being set up. */
export class PhonePages {
  readonly #setup: ApiSetup;
  readonly #door: PhoneDoor;
  readonly #visitorOf: (context: Context) => Visitor;
  /** How often each link has given settings, by its id. */
  readonly #given = new Map<string, number>();

  constructor(setup: ApiSetup, door: PhoneDoor, visitorOf: (context: Context) => Visitor) {
    this.#setup = setup;
    this.#door = door;
    this.#visitorOf = visitorOf;
  }

  get rows(): readonly Row[] {
    const path = `${PHONE_PATHS}/{id}`;
    return [
      ['GET', path, (context) => this.#answerPage(context)],
      ['GET', `${path}/authority.mobileconfig`, (context) => this.#answerAuthority(context, 'profile')],
      ['GET', `${path}/authority.crt`, (context) => this.#answerAuthority(context, 'certificate')],
      ['GET', `${path}/trusted`, (context) => this.#answerTrusted(context)],
      ['GET', `${path}/state`, (context) => this.#answerState(context)],
      ['POST', `${path}/settings`, (context) => this.#answerSettings(context)],
    ];
  }

  #answerPage(context: Context): Response {
    const words = wordsFor(context.req.header('accept-language'));
    const phone = this.#door.book.ofLink(idIn(context));
    if (phone === null) return answerPage(context, endedPage(words), 404);
    const visitor = this.#visit(context, phone);
    const system = systemOf(context);
    const authority = this.#door.authority();
    if (visitor.isPrivate) {
      if (authority === null) this.#noteTls(phone, visitor);
      const { person, use, steps } = phone;
      const isTrusted = authority === null || (steps.tls !== undefined && isMeant(phone, this.#hasPass(context, phone))); // a person may have gone past the warning of the browser
      const trust = isTrusted ? null : { id: idIn(context), authorityName: authorityName(authority) };
      return answerPage(context, setUpPage({ words, system, person, use, trust }));
    }
    const secure = this.#secureOrigin(context);
    if (authority === null) return context.redirect(`${secure}${context.req.path}`, 307);
    return answerPage(context, trustPage({ words, system, id: idIn(context), secure, authorityName: authorityName(authority) }));
  }

  #answerAuthority(context: Context, form: 'profile' | 'certificate'): Response {
    const { phone } = this.#require(context);
    const authority = this.#door.authority();
    if (authority === null) throw new Problem(404, 'This box has a certificate that phones trust anyway');
    this.#door.book.note(accountOf(phone), 'certificate');
    if (form === 'certificate')
      return context.body(new Uint8Array(authorityBytes(authority)), 200, {
        'content-type': AUTHORITY_TYPE,
        'content-disposition': 'attachment; filename="midge.crt"',
      });
    const { profileName: name, profileDescription: description } = wordsFor(context.req.header('accept-language')).trust;
    return context.body(authorityProfile(authority, { name, description }), 200, {
      'content-type': MOBILECONFIG_TYPE,
      'content-disposition': 'attachment; filename="midge.mobileconfig"',
    });
  }

  /** The page by plain HTTP asks it, which no browser lets it do before it trusts us. Every page may, for the answer says nothing. */
  #answerTrusted(context: Context): Response {
    const { phone, visitor } = this.#require(context);
    this.#noteTls(phone, visitor);
    return context.body(null, 204, { 'access-control-allow-origin': '*' });
  }

  #answerState(context: Context): Response {
    const { phone } = this.#require(context);
    const isOpened = this.#hasPass(context, phone);
    const { steps, isSetUp, problem } = this.#door.state(phone);
    const { certificate, tls } = isMeant(phone, isOpened) ? steps : NOT_BEGUN;
    const done = isOpened ? steps : { ...NOT_BEGUN, certificate, tls };
    const isTrusted = this.#door.authority() === null || tls !== null; // it may have been there before
    return context.json({
      isOpened,
      steps: { ...done, certificate: certificate ?? (isTrusted ? tls : null) },
      isSetUp: isOpened && isSetUp,
      problem: isOpened ? (problem?.kind ?? null) : null,
    });
  }

  async #answerSettings(context: Context): Promise<Response> {
    refuseOtherPages(context);
    const { visitor, phone } = this.#require(context);
    const { attempts, logger } = this.#setup;
    const { token, system } = checked(WANTED, await readJson(context, MAX_LOGIN_BYTES));
    if (!this.#hasPass(context, phone)) {
      if (attempts.isHeld(visitor.address, LINK_NAME)) throw new Problem(429, 'Too many wrong links: wait a while');
      const opened = this.#door.book.open(idIn(context), token);
      if (opened === 'used') throw new Problem(410, 'Another phone has opened this link');
      if (opened === 'unknown') {
        attempts.failed(visitor.address, LINK_NAME);
        throw new Problem(404, 'There is no such link, or it has ended');
      }
      setCookie(context, COOKIE, opened.pass, {
        path: `${PHONE_PATHS}/${idIn(context)}`,
        httpOnly: true,
        sameSite: 'Strict',
        secure: visitor.hasTls,
        maxAge: PASS_MS / 1000,
      });
      logger.log('notice', `The phone at ${visitor.address || 'this machine'} has opened the link for "${accountOf(phone)}".`);
    }
    visitor.signedIn();
    this.#count(idIn(context));
    const signIn = await this.#door.signIn(phone);
    return context.json(settingsFor(phone, signIn, { system, words: wordsFor(context.req.header('accept-language')) }));
  }

  #count(id: string): void {
    for (const each of this.#given.keys()) if (this.#door.book.ofLink(each) === null) this.#given.delete(each);
    const times = (this.#given.get(id) ?? 0) + 1;
    if (times > MOST_SETTINGS) throw new Problem(429, `This link has given settings ${MOST_SETTINGS} times: make a new one`);
    this.#given.set(id, times);
  }

  /** Whoever has no link gets nothing; and what is not open to all only by HTTPS. */
  #require(context: Context): { readonly phone: Phone; readonly visitor: Visitor } {
    const phone = this.#door.book.ofLink(idIn(context));
    if (phone === null) throw new Problem(404, 'There is no such link, or it has ended');
    return { phone, visitor: this.#visit(context, phone) };
  }

  #visit(context: Context, phone: Phone): Visitor {
    const visitor = this.#visitorOf(context);
    this.#door.visited(phone, visitor.address);
    return visitor;
  }

  #noteTls(phone: Phone, { hasTls }: Visitor): void {
    if (hasTls) this.#door.book.note(accountOf(phone), 'tls');
  }

  #hasPass(context: Context, phone: Phone): boolean {
    const pass = getCookie(context, COOKIE);
    return pass !== undefined && this.#door.book.passes(phone.link?.id ?? '', pass) !== null;
  }

  #secureOrigin(context: Context): string {
    const port = this.#setup.httpsPort();
    if (port === null) throw new Problem(503, 'No listener with TLS is open for this page: add one with "protocol http"');
    return httpsOrigin(context.req.header('host'), port);
  }
}

function answerPage(context: Context, { html, policy }: Page, status: 200 | 404 = 200): Response {
  return context.body(html, status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    vary: 'accept-language, user-agent',
  });
}

/** What a phone is handed, and what is typed where it can't be. */
function settingsFor(phone: Phone, signIn: SignIn, { system, words }: { readonly system: PhoneSystem; readonly words: PhoneWords }) {
  const { fields: names, on, off } = words.setUp;
  const certificate =
    signIn.certificate === null
      ? null
      : {
          fileName: certificateFileName(phone, system),
          content: signIn.certificate.content.toString('base64'),
          passphrase: signIn.certificate.passphrase,
        };
  const { host, port, username, password, clientId, webSocketPath } = mqttSettings(phone, signIn);
  const first = [
    [names.host, host],
    [names.port, String(port)],
    [names.tls, on],
    [names.webSocket, webSocketPath === null ? off : on],
  ];
  const account = [
    [names.username, username],
    [names.password, password],
  ];
  if (phone.use === 'mqtt') {
    const path = webSocketPath === null ? [] : [[names.path, webSocketPath]];
    const rest = [
      [names.clientId, clientId],
      [names.version, '3.1.1'],
      [names.cleanSession, off],
    ];
    return { fields: [...first, ...path, ...account, ...rest], link: null, otrc: null, fileName: null, certificate };
  }
  const configuration = ownTracksConfiguration(phone, signIn, system);
  const ids = [
    [names.deviceId, String(configuration['deviceId'])],
    [names.trackerId, String(configuration['tid'])],
  ];
  const rest = [
    [names.clientId, clientId],
    [names.topic, String(configuration['pubTopicBase'])],
    [names.cleanSession, off],
  ];
  const isHttp = signIn.broker.protocol === 'http';
  return {
    fields: isHttp
      ? [[names.mode, 'HTTP'], ['URL', postUrl(signIn.broker)], ...account, ...ids]
      : [[names.mode, 'MQTT'], ...first, ...account, ...ids, ...rest],
    link: ownTracksLink(configuration),
    otrc: otrcText(configuration),
    fileName: `${phone.person}-${phone.device}.otrc`,
    certificate,
  };
}

function idIn(context: Context): string {
  return context.req.param('id') ?? '';
}

/** As it says itself, or as people say. An iPad calls itself a Mac. */
function systemOf(context: Context): PhoneSystem {
  const chosen = context.req.query('system');
  if (chosen === 'ios' || chosen === 'android') return chosen;
  return /\b(iPhone|iPad|iPod|Macintosh)\b/.test(context.req.header('user-agent') ?? '') ? 'ios' : 'android';
}
