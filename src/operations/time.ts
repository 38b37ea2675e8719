// How operations tell a moment.

import { z } from 'zod';

/** TIME is ISO 8601 in UTC, to the second. */
export const TIME = z.iso.datetime();

/** iso writes a moment, in milliseconds since 1970. */
export function iso(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
