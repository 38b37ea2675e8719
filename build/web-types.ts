// Writes the types of the REST interface for the page, from the OpenAPI document of these very sources: src/web/api/schema.ts, ignored by git.
// node build/web-types.ts
//
// openapi-typescript does this for all of OpenAPI, but needs the compiler of TypeScript 5. Ours is what zod writes, which is little.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from '../src/api/openapi.ts';
import { offeredOperations } from '../src/api/routes.ts';
import { OPERATIONS } from '../src/operations/operations.ts';

/** WEB_TYPES_FILE is what this writes. */
export const WEB_TYPES_FILE = join(import.meta.dirname, '../src/web/api/schema.ts');

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly $ref?: string;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Described {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: Schema }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

/** writeWebTypes gives the text of a module that exports `paths`, as openapi-fetch wants them. */
export function writeWebTypes(): string {
  const document = openApiDocument('midge', offeredOperations(OPERATIONS)) as {
    paths: Record<string, Record<string, Described>>; // made there
    components: { schemas: Record<string, Schema> };
  };
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => `  ${key(name)}: ${typeOf(schema)};`);
  const paths = Object.entries(document.paths).map(([path, methods]) => `  ${key(path)}: {\n${pathLines(methods).join('\n')}\n  };`);
  return [
    '// The types of the REST interface, made by build/web-types.ts of the OpenAPI document.',
    `export interface components { schemas: {\n${schemas.join('\n')}\n} }`,
    `export interface paths {\n${paths.join('\n')}\n}\n`,
  ].join('\n\n');
}

function pathLines(methods: Readonly<Record<string, Described>>): string[] {
  const none = METHODS.filter((method) => methods[method] === undefined).map((method) => `    ${method}?: never;`);
  return [...Object.entries(methods).map(([method, described]) => `    ${method}: ${describe(described)};`), ...none];
}

function describe({ parameters = [], requestBody, responses }: Described): string {
  const places = ['query', 'header', 'path', 'cookie'].map((place) => {
    const those = parameters.filter((each) => each.in === place);
    if (those.length === 0) return `${place}?: never`;
    const optional = place !== 'path' && those.every(({ required }) => required !== true);
    const fields = those.map((each) => `${key(each.name)}${each.required === true ? '' : '?'}: ${typeOf(each.schema)}`);
    return `${place}${optional ? '?' : ''}: { ${fields.join('; ')} }`;
  });
  const body = requestBody?.content === undefined ? 'requestBody?: never' : `requestBody: { content: ${contentOf(requestBody)} }`;
  const answers = Object.entries(responses).map(
    ([status, answer]) => `${status}: { headers: Record<string, string>; content: ${contentOf(answer)} }`,
  );
  return `{ parameters: { ${places.join('; ')} }; ${body}; responses: { ${answers.join('; ')} } }`;
}

function contentOf({ content }: Content): string {
  if (content === undefined) return '{ "application/json"?: never }';
  return `{ ${Object.entries(content)
    .map(([type, { schema }]) => `${key(type)}: ${typeOf(schema)}`)
    .join('; ')} }`;
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return `components['schemas']['${schema.$ref.split('/').at(-1)}']`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((each) => JSON.stringify(each)).join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map((each) => `(${typeOf(each)})`).join(' & ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map((each) => `(${typeOf(each)})`).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return arrayOf(schema);
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case undefined:
      return 'unknown';
    default:
      throw new Error(`Cannot write the type of ${JSON.stringify(schema)}`);
  }
}

function objectOf({ properties, required = [], additionalProperties }: Schema): string {
  if (properties === undefined || Object.keys(properties).length === 0) {
    return typeof additionalProperties === 'object' ? `{ [name: string]: ${typeOf(additionalProperties)} }` : 'Record<string, never>';
  }
  const fields = Object.entries(properties).map(([name, each]) => {
    const words = each.description === undefined ? '' : `\n/** ${each.description.replaceAll('*/', '* /')} */\n`;
    return `${words}${key(name)}${required.includes(name) ? '' : '?'}: ${typeOf(each)};`;
  });
  return `{ ${fields.join(' ')} }`;
}

function arrayOf({ items, prefixItems }: Schema): string {
  if (prefixItems !== undefined) return arrayOf({ items: { anyOf: prefixItems } }); // openapi-fetch makes arrays of tuples
  return `(${typeOf(items ?? {})})[]`;
}

function key(name: string): string {
  return JSON.stringify(name);
}

if (import.meta.main) writeFileSync(WEB_TYPES_FILE, writeWebTypes());
