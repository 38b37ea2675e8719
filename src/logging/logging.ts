// The log of the program: lines by mosquitto's types to the destinations of `log_dest`, changed by a reload without losing a line.

import type { Clock } from '../base/clock.ts';
import { type LineSource, LOG_TYPES, type Logger, type LogLine, type LogType, logTypeSet } from '../base/logger.ts';
import { safeText, TimestampWriter } from './line.ts';
import { LineLimit, type LineLimits } from './line-limit.ts';
import type { LogDestination, LogOptions } from './options.ts';
import { fileOutput, type LogOutput, type StandardStream, streamOutput, syslogOutput } from './outputs.ts';
import { RepeatedLines } from './repeats.ts';

/** Where `log_dest topic` publishes. As in mosquitto debug lines do not go there: each delivery would make the next. */
const TOPICS: Readonly<Record<LogType, string | null>> = {
  error: '$SYS/broker/log/E',
  warning: '$SYS/broker/log/W',
  notice: '$SYS/broker/log/N',
  information: '$SYS/broker/log/I',
  debug: null,
  subscribe: '$SYS/broker/log/M/subscribe',
  unsubscribe: '$SYS/broker/log/M/unsubscribe',
  websockets: '$SYS/broker/log/WS',
  internal: null,
};

/** Lines a minute. Clients that are let in come by the hundred after a power cut, all from one address behind a proxy. */
const STRANGERS: LineLimits = { ofNetwork: 60, inAll: 600, lineLength: 300, whom: 'clients that have not signed in' };
const CLIENTS: LineLimits = { ofNetwork: 3000, inAll: 6000, lineLength: 1000, whom: 'clients that come and go' };

/** ISO 8601 in local time. */
const TERMINAL_TIME = '%Y-%m-%dT%H:%M:%S';

/** TopicPublisher publishes a log line in the process: QoS 2, not retained. */
export type TopicPublisher = (topicName: string, payload: string) => void;

export interface Log extends Logger {
  /** configure changes types and destinations, and opens log files again; throws OperatorError and changes nothing when one can't be opened. */
  configure(options: LogOptions): void;
  /** publishTo says how `log_dest topic` publishes; null before the broker stands and after it has gone. */
  publishTo(publisher: TopicPublisher | null): void;
  /** follow gives each line that is written, to one more reader, until the function that it gives is called. */
  follow(reader: (line: LogLine) => void): () => void;
  /** giveTo hands log files to the user that the broker becomes. */
  giveTo(uid: number, gid: number): void;
  close(): void;
}

export interface LogWorld {
  readonly clock: Clock;
  readonly stdout: StandardStream;
  readonly stderr: StandardStream;
  /** $JOURNAL_STREAM of systemd. */
  readonly journalStream: string | undefined;
  /** Name in syslog. */
  readonly tag: string;
}

/** createLog opens the destinations; throws OperatorError when a log file can't be opened. */
export function createLog(options: LogOptions, world: LogWorld): Log {
  const log = new ProgramLog(world);
  log.configure(options);
  return log;
}

class ProgramLog implements Log {
  readonly enabled: Record<LogType, boolean> = logTypeSet([]);
  readonly #world: LogWorld;
  #stamp = new TimestampWriter(false, null);
  #outputs: readonly LogOutput[] = [];
  #toTopic = false;
  #publisher: TopicPublisher | null = null;
  #isPublishing = false;
  readonly #readers = new Set<(line: LogLine) => void>();
  readonly #folder: RepeatedLines;
  readonly #strangers: LineLimit;
  readonly #clients: LineLimit;

  constructor(world: LogWorld) {
    this.#world = world;
    const write = (line: LogLine) => this.#write(line);
    const now = () => world.clock.monotonic();
    this.#folder = new RepeatedLines(write, now);
    this.#strangers = new LineLimit(STRANGERS, write, now);
    this.#clients = new LineLimit(CLIENTS, write, now);
  }

  /** Who wants debug lines wants to see everything. */
  log(type: LogType, text: string, source?: LineSource): void {
    if (!this.enabled[type]) return;
    const line: LogLine = { type, time: this.#world.clock.now(), text: safeText(text) };
    if (this.enabled.debug) return this.#write(line);
    if (!this.#folder.take(line)) return;
    const limit = source?.isSignedIn === true ? this.#clients : this.#strangers;
    const taken = source === undefined ? line : limit.take(line, source);
    if (taken !== null) this.#write(taken);
  }

  /** What is held back is written. */
  #flush(): void {
    for (const held of [this.#folder, this.#strangers, this.#clients]) held.flush();
  }

  #write(line: LogLine): void {
    for (const output of this.#outputs) output.write(line);
    for (const read of this.#readers) read(line);
    if (this.#toTopic) this.#publish(line);
  }

  configure(options: LogOptions): void {
    const stamp = new TimestampWriter(options.timestamp, options.timestampFormat);
    const outputs = this.#open(options, stamp);
    this.#flush();
    for (const output of this.#outputs) output.close();
    this.#outputs = outputs;
    this.#stamp = stamp;
    this.#toTopic = options.destinations.some(({ kind }) => kind === 'topic');
    const heard = outputs.length > 0 || this.#toTopic;
    for (const type of LOG_TYPES) this.enabled[type] = heard && options.types.includes(type);
  }

  follow(reader: (line: LogLine) => void): () => void {
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  publishTo(publisher: TopicPublisher | null): void {
    this.#publisher = publisher;
  }

  giveTo(uid: number, gid: number): void {
    for (const output of this.#outputs) output.giveTo?.(uid, gid);
  }

  close(): void {
    this.#publisher = null;
    this.#flush();
    for (const output of this.#outputs) output.close();
    this.#outputs = [];
  }

  #open(options: LogOptions, stamp: TimestampWriter): readonly LogOutput[] {
    const opened: LogOutput[] = [];
    try {
      for (const destination of options.destinations) {
        const output = this.#openOne(destination, options, stamp);
        if (output !== null) opened.push(output);
      }
    } catch (error) {
      for (const output of opened) output.close();
      throw error;
    }
    return opened;
  }

  #openOne(destination: LogDestination, options: LogOptions, stamp: TimestampWriter): LogOutput | null {
    switch (destination.kind) {
      case 'stdout':
      case 'stderr':
        return streamOutput(this.#world[destination.kind], this.#stampOf(destination.kind, options, stamp), this.#world.journalStream);
      case 'file':
        return fileOutput(destination.path, stamp);
      case 'syslog':
        return syslogOutput(this.#world.tag, options.facility);
      case 'topic':
      case 'none':
        return null;
    }
  }

  /** A person at a terminal reads seconds since 1970 badly. */
  #stampOf(name: 'stdout' | 'stderr', { timestamp, timestampFormat }: LogOptions, usual: TimestampWriter): TimestampWriter {
    const isForEyes = this.#world[name].stream.isTTY === true && timestampFormat === null;
    return isForEyes ? new TimestampWriter(timestamp, TERMINAL_TIME) : usual;
  }

  /** What the broker has to say about a log message is not published: it would never end. */
  #publish(line: LogLine): void {
    const topicName = TOPICS[line.type];
    if (topicName === null || this.#publisher === null || this.#isPublishing) return;
    this.#isPublishing = true;
    try {
      this.#publisher(topicName, this.#stamp.stamp(line));
    } finally {
      this.#isPublishing = false;
    }
  }
}
