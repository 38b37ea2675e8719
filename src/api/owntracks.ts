// HTTP mode of OwnTracks, and the interface of its Recorder for the programs that use that: with a name and password of MQTT, by Basic (RFC 7617).
//
//   POST /pub                               what a phone tells, published as it is by MQTT
//   /api/0/last  /list  /locations ...      what is kept, of those whom the rules let the account read
//   /ws/last                                the same as it comes: see owntracks-live.ts

import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { MayRead } from '../operations/location-sight.ts';
import { RECORDER_VERSION, type Wanted } from '../operations/recorder.ts';
import { asCsv, asGeoJson, asGpx, asLineString, asXml, withFields } from '../operations/recorder-formats.ts';
import { MOST_MESSAGE_BYTES } from '../phones/owntracks-message.ts';
import { basicLogin } from './basic-login.ts';
import { MAX_LOGIN_BYTES, readBody } from './input.ts';
import type { ApiSetup, OwnTracksDoor } from './ports.ts';
import { Problem } from './problems.ts';
import { busy, refuseOtherPages, type SignIn } from './sign-in.ts';
import type { Visitor } from './visitor.ts';

const CHALLENGE = 'Basic realm="midge", charset="UTF-8"';

type Handler = (context: Context) => Response | Promise<Response>;
type Row = [method: 'GET' | 'POST', path: string, handler: Handler];

/** Reader is who asks, and what it may read. */
export interface Reader {
  readonly mayRead: MayRead;
  /** isStillGood is asked while an answer goes on. */
  isStillGood(): boolean;
}

/** OwnTracksHttp answers phones in HTTP mode and clients of the Recorder. */
export class OwnTracksHttp {
  readonly #setup: ApiSetup;
  readonly #door: OwnTracksDoor;
  readonly #signIn: SignIn;
  readonly #visitorOf: (context: Context) => Visitor;

  constructor(setup: ApiSetup, signIn: SignIn, visitorOf: (context: Context) => Visitor) {
    this.#setup = setup;
    this.#door = setup.ownTracks;
    this.#signIn = signIn;
    this.#visitorOf = visitorOf;
  }

  get rows(): readonly Row[] {
    const both = (path: string, handler: Handler): Row[] => [
      ['GET', path, handler],
      ['POST', path, handler],
    ];
    return [
      ['POST', '/pub', (context) => this.#publish(context)],
      ...both('/api/0/last', (context) => this.#answerLast(context)),
      ...both('/api/0/list', (context) => this.#answerList(context)),
      ...both('/api/0/locations', (context) => this.#answerLocations(context)),
      ...both('/api/0/q', (context) => this.#answerAddress(context)),
      ...['/api/0/photo', '/api/0/photo/'].flatMap((path) => both(path, (context) => this.#answerPhoto(context))),
      ...both('/api/0/monitor', (context) => this.#answerMonitor(context)),
      ...both('/api/0/version', (context) => this.#answerVersion(context)),
      ...both('/api/0/kill', () => {
        throw new Problem(403, 'Nothing is deleted here: use POST /api/v1/location-deletions, or midge phone forget');
      }),
    ];
  }

  /** reader signs in who asks. Throws Problem. */
  async reader(context: Context): Promise<Reader> {
    const visitor = this.#visitorOf(context);
    const authorization = context.req.header('authorization');
    const hasSession = ['__Host-midge', 'midge-local'].some((name) => getCookie(context, name) !== undefined);
    if (authorization === undefined ? hasSession : /^Bearer /i.test(authorization)) {
      const asker = this.#signIn.require(context, visitor, 'viewer');
      return { mayRead: this.#door.sightOf(asker), isStillGood: () => this.#signIn.isStillGood(context, visitor, 'viewer') };
    }
    const { username, signedIn } = await this.#account(context, visitor);
    return { mayRead: this.#door.sightOf({ username, listener: visitor.listener }), isStillGood: () => signedIn.isStillGood() };
  }

  async #account(context: Context, visitor: Visitor) {
    const { username, password } = basicLogin(context.req.header('authorization'));
    if (username === null || password === null)
      throw new Problem(401, 'Sign in with a name and password of MQTT', { headers: { 'www-authenticate': CHALLENGE } });
    const { address, listener } = visitor;
    const signedIn = await this.#setup.accounts.check({ username, password, address, listener });
    if (signedIn === 'unavailable') throw busy();
    if (signedIn === 'refused') {
      this.#door.refused({ username, address, listener });
      throw new Problem(401, 'The user name or the password is wrong', { headers: { 'www-authenticate': CHALLENGE } });
    }
    visitor.signedIn();
    return { username, signedIn };
  }

  async #publish(context: Context): Promise<Response> {
    refuseOtherPages(context);
    const visitor = this.#visitorOf(context);
    const { username } = await this.#account(context, visitor);
    const body = Buffer.from(await readBody(context, MOST_MESSAGE_BYTES));
    const [u, d] = [said(context, 'u'), said(context, 'd')];
    const answer = await this.#door.post({ username, listener: visitor.listener, u, d, body }, visitor);
    return context.json(answer);
  }

  async #answerLast(context: Context): Promise<Response> {
    const { mayRead } = await this.reader(context);
    const asked = await parameters(context);
    return context.json(withFields(this.#door.last(mayRead, wanted(asked)), fieldsIn(asked)));
  }

  async #answerList(context: Context): Promise<Response> {
    const { mayRead } = await this.reader(context);
    return context.json({ results: await this.#door.names(mayRead, wanted(await parameters(context))) });
  }

  async #answerVersion(context: Context): Promise<Response> {
    await this.reader(context);
    return context.json({ version: RECORDER_VERSION, git: this.#setup.title });
  }

  /** The Recorder answers from a cache of addresses that it has looked up; here it is one that a phone has sent. */
  async #answerAddress(context: Context): Promise<Response> {
    const { mayRead } = await this.reader(context);
    const asked = await parameters(context);
    const place = { lat: degreesIn(asked, 'lat', 90), lon: degreesIn(asked, 'lon', 180) };
    return context.json(this.#door.address(mayRead, place) ?? {});
  }

  async #answerPhoto(context: Context): Promise<Response> {
    const { mayRead } = await this.reader(context);
    const user = (await parameters(context))('user');
    if (user === null) throw new Problem(422, 'missing username');
    const face = this.#door.face(mayRead, user) ?? NO_PHOTO;
    const type = face.startsWith(PNG) ? 'image/png' : face.startsWith(JPEG) ? 'image/jpeg' : null;
    const [shown, shownType] = type === null ? [NO_PHOTO, 'image/png'] : [face, type];
    return context.body(new Uint8Array(Buffer.from(shown, 'base64')), 200, { 'content-type': shownType });
  }

  async #answerMonitor(context: Context): Promise<Response> {
    const { mayRead } = await this.reader(context);
    return context.text(`${this.#door.monitor(mayRead) ?? ''}\n`);
  }

  async #answerLocations(context: Context): Promise<Response> {
    const { mayRead } = await this.reader(context);
    const asked = await parameters(context);
    const format = asked('format') ?? 'json';
    if (!FORMATS.has(format)) throw new Problem(400, `unrecognized format: use ${[...FORMATS].join(', ')}`);
    const limit = asked('limit');
    if (limit !== null && !/^\d{1,9}$/.test(limit)) throw new Problem(422, 'The limit must be a whole number');
    const period = { from: asked('from'), to: asked('to'), limit: limit === null || Number(limit) === 0 ? null : Number(limit) };
    const records = await this.#door.records(mayRead, wanted(asked), period);
    const data = withFields(records, fieldsIn(asked));
    switch (format) {
      case 'geojson':
      case 'geojsonpoi':
        return context.json(asGeoJson(format === 'geojson' ? records : records.filter(({ poi }) => poi !== undefined)));
      case 'linestring':
        return context.json(asLineString(records));
      case 'csv':
        return context.body(asCsv(data), 200, { 'content-type': 'text/csv; charset=utf-8' });
      case 'xml':
        return context.body(asXml(data), 200, { 'content-type': 'application/xml; charset=utf-8' });
      case 'gpx':
        return context.body(asGpx(records), 200, { 'content-type': 'application/gpx+xml' });
      default:
        return context.json({ count: data.length, data, status: 200, version: RECORDER_VERSION });
    }
  }
}

const FORMATS: ReadonlySet<string> = new Set(['json', 'geojson', 'geojsonpoi', 'linestring', 'csv', 'xml', 'gpx']);

/** How files of PNG and JPEG begin, in base64. */
const PNG = 'iVBORw0KGgo';
const JPEG = '/9j/';

/** NO_PHOTO is a picture of 40 by 40 pixels without anything on it. */
const NO_PHOTO =
  'iVBORw0KGgoAAAANSUhEUgAAACgAAAAoAQMAAAC2MCouAAAAA1BMVEUAAACnej3aAAAAAXRSTlMAQObYZgAAAAxJREFUeNpjYBhZAAAA8AABOGlaUQAAAABJRU5ErkJggg==';

/** Asked gives a parameter; null = it was not given. */
type Asked = (name: string) => string | null;

/** The Recorder takes them from headers, the query, or a form. */
async function parameters(context: Context): Promise<Asked> {
  const form = context.req.method === 'POST' ? new URLSearchParams(await readBody(context, MAX_LOGIN_BYTES)) : new URLSearchParams();
  return (name) => said(context, name) ?? form.get(name);
}

function said(context: Context, name: string): string | null {
  const value = context.req.header(`x-limit-${name}`) ?? context.req.query(name) ?? '';
  return value === '' ? null : value;
}

function wanted(asked: Asked): Wanted {
  return { user: asked('user'), device: asked('device') };
}

function degreesIn(asked: Asked, name: string, most: number): number {
  const text = asked(name);
  const degrees = text === null || !/^-?\d{1,3}(\.\d{1,15})?$/.test(text) ? Number.NaN : Number(text);
  if (Math.abs(degrees) <= most) return degrees;
  throw new Problem(422, `${name} must be degrees, from -${most} to ${most}`);
}

function fieldsIn(asked: Asked): readonly string[] | null {
  return asked('fields')?.split(',').slice(0, 100) ?? null;
}
