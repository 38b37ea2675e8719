// The schemas of the table as JSON Schema (draft 2020-12, that of OpenAPI 3.1).

import { z } from 'zod';

/** JsonSchema is one as an object of JSON. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** jsonSchemaOf describes what a schema takes (`input`) or gives (`output`). */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
