// The text of a log line: one line, whatever clients call themselves, with mosquitto's time before it.

import type { LogLine, LogType } from '../base/logger.ts';
import { strftime } from './strftime.ts';

/** mosquitto cuts here too. */
const MAX_LENGTH = 1000;

/** Control characters but the tab, which mosquitto puts before filters, and what makes text run backwards on a terminal: a client id must not forge a line. */
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** sd-daemon(3) and syslog(3) levels, as mosquitto maps its types. */
const LEVELS: Readonly<Record<LogType, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  information: 6,
  debug: 7,
  subscribe: 5,
  unsubscribe: 5,
  websockets: 7,
  internal: 7,
};

/** syslogLevel gives the severity of a type, 3 (error) to 7 (debug). */
export function syslogLevel(type: LogType): number {
  return LEVELS[type];
}

/** safeText makes a text one harmless line of at most 1000 characters. */
export function safeText(text: string): string {
  const line = visibleText(text);
  return line.length > MAX_LENGTH ? line.slice(0, MAX_LENGTH) : line;
}

/** visibleText makes a text one harmless line: what a terminal would obey is written as \x1b or \u202e. */
export function visibleText(text: string): string {
  const line = UNSAFE.test(text) ? text.replace(UNSAFE, escapeCharacter) : text;
  UNSAFE.lastIndex = 0; // `test` of a global expression remembers where it stopped
  return line;
}

/** visibleJson is a value as indented JSON that has nothing in it which a terminal would obey. */
export function visibleJson(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split('\n');
  return lines.map((line) => line.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)).join('\n');
}

/** TimestampWriter writes `<time>: ` before a line; a format is worked out once per second. */
export class TimestampWriter {
  readonly #enabled: boolean;
  readonly #format: string | null;
  #second = Number.NaN;
  #prefix = '';

  /** A null format means seconds since 1970. */
  constructor(enabled: boolean, format: string | null) {
    this.#enabled = enabled;
    this.#format = format;
  }

  stamp(line: LogLine): string {
    if (!this.#enabled) return line.text;
    const second = Math.floor(line.time / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = `${this.#format === null ? second : strftime(this.#format, new Date(line.time))}: `;
    }
    return this.#prefix + line.text;
  }
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}
