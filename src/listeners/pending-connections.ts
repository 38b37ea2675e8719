// Connections that have not signed in yet, of all listeners together. Bounded in number, bytes and time, because nobody has shown who they are.
//
//   lane 192.0.2.7        [ silent: a b ] [ spoken: c ]      a lane = an IPv4 address, an IPv6 /64, a link, or the Unix sockets
//   lane 2001:db8:0:1::   [ silent: d   ] [ spoken:   ]
//
// When one must go it is of the fullest lane, and there the oldest of the silent or of those that have spoken, whichever are more. So who
// floods pushes out himself, and a slow device elsewhere has its time. A lane from which somebody has signed in counts as less full.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { laneOf } from '../base/networks.ts';
import { EvictionReport } from './eviction-report.ts';
import { HandshakeQueue } from './handshake-queue.ts';
import { openFileLimit } from './open-file-limit.ts';

/** PendingLimits bound what connections may take that have not signed in. */
export interface PendingLimits {
  /** Connections, in all and of one lane that nobody has signed in from: each costs some 10 KB, with a TLS handshake 50 KB; four times as many before that. */
  readonly connections: number;
  readonly connectionsOfLane: number;
  /** Bytes that they have sent, in all and of one lane: the beginning of a packet or of a WebSocket message is gathered. */
  readonly bytes: number;
  readonly bytesOfLane: number;
  /** Connections that are open at once, those signed in too: what the process has descriptors for. */
  readonly sockets: number;
  /** A handshake is cut after this time; a small microcontroller may need 10 s for its key exchange. */
  readonly handshakeMs: number;
}

const MEBIBYTE = 1_048_576;

const LIMITS: Omit<PendingLimits, 'sockets'> = {
  connections: 1024,
  connectionsOfLane: 512,
  bytes: 16 * MEBIBYTE,
  bytesOfLane: 4 * MEBIBYTE,
  handshakeMs: 20_000,
};

/** What a socket counts for whose TLS handshake has not begun: that is where most of its memory goes. */
const WAITING_WEIGHT = 0.25;

/** Descriptors for what is no connection: files, threads, mDNS, the control socket. */
const OTHER_DESCRIPTORS = 96;

/** A lane that is known may hold this many times as much before it counts as the fullest. */
const KNOWN_LANE_FACTOR = 8;
const KNOWN_LANES = 4096;

/** How often bytes are counted that only the socket below TLS knows of. */
const COUNT_BYTES_MS = 250;

/** Why a connection was closed, as the log says it. */
const REASONS = {
  connections: 'too many connections have not signed in',
  bytes: 'connections that have not signed in have sent too much',
  sockets: 'the limit of open files is reached (ulimit -n, LimitNOFILE of a systemd service)',
} as const;

type Limit = keyof typeof REASONS;

/** Endpoint is the socket of a connection, for its bytes; its stream may be another. */
interface Endpoint extends Duplex {
  readonly bytesRead: number;
}

export interface PendingSetup {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<PendingLimits>;
}

/** Pending is one connection on its way from the open port to its accepted CONNECT. */
export class Pending {
  readonly #all: PendingConnections;
  readonly #socket: Endpoint;
  #stream: Duplex;
  #timer: NodeJS.Timeout | null = null;
  /** Null = it has signed in, or is gone. */
  lane: Lane | null;
  /** Bytes that are counted in its lane. */
  bytes = 0;
  /** What it counts for among those pending. */
  weight = 1;

  constructor(all: PendingConnections, socket: Endpoint, lane: Lane) {
    this.#all = all;
    this.#socket = socket;
    this.#stream = socket;
    this.lane = lane;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** isUnfinished tells that a handshake runs: the engine has not got the connection yet. */
  get isUnfinished(): boolean {
    return this.#timer !== null;
  }

  /** comesFrom is told the client's own address, where a proxy says it. */
  comesFrom(address: string): void {
    this.#all.move(this, address);
  }

  /** waits begins a handshake on a stream, which is destroyed if that takes too long. */
  waits(stream: Duplex): void {
    this.arrives(stream);
    this.#timer = setTimeout(() => stream.destroy(), this.#all.limits.handshakeMs).unref();
  }

  /** arrives ends a handshake: whoever gets the stream minds the time. */
  arrives(stream: Duplex): void {
    this.#stream = stream;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** queues lets a TLS handshake begin when the client has spoken and it is its turn. */
  queues(socket: Socket, begin: () => void): void {
    const { handshakes } = this.#all;
    this.#all.weigh(this, WAITING_WEIGHT);
    handshakes.enter(socket, () => {
      this.#all.weigh(this, 1);
      begin();
    });
    socket.once('close', () => handshakes.ended(socket));
  }

  /** listensTo counts what a stream brings until the client has signed in. */
  listensTo(stream: Duplex): void {
    const count = () => {
      if (this.lane === null) stream.off('data', count);
      else this.#all.countBytes(this);
    };
    stream.on('data', count);
  }

  /** settle forgets it: the client has signed in, or is gone. */
  settle(): void {
    this.arrives(this.#stream);
    this.#all.forget(this);
  }

  /** signedIn settles it, and remembers that its lane is one of clients. */
  signedIn(): void {
    this.#all.remember(this);
    this.settle();
  }

  destroy(error?: Error): void {
    this.settle();
    this.#stream.destroy(error);
    this.#socket.destroy();
  }
}

interface Lane {
  readonly name: string;
  readonly silent: Set<Pending>;
  readonly spoken: Set<Pending>;
  /** What all of it counts for. */
  weight: number;
  bytes: number;
}

/** PendingConnections is one for all listeners. */
export class PendingConnections {
  readonly limits: PendingLimits;
  readonly handshakes = new HandshakeQueue(() => this.#size - WAITING_WEIGHT + 1 <= this.limits.connections);
  readonly #lanes = new Map<string, Lane>();
  /** Names of lanes from which clients have signed in, the latest last. */
  readonly #known = new Set<string>();
  /** Connections that are open, those signed in too. */
  #sockets = 0;
  #size = 0;
  #bytes = 0;
  #counter: NodeJS.Timeout | null = null;
  readonly #reports: Readonly<Record<Limit, EvictionReport>>;

  constructor({ clock, log, limits = {} }: PendingSetup) {
    const reportOf = (limit: Limit) => new EvictionReport(REASONS[limit], { clock, log });
    this.#reports = { connections: reportOf('connections'), bytes: reportOf('bytes'), sockets: reportOf('sockets') };
    this.limits = { ...LIMITS, sockets: socketLimit(openFileLimit()), ...limits };
  }

  /** size counts those pending, by their weight. */
  get size(): number {
    return this.#size;
  }

  /** enter takes a new socket; `address` is '' for a Unix socket. Another one may have to go for it, or it for the others. */
  enter(socket: Endpoint, address: string): Pending {
    const lane = this.#laneNamed(laneOf(address));
    const pending = new Pending(this, socket, lane);
    lane.silent.add(pending);
    lane.weight++;
    this.#size++;
    this.#sockets++;
    socket.once('close', () => {
      this.#sockets--;
      pending.settle();
    });
    this.#counter ??= setInterval(() => this.#countAllBytes(), COUNT_BYTES_MS).unref();
    this.#limitLane(lane);
    if (this.#size > this.limits.connections) this.#closeOldest(this.#fullest(sizeOf), 'connections');
    if (this.#sockets > this.limits.sockets) this.#closeOldest(this.#fullest(sizeOf), 'sockets');
    return pending;
  }

  /** outOfDescriptors is told when the system has no descriptor for a new connection. */
  outOfDescriptors(): void {
    this.#closeOldest(this.#fullest(sizeOf), 'sockets');
  }

  move(pending: Pending, address: string): void {
    const name = laneOf(address);
    if (pending.lane === null || pending.lane.name === name) return;
    this.#leave(pending, pending.lane);
    const lane = this.#laneNamed(name);
    lane.spoken.add(pending);
    lane.weight += pending.weight;
    lane.bytes += pending.bytes;
    pending.lane = lane;
    this.#limitLane(lane);
  }

  weigh(pending: Pending, weight: number): void {
    const { lane } = pending;
    if (lane === null) return;
    this.#size += weight - pending.weight;
    lane.weight += weight - pending.weight;
    pending.weight = weight;
    if (this.#size > this.limits.connections) this.#closeOldest(this.#fullest(sizeOf), 'connections');
  }

  countBytes(pending: Pending): void {
    const { lane, bytesRead } = pending;
    if (lane === null) return;
    const more = bytesRead - pending.bytes;
    pending.bytes = bytesRead;
    lane.bytes += more;
    this.#bytes += more;
    if (lane.bytes > this.limits.bytesOfLane) this.#closeLargest(lane);
    if (this.#bytes > this.limits.bytes) this.#closeLargest(this.#fullest(({ bytes }) => bytes));
  }

  forget(pending: Pending): void {
    if (pending.lane === null) return;
    this.#leave(pending, pending.lane);
    pending.lane = null;
    this.#size -= pending.weight;
    this.#bytes -= pending.bytes;
    if (this.#size > 0 || this.#counter === null) return;
    clearInterval(this.#counter);
    this.#counter = null;
  }

  remember({ lane }: Pending): void {
    if (lane === null) return;
    this.#known.delete(lane.name);
    this.#known.add(lane.name);
    const [oldest] = this.#known;
    if (this.#known.size > KNOWN_LANES && oldest !== undefined) this.#known.delete(oldest);
  }

  /** A whole home may come back at once behind one proxy: only strangers have a limit of their own. */
  #limitLane(lane: Lane): void {
    if (lane.weight > this.limits.connectionsOfLane && !this.#known.has(lane.name)) this.#closeOldest(lane, 'connections');
  }

  #leave(pending: Pending, lane: Lane): void {
    lane.silent.delete(pending);
    lane.spoken.delete(pending);
    lane.weight -= pending.weight;
    lane.bytes -= pending.bytes;
    if (sizeOf(lane) === 0) this.#lanes.delete(lane.name);
  }

  #laneNamed(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const lane = { name, silent: new Set<Pending>(), spoken: new Set<Pending>(), weight: 0, bytes: 0 };
    this.#lanes.set(name, lane);
    return lane;
  }

  #countAllBytes(): void {
    for (const { silent, spoken } of this.#lanes.values()) for (const pending of [...silent, ...spoken]) this.countBytes(pending);
  }

  /** The first of several that are equally full is that with the oldest. */
  #fullest(amountOf: (lane: Lane) => number): Lane | null {
    let fullest: Lane | null = null;
    let most = 0;
    for (const lane of this.#lanes.values()) {
      const amount = amountOf(lane) / (this.#known.has(lane.name) ? KNOWN_LANE_FACTOR : 1);
      if (amount <= most) continue;
      most = amount;
      fullest = lane;
    }
    return fullest;
  }

  #closeOldest(lane: Lane | null, limit: Limit): void {
    const oldest = lane === null ? null : oldestOf(lane);
    if (oldest !== null) this.#close(oldest, limit);
  }

  #closeLargest(lane: Lane | null): void {
    if (lane === null) return;
    let largest: Pending | null = null;
    for (const pending of [...lane.spoken, ...lane.silent]) if (largest === null || pending.bytes > largest.bytes) largest = pending;
    if (largest !== null) this.#close(largest, 'bytes');
  }

  #close(pending: Pending, limit: Limit): void {
    const from = pending.lane?.name || 'the Unix sockets';
    pending.destroy(new Error(REASONS[limit]));
    this.#reports[limit].closed(from);
  }
}

function sizeOf({ silent, spoken }: Lane): number {
  return silent.size + spoken.size;
}

/** The oldest of those that are more: a newcomer finds its time to speak where all have spoken, and a handshake its time where all are silent. */
function oldestOf({ silent, spoken }: Lane): Pending | null {
  for (const pending of silent) {
    if (pending.bytesRead === 0) break;
    silent.delete(pending); // it is found to have spoken when it would be its turn to go
    spoken.add(pending);
  }
  const [oldestSilent = null] = silent;
  const [oldestSpoken = null] = spoken;
  return silent.size >= spoken.size ? (oldestSilent ?? oldestSpoken) : oldestSpoken;
}

/** A quarter of a small limit at least is for connections. */
function socketLimit(files: number): number {
  return Math.max(files - OTHER_DESCRIPTORS, Math.floor(files / 4), 1);
}
