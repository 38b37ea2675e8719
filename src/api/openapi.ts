// The OpenAPI 3.1 document, made of the schemas of the operations.

import { gzipSync } from 'node:zlib';
import { type JsonSchema, jsonSchemaOf } from '../operations/json-schema.ts';
import type { Operation } from '../operations/operation.ts';
import { MOST_SAMPLED } from './message-stream.ts';
import { BASE, fieldsInPath, hasBody, type OfferedOperation, offeredOperations } from './routes.ts';
import { CLAIM, LOGIN, OWN_PASSWORD, SESSION, WELCOME } from './sign-in.ts';

type Json = Readonly<Record<string, unknown>>;

/** Endpoint is a row of the document that is no operation: sign-in, streams, health. */
interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly isOpen?: boolean;
  readonly parameters?: readonly Json[];
  readonly body?: JsonSchema;
  readonly answer: Json;
  readonly problems: readonly number[];
}

const TEXT: Json = { schema: { type: 'string' } };
const NO_CONTENT: Json = { 204: { description: 'Done' } };
const EVENTS: Json = { 200: { description: 'Server-Sent Events', content: { 'text/event-stream': { schema: { type: 'string' } } } } };

function endpoints(): readonly Endpoint[] {
  return [
    {
      method: 'get',
      path: `${BASE}/welcome`,
      tag: 'sign-in',
      summary: 'What a page shows first: the claim of a new box, the sign-in, or the views of who is signed in.',
      isOpen: true,
      answer: json('Welcome', jsonSchemaOf(WELCOME, 'output')),
      problems: [],
    },
    {
      method: 'post',
      path: `${BASE}/claim`,
      tag: 'sign-in',
      summary: 'Make the first admin of a new box, with the set-up code.',
      isOpen: true,
      body: jsonSchemaOf(CLAIM, 'input'),
      answer: json('Signed in', jsonSchemaOf(SESSION, 'output')),
      problems: [400, 401, 403, 409, 413, 415, 422, 429],
    },
    {
      method: 'post',
      path: `${BASE}/session`,
      tag: 'sign-in',
      summary: 'Sign in with the password of an account that has a role; the session is a cookie.',
      isOpen: true,
      body: jsonSchemaOf(LOGIN, 'input'),
      answer: json('Signed in', jsonSchemaOf(SESSION, 'output')),
      problems: [400, 401, 403, 413, 415, 422, 503],
    },
    {
      method: 'get',
      path: `${BASE}/session`,
      tag: 'sign-in',
      summary: 'Who is signed in.',
      answer: json('Signed in', jsonSchemaOf(SESSION, 'output')),
      problems: [401],
    },
    {
      method: 'delete',
      path: `${BASE}/session`,
      tag: 'sign-in',
      summary: 'Sign out.',
      answer: NO_CONTENT,
      problems: [401, 403],
    },
    {
      method: 'put',
      path: `${BASE}/session/password`,
      tag: 'sign-in',
      summary: 'Change the password of who is signed in; the other sessions of the account end.',
      body: jsonSchemaOf(OWN_PASSWORD, 'input'),
      answer: json('Changed, and signed in with it', jsonSchemaOf(SESSION, 'output')),
      problems: [400, 401, 403, 404, 409, 413, 415, 422, 503],
    },
    {
      method: 'get',
      path: `${BASE}/messages/stream`,
      tag: 'streams',
      summary:
        'Messages as they are published: events "message" (`retained`: the topic has a retained one, this or one before it), and "missed" with their number where the reader is too slow.',
      parameters: [
        {
          name: 'topic',
          in: 'query',
          required: true,
          description: 'Topic filter; repeat it for several.',
          schema: { type: 'array', items: { type: 'string' }, minItems: 1 },
        },
        {
          name: 'sample',
          in: 'query',
          required: false,
          description:
            'Events per second at most: every message while there are fewer, else the latest of each topic, and "missed" with the number of messages to topics that found no room. None = every message.',
          schema: { type: 'integer', minimum: 1, maximum: MOST_SAMPLED },
        },
      ],
      answer: EVENTS,
      problems: [401, 403, 422, 503],
    },
    {
      method: 'get',
      path: `${BASE}/log/stream`,
      tag: 'streams',
      summary: 'Lines of the log as they are written: events "line".',
      answer: EVENTS,
      problems: [401, 403, 503],
    },
    {
      method: 'get',
      path: `${BASE}/locations/stream`,
      tag: 'streams',
      summary:
        'Phones as they move: events `phone` with a topic and what GET /api/v1/locations tells about that phone, null = it is forgotten. Only those whose topics the asker may read.',
      answer: EVENTS,
      problems: [401, 403, 503],
    },
    {
      method: 'get',
      path: '/metrics',
      tag: 'monitoring',
      summary: 'Metrics as Prometheus reads them: its text, or OpenMetrics where that is accepted.',
      answer: { 200: { description: 'Metrics', content: { 'text/plain': TEXT, 'application/openmetrics-text': TEXT } } },
      problems: [401, 403],
    },
    health('/health', 'Whether the program runs.', []),
    health('/ready', 'Whether the broker takes clients.', [503]),
  ];
}

/** openApiFile is the document as it is sent, compressed with gzip. */
export function openApiFile(title: string, table: readonly Operation[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(`${JSON.stringify(openApiDocument(title, offeredOperations(table)))}\n`, { level: 9 }));
}

/** openApiDocument describes all that is offered. */
export function openApiDocument(title: string, offered: readonly OfferedOperation[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  const put = (path: string, method: string, operation: Json): void => {
    paths[path] = { ...paths[path], [method]: operation };
  };
  for (const each of offered) put(BASE + each.route.path, each.route.method.toLowerCase(), describeOperation(each));
  for (const each of endpoints()) put(each.path, each.method, describeEndpoint(each));
  const [name = title, version = '0'] = title.split(' version ');
  return {
    openapi: '3.1.0',
    info: { title: name, version, description: 'The REST interface of the MQTT broker midge.' },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-midge' },
      },
      schemas: { Problem: PROBLEM },
    },
    security: [{ token: [] }, { session: [] }],
  };
}

const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'RFC 9457',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { field: { type: 'string' }, detail: { type: 'string' } },
        required: ['field', 'detail'],
      },
    },
  },
  required: ['type', 'title', 'status', 'detail'],
};

function describeOperation({ operation, route }: OfferedOperation): Json {
  const input = jsonSchemaOf(operation.input, 'input');
  const inPath = fieldsInPath(route);
  const { properties = {}, required = [] } = input as { properties?: Record<string, JsonSchema>; required?: readonly string[] }; // an object's
  const isElsewhere = (name: string) => inPath.includes(name) || (operation.upload !== undefined && name === 'content');
  const isInQuery = !hasBody(route) || operation.upload !== undefined;
  const left = Object.entries(properties).filter(([name]) => !isElsewhere(name));
  const parameters = [
    ...inPath.map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } })),
    ...(!isInQuery ? [] : left.map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }))),
    ...('revision' in properties ? [IF_MATCH] : []),
  ];
  const body = { ...input, properties: Object.fromEntries(left), required: required.filter((name) => !inPath.includes(name)) };
  return {
    operationId: operation.name.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase()),
    tags: [route.path.split('/')[1] ?? ''],
    summary: operation.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(operation.upload === undefined ? {} : { requestBody: { required: true, content: filesOf(operation.upload) } }),
    ...(isInQuery ? {} : { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: { ...answerOf(operation), ...problems([400, 401, 403, 404, 409, 412, 422]) },
  };
}

function answerOf({ download, output, progress }: Operation): Json {
  if (progress !== undefined) return withProgress(jsonSchemaOf(output, 'output'), jsonSchemaOf(progress, 'output'));
  if (download === undefined) return json('Done', jsonSchemaOf(output, 'output'));
  return { 200: { description: 'A file', content: filesOf(download) } };
}

function filesOf(mediaTypes: readonly string[]): Json {
  return Object.fromEntries(mediaTypes.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]));
}

function withProgress(schema: JsonSchema, step: JsonSchema): Json {
  const description = `Events "progress", then "done" with the answer or "problem"; data of "progress": ${JSON.stringify(step)}`;
  const content = { 'application/json': { schema }, 'text/event-stream': { schema: { type: 'string', description } } };
  return { 200: { description: 'Done', content } };
}

const IF_MATCH: Json = { name: 'If-Match', in: 'header', description: 'The ETag that the change starts from.', schema: { type: 'string' } };

function describeEndpoint({ tag, summary, isOpen = false, parameters, body, answer, problems: statuses }: Endpoint): Json {
  return {
    tags: [tag],
    summary,
    ...(isOpen ? { security: [] } : {}),
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: { ...answer, ...problems(statuses) },
  };
}

function health(path: string, summary: string, statuses: readonly number[]): Endpoint {
  const schema = { type: 'object', properties: { status: { type: 'string' } }, required: ['status'] };
  return { method: 'get', path, tag: 'monitoring', summary, isOpen: true, answer: json('Yes', schema), problems: statuses };
}

function json(description: string, schema: JsonSchema): Json {
  return { 200: { description, content: { 'application/json': { schema } } } };
}

function problems(statuses: readonly number[]): Json {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(statuses.map((status) => [status, { description: 'A problem', content }]));
}
