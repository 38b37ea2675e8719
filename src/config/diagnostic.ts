// What is wrong with a configuration, as values: where, how bad, and what to do.

/** Place is where something stands in a configuration file. Line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Diagnostic is one mistake or warning. Its message never holds a secret. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** File as it was named, or null when the command line is at fault. */
  readonly file: string | null;
  /** Line and column count from 1; 0 when the mistake concerns the file as a whole or the command line. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to do instead, or null. */
  readonly hint: string | null;
  /** Exit status of mosquitto after this mistake. */
  readonly mosquittoExit: number;
}

/** EXIT are mosquitto's statuses for what is wrong with a configuration: a word; an account or a rule; a certificate, a port or the machine. */
export const EXIT = { INVALID: 3, UNKNOWN: 13, FAILED: 1 } as const;

/** formatDiagnostic gives one line: `file:line:column: error: message - hint`, the way compilers do, so that editors can jump there. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, message, hint } = diagnostic;
  const place = file !== null && line > 0 ? `${file}:${line}:${column}: ` : '';
  return `${place}${severity}: ${message}${hint === null ? '' : ` - ${hint}`}`;
}

/** Report collects diagnostics while a configuration is read; reading goes on after a mistake. */
export class Report {
  readonly #diagnostics: Diagnostic[] = [];

  error(place: Place | null, message: string, hint: string | null = null, mosquittoExit: number = EXIT.INVALID): void {
    this.#add('error', place, { message, hint, mosquittoExit });
  }

  warning(place: Place | null, message: string, hint: string | null = null): void {
    this.#add('warning', place, { message, hint, mosquittoExit: 0 });
  }

  get hasErrors(): boolean {
    return this.#diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  }

  /** sorted gives all diagnostics: those of the command line and of whole files first, then by file in the order read, line and column. */
  sorted(): readonly Diagnostic[] {
    const files = [...new Set(this.#diagnostics.map((diagnostic) => diagnostic.file))];
    const rank = (diagnostic: Diagnostic) => (diagnostic.line === 0 ? -1 : files.indexOf(diagnostic.file));
    return this.#diagnostics.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
  }

  #add(severity: Diagnostic['severity'], place: Place | null, rest: Pick<Diagnostic, 'message' | 'hint' | 'mosquittoExit'>): void {
    const { file, line, column } = place ?? { file: null, line: 0, column: 0 };
    this.#diagnostics.push({ severity, file, line, column, ...rest });
  }
}
