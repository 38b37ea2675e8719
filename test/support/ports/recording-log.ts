// A logger that remembers its lines.

import { LOG_TYPES, type Logger, type LogType, logTypeSet } from '../../../src/base/logger.ts';

export interface RecordingLog extends Logger {
  readonly lines: string[];
  /** line resolves with the first line, written already or later, that the pattern matches. */
  line(pattern: RegExp): Promise<string>;
}

/** recordingLog keeps the text of every line of the types asked for; without asking, of all. */
export function recordingLog(types: readonly LogType[] = LOG_TYPES): RecordingLog {
  const enabled = logTypeSet(types);
  const lines: string[] = [];
  const waiting = new Set<{ pattern: RegExp; resolve: (line: string) => void }>();
  return {
    enabled,
    lines,
    log(type: LogType, line: string) {
      if (!enabled[type]) return;
      lines.push(line);
      for (const waiter of waiting) {
        if (!waiter.pattern.test(line)) continue;
        waiting.delete(waiter);
        waiter.resolve(line);
      }
    },
    line(pattern) {
      const found = lines.find((line) => pattern.test(line));
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve) => waiting.add({ pattern, resolve }));
    },
  };
}
