// What the API answers to a request, whatever it came by.
//
//   request -> headers -> ours by name? -> private? -> route -> who asks, with which right? -> input -> operations.run -> answer
//                                                                         any of these may throw a Problem --------> RFC 9457

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { TrieRouter } from 'hono/router/trie-router';
import { reasonOf } from '../base/errors.ts';
import { jsonSchemaOf } from '../operations/json-schema.ts';
import { type Asker, type Download, type Operation, OperationFailure, type Report } from '../operations/operation.ts';
import type { Right } from '../operations/right.ts';
import { type EventSource, type EventStream, eventStream } from './event-stream.ts';
import { queryTypesOf, readInput } from './input.ts';
import { answerMapTiles } from './map-tiles.ts';
import { openMessages, wantedMessages } from './message-stream.ts';
import { OpenStreams } from './open-streams.ts';
import { OwnTracksHttp, type Reader } from './owntracks.ts';
import { OwnTracksLive } from './owntracks-live.ts';
import { packedAnswer } from './packed-answer.ts';
import { pageAnswers } from './page.ts';
import { isOpenPath, PhonePages } from './phone-pages.ts';
import type { ApiSetup } from './ports.ts';
import { Problem, problemOf } from './problems.ts';
import { progressStream, wantsEvents } from './progress.ts';
import { BASE, type OfferedOperation, offeredOperations } from './routes.ts';
import { refuseOtherPages, SignIn } from './sign-in.ts';
import { hostIn, httpsOrigin, isOurHost, type Visitor } from './visitor.ts';

/** LIVE_PATH is where the Recorder has it. */
const LIVE_PATH = '/ws/last';

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** What a script of another page may send and read. It has no cookies: those are for our page. */
const shareWithPage = cors({
  origin: (origin) => origin,
  allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowHeaders: ['Authorization', 'Content-Type', 'If-Match', 'If-None-Match'],
  exposeHeaders: ['ETag', 'Content-Disposition', 'Retry-After'],
  maxAge: 600,
});

/** Environment is what the server says about a request. */
interface Environment {
  readonly Bindings: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse };
}

type Asked = Context<Environment>;
/** Request is one to an operation, whose asker and input are known. */
interface Request {
  readonly context: Asked;
  readonly operation: Operation;
  readonly input: unknown;
  readonly asker: Asker;
}

type Handler = (context: Asked) => Response | Promise<Response>;

/** Application answers requests. */
export interface Application {
  readonly fetch: Hono<Environment>['fetch'];
  /** upgrade answers a request for another protocol on its stream. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void>;
  /** endStreams ends the answers that have no end. */
  endStreams(): void;
}

/** createApplication makes it. `visitorOf` tells who is at the other end of a request. */
export function createApplication(setup: ApiSetup, visitorOf: (request: IncomingMessage) => Visitor): Application {
  return new RestApplication(setup, visitorOf);
}

class RestApplication implements Application {
  readonly #setup: ApiSetup;
  readonly #visitorOf: (request: IncomingMessage) => Visitor;
  readonly #signIn: SignIn;
  readonly #ownTracks: OwnTracksHttp;
  readonly #live: OwnTracksLive;
  /** Those who wait for their upgrade, signed in. */
  readonly #readers = new WeakMap<IncomingMessage, Reader>();
  readonly #streams = new OpenStreams();
  /** The regular expressions of Hono's own choice cannot tell words from names: it would try them, and take this then. */
  readonly #hono = new Hono<Environment>({ router: new TrieRouter() });

  constructor(setup: ApiSetup, visitorOf: (request: IncomingMessage) => Visitor) {
    this.#setup = setup;
    this.#visitorOf = visitorOf;
    this.#signIn = new SignIn(setup);
    this.#ownTracks = new OwnTracksHttp(setup, this.#signIn, (context) => this.#visitor(context as Asked)); // of this server
    this.#live = new OwnTracksLive(setup.ownTracks);
    this.#hono.use(async (context, next) => {
      const elsewhere = this.#answerChallenge(context) ?? this.#sendElsewhere(context);
      if (elsewhere === null) await next();
      else context.res = elsewhere;
      secure(context.res);
    });
    this.#hono.use((context, next) => (this.#isShared(context) ? shareWithPage(context, next) : next()));
    this.#hono.onError((error, context) => this.#answerProblem(error, context));
    this.#hono.notFound(() => new Problem(404, 'There is nothing of this name: /api/v1/openapi.json lists what there is').toResponse());
    this.#addRoutes();
  }

  get fetch(): Hono<Environment>['fetch'] {
    return this.#hono.fetch;
  }

  endStreams(): void {
    this.#streams.end();
    this.#live.stop();
  }

  /** A request for an upgrade is asked like any other first: who it is, by which way, for what. */
  async upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join() : value]],
    );
    const asked = new Request(new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`), { headers });
    const answer = await this.#hono.fetch(asked, { incoming: request, outgoing: null as never }); // nothing here writes by itself
    const reader = this.#readers.get(request);
    if (reader !== undefined) return this.#live.open(request, stream, head, reader);
    const status = answer.ok || answer.status === 404 ? 426 : answer.status;
    const challenge = answer.headers.get('www-authenticate');
    const more = challenge === null ? '' : `WWW-Authenticate: ${challenge}\r\n`;
    stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${more}Connection: close\r\n\r\n`);
  }

  async #admitLive(context: Asked): Promise<Response> {
    const { incoming } = context.env;
    if (incoming.headers.upgrade?.toLowerCase() !== 'websocket')
      throw new Problem(426, 'This is for WebSocket', { headers: { upgrade: 'websocket', connection: 'upgrade' } });
    refuseOtherPages(context);
    if (this.#live.isFull) throw new Problem(503, 'Too many follow the locations already');
    this.#readers.set(incoming, await this.#ownTracks.reader(context));
    return context.body(null, 204);
  }

  #addRoutes(): void {
    const offered = offeredOperations(this.#setup.table);
    const rows: [method: string, path: string, handler: Handler][] = [
      ...pageAnswers(this.#setup.page),
      ['GET', '/health', (context) => context.json({ status: 'ok' })],
      ['GET', '/ready', (context) => this.#answerReady(context)],
      ['GET', '/metrics', (context) => this.#answerMetrics(context)],
      [
        'GET',
        `${BASE}/openapi.json`,
        packedAnswer(this.#setup.openApi, { 'cache-control': 'no-cache', 'content-type': 'application/json' }),
      ],
      ['GET', `${BASE}/welcome`, (context) => context.json(this.#signIn.welcome(context, this.#visitor(context)))],
      ['POST', `${BASE}/claim`, async (context) => context.json(await this.#signIn.claim(context, this.#visitor(context)))],
      ['POST', `${BASE}/session`, async (context) => context.json(await this.#signIn.begin(context, this.#visitor(context)))],
      ['GET', `${BASE}/session`, (context) => context.json(this.#signIn.current(context, this.#visitor(context)))],
      ['DELETE', `${BASE}/session`, (context) => this.#endSession(context)],
      [
        'PUT',
        `${BASE}/session/password`,
        async (context) => context.json(await this.#signIn.changePassword(context, this.#visitor(context))),
      ],
      ['GET', `${BASE}/messages/stream`, (context) => this.#streamMessages(context)],
      ['GET', `${BASE}/map/tiles.pmtiles`, (context) => this.#answerTiles(context)],
      ['GET', `${BASE}/log/stream`, (context) => this.#streamLog(context)],
      ['GET', `${BASE}/locations/stream`, (context) => this.#streamLocations(context)],
      ...this.#phoneRows(),
      ...this.#ownTracks.rows,
      ['GET', LIVE_PATH, (context) => this.#admitLive(context)],
      ...offered.map((each): [string, string, Handler] => [each.route.method, BASE + each.route.path, this.#handlerFor(each)]),
    ];
    const paths = wordsBeforeNames(Map.groupBy(rows, ([, path]) => path.replaceAll(/\{(\w+)\}/g, ':$1')));
    for (const [path, ways] of paths) for (const [method, , handler] of ways) this.#hono.on(method, path, handler);
    for (const [path, ways] of paths) this.#hono.all(path, () => wrongMethod(ways.map(([method]) => method)).toResponse());
  }

  #phoneRows(): readonly [method: string, path: string, handler: Handler][] {
    const { phones } = this.#setup;
    if (phones === null) return [];
    return new PhonePages(this.#setup, phones, (context) => this.#visitor(context as Asked)).rows; // of this server
  }

  #visitor({ env }: Asked): Visitor {
    return this.#visitorOf(env.incoming);
  }

  /** An authority asks whether a name leads here: it has to be answered under that name, and before anything is encrypted. */
  #answerChallenge(context: Asked): Response | null {
    const answer = context.req.method === 'GET' ? this.#setup.challengeAnswer(context.req.path) : null;
    return answer === null ? null : context.text(answer);
  }

  /** Null = it may be answered here. */
  #sendElsewhere(context: Asked): Response | null {
    const { hosts, httpsPort } = this.#setup;
    const host = context.req.header('host');
    if (!isOurHost(host, hosts())) {
      const name = JSON.stringify(hostIn(host ?? ''));
      throw new Problem(
        421,
        `This is not ${name}: write certificate_names ${hostIn(host ?? '') || 'NAME'} into the configuration if it is`,
      );
    }
    if (this.#visitor(context).isPrivate || isOpenPath(context.req.method, context.req.path)) return null;
    const port = httpsPort();
    if (port === null || !['GET', 'HEAD'].includes(context.req.method)) throw new Problem(403, 'Use HTTPS: here others can read along');
    const { pathname, search } = new URL(context.req.url);
    return context.redirect(httpsOrigin(host, port) + pathname + search, 308);
  }

  /** Whether a web page of elsewhere asks that the owner has named. */
  #isShared(context: Asked): boolean {
    const origin = context.req.header('origin');
    return origin !== undefined && this.#setup.originsAt(this.#visitor(context).listener).includes(origin);
  }

  #answerProblem(error: unknown, context: Asked): Response {
    return secure((problemOf(error) ?? this.#sayMistake(error, context)).toResponse());
  }

  /** What went wrong is for the log only. */
  #sayMistake(error: unknown, context: Asked): Problem {
    const what = `${context.req.method} ${new URL(context.req.url).pathname}`;
    this.#setup.logger.log('error', `Error: Cannot answer ${what}: ${reasonOf(error)}`);
    return new Problem(500, 'Something went wrong: the log of the broker says what');
  }

  #answerReady(context: Asked): Response {
    if (!this.#setup.isReady()) throw new Problem(503, 'The broker starts or stops');
    return context.json({ status: 'ready' });
  }

  async #answerMetrics(context: Asked): Promise<Response> {
    this.#signIn.require(context, this.#visitor(context), 'monitoring');
    const { text, contentType } = await this.#setup.metrics(context.req.header('accept'));
    return context.body(text, 200, { 'content-type': contentType, vary: 'Accept' });
  }

  #answerTiles(context: Asked): Promise<Response> {
    this.#signIn.require(context, this.#visitor(context), 'viewer');
    return answerMapTiles(context, this.#setup.mapTiles);
  }

  #endSession(context: Asked): Response {
    this.#signIn.end(context, this.#visitor(context));
    return context.body(null, 204);
  }

  #handlerFor({ operation, route }: OfferedOperation): Handler {
    const types = once(() => queryTypesOf(jsonSchemaOf(operation.input, 'input')));
    return async (context) => {
      const asker = this.#signIn.require(context, this.#visitor(context), operation.right);
      const input = await readInput(context, { route, types: types(), upload: operation.upload });
      if (operation.progress !== undefined && wantsEvents(context.req.header('accept')))
        return this.#answerEvents(context, asker, (closed) => this.#progress({ context, operation, input, asker, closed }));
      const output = await this.#run({ context, operation, input, asker });
      if (operation.download !== undefined) return answerFile(context, output as Download); // its row says so
      const revision = revisionIn(output);
      if (revision !== null) context.header('etag', `"${revision}"`);
      return context.json((output ?? null) as object); // JSON by its schema
    };
  }

  /** RFC 9110 15.5.13: what has changed since is a precondition that failed, where the asker has made it one. */
  async #run({ context, operation, input, asker }: Request, report?: Report): Promise<unknown> {
    try {
      return await this.#setup.operations.run(operation.name, input, asker, report);
    } catch (error) {
      const isStale = error instanceof OperationFailure && error.reason === 'stale' && context.req.header('if-match') !== undefined;
      throw isStale ? new Problem(412, error.message) : error;
    }
  }

  #progress({ closed, ...request }: Request & { readonly closed: () => void }): EventStream {
    const mistake = (error: unknown) => this.#sayMistake(error, request.context);
    return progressStream({ work: (report) => this.#run(request, report), mistake, closed });
  }

  #streamMessages(context: Asked): Response {
    return this.#stream(context, 'operator', (asker) => {
      const wanted = wantedMessages(context.req.queries('topic') ?? [], context.req.query('sample'));
      return (send) => openMessages(this.#setup, { ...wanted, asker }, send);
    });
  }

  #streamLog(context: Asked): Response {
    return this.#stream(context, 'admin', () => (send) => this.#setup.log(null, (line) => send('line', line)));
  }

  #streamLocations(context: Asked): Response {
    return this.#stream(context, 'viewer', (asker) => (send) => this.#setup.locations(asker, (change) => send('phone', change)));
  }

  #stream(context: Asked, right: Right, prepare: (asker: Asker) => EventSource['open']): Response {
    const visitor = this.#visitor(context);
    const asker = this.#signIn.require(context, visitor, right);
    const open = prepare(asker);
    if (context.req.method === 'HEAD') return context.body(null, 200, { 'content-type': 'text/event-stream' });
    return this.#answerEvents(context, asker, (closed) =>
      eventStream({ open, mayGoOn: () => this.#signIn.isStillGood(context, visitor, right), closed }),
    );
  }

  #answerEvents(context: Asked, { username, tokenOf, name }: Asker, make: (closed: () => void) => EventStream): Response {
    const stream = this.#streams.open(username ?? tokenOf ?? name, make);
    return context.body(stream.body, 200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  }
}

/** Schemas are described when somebody asks: most owners never do. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** /clients/held is not the client "held". */
function wordsBeforeNames<T>(paths: ReadonlyMap<string, T>): readonly [path: string, T][] {
  const keyOf = (path: string) => Array.from(path.split('/'), (part) => Number(part.startsWith(':'))).join('');
  const keyed = Array.from(paths, (entry) => ({ entry, key: keyOf(entry[0]) }));
  return keyed.sort((a, b) => a.key.localeCompare(b.key)).map(({ entry }) => entry);
}

function secure(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) if (!response.headers.has(name)) response.headers.set(name, value);
  return response;
}

function wrongMethod(allowed: readonly string[]): Problem {
  const methods = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed;
  return new Problem(405, `Use ${methods.join(' or ')}`, { headers: { allow: methods.join(', ') } });
}

function answerFile(context: Asked, { mediaType, fileName, chunks }: Download): Response {
  const name = fileName.replaceAll(/[^\w.-]/g, '_');
  if (context.req.method === 'HEAD') void chunks[Symbol.asyncIterator]().return?.(); // nobody reads it
  const body = ReadableStream.from(chunks) as ReadableStream<Uint8Array>; // of Node's types
  return context.body(body, 200, { 'content-type': mediaType, 'content-disposition': `attachment; filename="${name}"` });
}

/** An answer with a revision can be changed by If-Match. */
function revisionIn(output: unknown): string | null {
  if (typeof output !== 'object' || output === null || !('revision' in output)) return null;
  return typeof output.revision === 'string' && /^[\x21\x23-\x7e]+$/.test(output.revision) ? output.revision : null;
}
