// What is wrong with an access file, as values: all mistakes of a file at once, with their places.

import { OperatorError, reasonOf } from '../base/errors.ts';
import { readNamedText } from '../base/named-file.ts';

/** FileDiagnostic is one mistake or warning about a line. It never holds a password. */
export interface FileDiagnostic {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Line and column count from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to do instead, or null. */
  readonly hint: string | null;
}

/** refuseMistakes throws an OperatorError that holds a line `file:line:column: message - hint` for each error; warnings pass. */
export function refuseMistakes(remarks: readonly FileDiagnostic[]): void {
  const errors = remarks.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new OperatorError(errors.map(remarkLine).join('\n'));
}

function remarkLine({ file, line, column, message, hint }: FileDiagnostic): string {
  return `${file}:${line}:${column}: ${message}${hint === null ? '' : ` - ${hint}`}`;
}

/** readAccessFile gives the text of a file that the configuration names by `word`; throws OperatorError when it cannot be read. */
export function readAccessFile(word: string, path: string): string {
  try {
    return readNamedText(path);
  } catch (error) {
    throw new OperatorError(`Cannot read ${word} "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
