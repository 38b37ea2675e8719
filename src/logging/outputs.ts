// Where log lines go: standard streams, a file, syslog.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fchownSync, fstatSync, openSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { LogLine } from '../base/logger.ts';
import { syslogLevel, type TimestampWriter } from './line.ts';

/** LogOutput writes lines to one place. It never throws: a full disk must not stop the broker. */
export interface LogOutput {
  write(line: LogLine): void;
  close(): void;
  /** giveTo hands what it keeps to the user that the broker becomes. */
  giveTo?(uid: number, gid: number): void;
}

/** StandardStream is stdout or stderr and its file descriptor. */
export interface StandardStream {
  readonly stream: Writable & { readonly isTTY?: boolean };
  readonly fd: number;
}

/** streamOutput writes to a standard stream: with time for people, with priority for the journal of systemd, which has its own time. sd-daemon(3) */
export function streamOutput({ stream, fd }: StandardStream, stamp: TimestampWriter, journalStream: string | undefined): LogOutput {
  const toJournal = isJournal(fd, journalStream);
  const ignore = () => {}; // a reader that went away
  stream.on('error', ignore);
  return {
    write: (line) => void stream.write(toJournal ? `<${syslogLevel(line.type)}>${line.text}\n` : `${stamp.stamp(line)}\n`),
    close: () => void stream.off('error', ignore),
  };
}

/** fileOutput appends to a file, which is made readable for its owner only. Throws OperatorError when it can't be opened. */
export function fileOutput(path: string, stamp: TimestampWriter): LogOutput {
  let fd: number;
  try {
    fd = openSync(path, 'a', 0o600);
  } catch (error) {
    throw new OperatorError(`Cannot open log file "${path}": ${reasonOf(error)}`, { cause: error });
  }
  let complained = false;
  return {
    write(line) {
      try {
        writeSync(fd, `${stamp.stamp(line)}\n`);
        complained = false;
      } catch (error) {
        if (!complained) process.stderr.write(`Cannot write log file "${path}": ${reasonOf(error)}\n`);
        complained = true;
      }
    },
    close: () => closeSync(fd),
    giveTo: (uid, gid) => fchownSync(fd, uid, gid),
  };
}

/** syslogOutput pipes lines to logger(1), because Node has no datagram Unix sockets; they are those of `tag[our pid]`. `facility` is local0 to local7, null = daemon. */
export function syslogOutput(tag: string, facility: number | null, command = 'logger'): LogOutput {
  const code = facility === null ? 3 : 16 + facility; // syslog(3): LOG_DAEMON, LOG_LOCAL0
  let child: ChildProcess | null = null;
  const start = () => {
    const started = spawn(command, ['--tag', tag, `--id=${process.pid}`, '--prio-prefix'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    started.on('error', (error) =>
      process.stderr.write(`Cannot log to syslog: ${reasonOf(error)} - install logger (Debian package bsdutils)\n`),
    );
    started.on('exit', () => {
      child = null;
    });
    started.stdin?.on('error', () => {});
    return started;
  };
  return {
    write(line) {
      child ??= start();
      child.stdin?.write(`<${code * 8 + syslogLevel(line.type)}>${line.text}\n`);
    },
    close() {
      child?.stdin?.end(); // it writes what it has and ends by itself
      child?.unref();
    },
  };
}

/** isJournal: systemd says by JOURNAL_STREAM="DEVICE:INODE" which stream goes to its journal. sd-journal, systemd.exec(5) */
export function isJournal(fd: number, journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return journalStream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
