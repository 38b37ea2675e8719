// What the log is to be: destinations, types of lines, and their time.

import type { LogType } from '../base/logger.ts';

/** LogDestination as `log_dest` names it. `file` paths are absolute. */
export type LogDestination =
  | { readonly kind: 'stdout' | 'stderr' | 'syslog' | 'topic' | 'none' }
  | { readonly kind: 'file'; readonly path: string };

export interface LogOptions {
  readonly destinations: readonly LogDestination[];
  readonly types: readonly LogType[];
  readonly timestamp: boolean;
  /** strftime format, null = seconds since 1970. */
  readonly timestampFormat: string | null;
  /** syslog local0..local7, null = daemon. */
  readonly facility: number | null;
}
