// The types of answers by their path, for what views hand on to their parts.

import type { paths } from './schema.ts';

/** Gettable are the paths with an answer in JSON. */
type Gettable = {
  [Path in keyof paths]: paths[Path] extends { get: { responses: { 200: { content: { 'application/json': unknown } } } } } ? Path : never;
}[keyof paths];

/** Answer is what a GET of a path answers. */
export type Answer<Path extends Gettable> = paths[Path]['get']['responses'][200]['content']['application/json'];
