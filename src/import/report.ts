// What an import tells: a line for everything that was found.

import type { SettingLine } from './needs.ts';

/** ImportLine is one line of the report. Secrets are left out. */
export interface ImportLine {
  readonly what: string;
  readonly outcome: SettingLine['outcome'] | 'changed' | 'left out';
  readonly reason: string | null;
}

/** ImportReport says what became of everything, and which files were (or would be) written. */
export interface ImportReport {
  readonly lines: readonly ImportLine[];
  readonly written: readonly string[];
}
