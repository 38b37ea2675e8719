// The OpenAPI document: the executable carries it, because making it leaves memory behind; beside the sources it is made when somebody asks.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPERATIONS } from '../operations/operations.ts';

/** The bundler replaces it by the name of the file beside the program's. */
declare const MIDGE_OPENAPI: string | undefined;

/** openApiReader gives a function for the document, compressed with gzip. */
export function openApiReader(title: string): () => Promise<Uint8Array<ArrayBuffer>> {
  let made: Promise<Uint8Array<ArrayBuffer>> | null = null;
  return () => {
    made ??= readOrMake(title);
    return made;
  };
}

async function readOrMake(title: string): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof MIDGE_OPENAPI !== 'undefined') return new Uint8Array(readFileSync(join(import.meta.dirname, MIDGE_OPENAPI)));
  const { openApiFile } = await import('../api/openapi.ts');
  return openApiFile(title, OPERATIONS);
}
