// From a request to the input of an operation: the fields of the path, and of the query or the body.

import type { Context } from 'hono';
import { type FieldProblem, Problem } from './problems.ts';
import { fieldsInPath, hasBody, type Route } from './routes.ts';

/** Bytes of a body; before its sender has signed in, of a password. */
export const MAX_BODY_BYTES = 1_048_576;
export const MAX_LOGIN_BYTES = 16_384;

/** A body that comes slower is given up. */
const BODY_MS = 30_000;

/** QueryTypes are the JSON types of the fields that a query may have: a query knows texts only. */
export type QueryTypes = ReadonlyMap<string, ReadonlySet<string>>;

/** queryTypesOf reads them from the JSON Schema of an input. */
export function queryTypesOf(schema: Readonly<Record<string, unknown>>): QueryTypes {
  const properties = schema['properties'];
  if (typeof properties !== 'object' || properties === null) return new Map();
  return new Map(Object.entries(properties).map(([name, property]) => [name, typesOf(property)]));
}

function typesOf(schema: unknown): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return new Set();
  const { type, anyOf } = schema as { type?: unknown; anyOf?: unknown }; // any may be missing
  const own = typeof type === 'string' ? [type] : Array.isArray(type) ? type.map(String) : [];
  const inner = Array.isArray(anyOf) ? anyOf.flatMap((each) => [...typesOf(each)]) : [];
  return new Set([...own, ...inner]);
}

/** InputRules say where the input of an operation is. */
export interface InputRules {
  readonly route: Route;
  readonly types: QueryTypes;
  /** Media types of a body that is no JSON. */
  readonly upload?: readonly string[] | undefined;
}

/** readInput gives what was sent, which the operation looks at. Throws Problem: 400, 408, 412, 413 or 415. */
export async function readInput(context: Context, { route, types, upload }: InputRules): Promise<unknown> {
  const given =
    upload !== undefined
      ? { ...readQuery(context, types), content: uploadOf(context, upload) }
      : hasBody(route)
        ? await readJson(context, MAX_BODY_BYTES)
        : readQuery(context, types);
  if (!isObject(given)) return given;
  const inPath = fieldsInPath(route).map((name) => [name, fromText(context.req.param(name) ?? '', types.get(name))] as const);
  const revision = route.method === 'GET' ? null : revisionWanted(context.req.header('if-match'), types.has('revision'));
  return { ...given, ...Object.fromEntries(inPath), ...(revision === null ? {} : { revision }) };
}

/**
 * RFC 9110 13.1.1: a condition that cannot hold is never passed over, or two who change something undo each other. Null = there is none. What
 * has no revision has no ETag either; a weak one never matches.
 */
function revisionWanted(header: string | undefined, hasRevision: boolean): string | null {
  if (header === undefined || header.trim() === '*') return null;
  if (!hasRevision) throw new Problem(412, 'Nothing here has an ETag: leave the header If-Match out');
  const [, revision] = /^\s*"([^"]+)"\s*$/.exec(header) ?? [];
  if (revision === undefined) throw new Problem(412, 'The header If-Match must be one ETag as an answer gave it, for example "abc"');
  return revision;
}

/** Schema is what `checked` needs of zod's. */
interface Schema<T> {
  safeParse(
    input: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly SchemaIssue[] } };
}

interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Of an unknown word. */
  readonly keys?: readonly string[];
}

/** checked gives what a schema lets through. Throws Problem 422 with the fields. */
export function checked<T>(schema: Schema<T>, given: unknown): T {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  throw new Problem(422, 'The input does not fit', { fields: read.error.issues.flatMap(fieldProblems) });
}

function fieldProblems({ path, message, keys }: SchemaIssue): readonly FieldProblem[] {
  const field = path.map(String);
  if (keys === undefined) return [{ field: field.join('.'), detail: message }];
  return keys.map((key) => ({ field: [...field, key].join('.'), detail: 'Unknown field' }));
}

function readQuery(context: Context, types: QueryTypes): Record<string, unknown> {
  const entries = Object.entries(context.req.queries());
  return Object.fromEntries(
    entries.map(([name, values]) => {
      const wanted = types.get(name);
      if (wanted?.has('array')) return [name, values];
      return [name, values.length === 1 ? fromText(values[0] ?? '', wanted) : values];
    }),
  );
}

function fromText(text: string, types: ReadonlySet<string> = new Set()): unknown {
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if ((types.has('number') || types.has('integer')) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text;
}

/** What is uploaded goes through as it comes. */
function uploadOf(context: Context, mediaTypes: readonly string[]): AsyncIterable<Uint8Array> {
  if (!mediaTypes.includes(mediaTypeOf(context))) throw new Problem(415, `The body must be ${mediaTypes.join(' or ')}`);
  return (context.req.raw.body ??
    new ReadableStream<Uint8Array>({ start: (controller) => controller.close() })) as AsyncIterable<Uint8Array>; // of Node's types
}

function mediaTypeOf(context: Context): string {
  return context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
}

/** readJson reads a body of JSON; none is an empty object. Throws Problem. */
export async function readJson(context: Context, maxBytes: number): Promise<unknown> {
  const text = await readBody(context, maxBytes);
  if (text === '') return {};
  if (mediaTypeOf(context) !== 'application/json') throw new Problem(415, 'The body must be application/json');
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'The body is no JSON');
  }
}

/** readBody reads a body of text, whatever its type says, within `patience` milliseconds. Throws Problem. */
export async function readBody(context: Context, maxBytes: number, patience = BODY_MS): Promise<string> {
  const tooLong = new Problem(413, `The body has more than ${maxBytes} bytes`, { headers: { connection: 'close' } });
  if (Number(context.req.header('content-length') ?? 0) > maxBytes) throw tooLong;
  const reader = context.req.raw.body?.getReader();
  if (reader === undefined) return '';
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    void reader.cancel().catch(() => {});
  }, patience).unref();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let left = maxBytes;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      left -= part.value.length;
      if (left < 0) throw tooLong;
      text += decoder.decode(part.value, { stream: true });
    }
    if (isLate) throw new Problem(408, 'The body comes too slowly', { headers: { connection: 'close' } });
    return text + decoder.decode();
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(400, 'The body is no text in UTF-8, or was cut short');
  } finally {
    clearTimeout(late);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
