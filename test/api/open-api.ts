// The API on a port of its own, without a broker: who signs in, and what the operations answer, is the test's.

import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import { createApi, type Guest } from '../../src/api/api.ts';
import { openApiFile } from '../../src/api/openapi.ts';
import type { ApiSetup, MissingPasswordFile, StreamedMessage, TokenGrant } from '../../src/api/ports.ts';
import { Roles } from '../../src/api/roles.ts';
import type { Change } from '../../src/operations/change.ts';
import { type Operation, OperationFailure, operation } from '../../src/operations/operation.ts';
import { Operations } from '../../src/operations/operations.ts';
import type { Right } from '../../src/operations/right.ts';
import { recordingLog } from '../support/ports/recording-log.ts';

export const CODE = '0123-4567-89ab-cdef-0123-4567-89ab-cdef';
export const PASSWORD = 'correct horse';

/** TOKENS by the right that each has. */
export const TOKENS: Readonly<Record<Right, TokenGrant>> = {
  monitoring: { name: 'prometheus', right: 'monitoring', account: null },
  viewer: { name: 'dashboard', right: 'viewer', account: null },
  operator: { name: 'script', right: 'operator', account: null },
  admin: { name: 'ansible', right: 'admin', account: null },
};

/** Answer is a whole one. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Null = it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  readonly json: any;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  readonly token?: Right;
}

/** OpenApi is one that listens on a port of loopback. */
export interface OpenApi {
  readonly port: number;
  readonly roles: Roles;
  readonly log: ReturnType<typeof recordingLog>;
  /** passwords of the accounts, which a test may change. */
  readonly passwords: Map<string, string>;
  /** wrong counts the wrong codes and tokens. */
  readonly wrong: string[];
  /** signIns are those that were told of: who, and why not, or that they came in. */
  readonly signIns: string[];
  readonly clock: { now: number };
  /** signedIn counts the requests of connections that have signed in. */
  readonly signedIn: { count: number };
  readonly feeds: Set<(message: StreamedMessage) => void>;
  /** What was changed without an operation. */
  readonly changes: readonly Pick<Change, 'who' | 'operation' | 'about'>[];
  /** Topics at which a message is retained. */
  readonly retained: Set<string>;
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** keepListeners ends connections by other listeners; all here come by "8443". */
  keepListeners(names: ReadonlySet<string>): void;
  stop(): void;
}

/** openApi opens it; it ends with the test. */
export async function openApi(
  context: TestContext,
  more: Partial<ApiSetup> & { guest?: Partial<Guest>; missing?: MissingPasswordFile } = {},
): Promise<OpenApi> {
  const { guest, missing = null, ...rest } = more;
  const log = recordingLog();
  const roles = rest.roles ?? new Roles(null);
  if (rest.roles === undefined) roles.set('jane', 'admin');
  const passwords = new Map([
    ['jane', PASSWORD],
    ['tom', PASSWORD],
  ]);
  const wrong: string[] = [];
  const signIns: string[] = [];
  const clock = { now: 0 };
  const signedIn = { count: 0 };
  const feeds = new Set<(message: StreamedMessage) => void>();
  const retained = new Set<string>();
  const changes: OpenApi['changes'][number][] = [];
  const table = rest.table ?? TABLE;
  const api = createApi({
    table,
    operations: new Operations(() => ({}) as never, table), // no row of it needs anything
    title: 'midge version 1.2.3',
    openApi: async () => openApiFile('midge version 1.2.3', table),
    mapTiles: '/nowhere/tiles.pmtiles',
    accounts: {
      check: async ({ username, password }) =>
        passwords.get(username) === password ? { isStillGood: () => passwords.get(username) === password } : 'refused',
      has: (_, username) => passwords.has(username),
      canSignIn: (_, username) => passwords.has(username),
      add: async ({ username, password }) => void passwords.set(username, password),
      missing: () => missing,
    },
    signIns: {
      refused: ({ username, address, listener }, what) => void signIns.push(`${username} from ${address} at ${listener}: ${what}`),
      signedIn: ({ username, address, listener }) => void signIns.push(`${username} from ${address} at ${listener}: signed in`),
    },
    roles,
    page: null,
    tokens: { find: (token) => TOKENS[token as Right] ?? null },
    attempts: { isHeld: () => wrong.length >= 10, failed: (_, name) => void wrong.push(name) },
    phones: null,
    setupCode: () => CODE,
    messages: (_, deliver) => {
      feeds.add(deliver);
      return () => void feeds.delete(deliver);
    },
    isRetained: (topic) => retained.has(topic),
    locations: () => () => {},
    ownTracks: {
      refused: () => {},
      post: async () => [],
      sightOf: () => () => false,
      last: () => [],
      names: async () => [],
      records: async () => [],
      monitor: () => null,
      address: () => null,
      face: () => null,
      follow: () => () => {},
    },
    log: () => () => {},
    metrics: async () => ({ text: 'up 1\n', contentType: 'text/plain; version=0.0.4; charset=utf-8' }),
    stopped: () => {},
    isReady: () => true,
    hosts: () => ['box.local'],
    httpsPort: () => 8443,
    originsAt: () => [],
    challengeAnswer: () => null,
    now: () => clock.now,
    changed: ({ who, operation, about }) => void changes.push({ who, operation, about }),
    logger: log,
    ...rest,
  });
  const server = createServer((socket) => {
    socket.on('error', () => {});
    api.serve(socket, {
      listener: '8443',
      isPrivate: true,
      hasTls: false,
      signedIn: () => void signedIn.count++,
      addressOf: () => '192.0.2.7',
      ...guest,
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  context.after(() => {
    api.stop();
    server.close();
  });
  const ask = (path: string, given: Ask = {}) => askApi(port, path, given);
  return {
    port,
    roles,
    log,
    passwords,
    wrong,
    signIns,
    clock,
    signedIn,
    feeds,
    retained,
    changes,
    ask,
    keepListeners: (names) => api.keepListeners(names),
    stop: () => api.stop(),
  };
}

async function askApi(port: number, path: string, { method = 'GET', headers = {}, body, raw, token }: Ask): Promise<Answer> {
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path,
    method,
    agent: false,
    headers: {
      ...(content === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(content)) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  request.end(content);
  const [response] = await once(request, 'response');
  const answer = await text(response);
  return { status: response.statusCode, headers: response.headers, text: answer, json: parse(answer) };
}

function parse(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return null;
  }
}

/** signIn gives the headers of a browser that has signed in. */
export async function signIn(api: OpenApi, username = 'jane'): Promise<Record<string, string>> {
  const answer = await api.ask('/api/v1/session', { method: 'POST', body: { username, password: PASSWORD } });
  if (answer.status !== 200) throw new Error(answer.text);
  const [cookie = ''] = String(answer.headers['set-cookie']).split(';');
  return { cookie, 'x-csrf-token': answer.json.csrfToken };
}

/** TABLE has an operation of each kind, under names that have routes. */
export const TABLE: readonly Operation[] = [
  operation({
    name: 'status',
    kind: 'query',
    right: 'viewer',
    summary: 'One object.',
    input: z.strictObject({}),
    output: z.object({ program: z.string() }),
    run: () => ({ program: 'midge' }),
  }),
  operation({
    name: 'why',
    kind: 'query',
    right: 'viewer',
    summary: 'With a field.',
    input: z.strictObject({ about: z.string().max(20).nullish() }),
    output: z.object({ about: z.string().nullable() }),
    run: (_, { about }) => ({ about: about ?? null }),
  }),
  operation({
    name: 'throttle',
    kind: 'query',
    right: 'operator',
    summary: 'A list.',
    input: z.strictObject({}),
    output: z.array(z.number()),
    run: () => Array.from({ length: 250 }, (_, index) => index),
  }),
  operation({
    name: 'reload',
    kind: 'command',
    right: 'admin',
    summary: 'A change.',
    input: z.strictObject({ file: z.string().nullish(), revision: z.string().nullish() }),
    output: z.object({ revision: z.string() }),
    run: (_, { file, revision }) => {
      if (file === 'gone') throw new OperationFailure('not found', 'Cannot find "gone"');
      if (file === 'taken') throw new OperationFailure('conflict', 'There is one of this name');
      if (file === 'broken') throw new Error('secret detail');
      if (revision != null && revision !== 'r7') throw new OperationFailure('stale', 'Somebody else has changed it');
      return { revision: 'r7' };
    },
  }),
];
