// TLS handshakes that wait for us: a few begin in each turn of the event loop, so that messages flow while everybody comes back at once.
//
//   socket -> silent -> its ClientHello is here -> | queue | -> handshake runs -> secured, failed, or closed
//
// A socket that has said nothing costs no handshake, and one that waits costs a fraction of one. A peer that takes long for its part
// keeps a place for a second only: slow devices, and those that never answer, hold up nobody. A turn comes while the event loop
// handles what it has polled: Node sends no alert before a check phase has followed what it sent last, and a quick answer would come
// between a turn in that phase and the next. Where connections that have not signed in take all the room there is, no handshake begins
// that would push one of them out, until a second has passed without any.

import type { Socket } from 'node:net';
import { MessageChannel } from 'node:worker_threads';

/** Handshakes that begin in one turn: each takes some tenths of a millisecond for its signature. */
const BEGIN_PER_TURN = 4;
/** Handshakes that run at once, and milliseconds for which one counts as running. */
const RUNNING_MAX = 128;
const RUNNING_MS = 1000;
/** Milliseconds between two looks for room, and after which a turn begins without it. */
const LOOK_MS = 10;
const PATIENCE_MS = 1000;

interface Waiting {
  readonly socket: Socket;
  begin(): void;
}

/** HandshakeQueue is one for all listeners. */
export class HandshakeQueue {
  #waiting: Waiting[] = [];
  readonly #running = new Map<Socket, NodeJS.Timeout>();
  readonly #hasRoom: () => boolean;
  readonly #turns = new MessageChannel();
  #isAwaited = false;
  /** Looks that found no room since the last handshake began. */
  #looks = 0;

  /** `hasRoom` tells whether one more handshake fits beside what is there. */
  constructor(hasRoom: () => boolean = () => true) {
    this.#hasRoom = hasRoom;
    this.#turns.port1.on('message', () => this.#turn());
    this.#turns.port1.unref();
    this.#turns.port2.unref();
  }

  /** enter calls `begin` when the client has spoken and it is its turn; never when its socket is gone by then. */
  enter(socket: Socket, begin: () => void): void {
    socket.once('readable', () => {
      if (socket.destroyed || socket.readableLength === 0) return void socket.destroy(); // it left without a word
      this.#waiting.push({ socket, begin });
      this.#awaitTurn();
    });
  }

  /** ended is told when a handshake is over, whatever its end. */
  ended(socket: Socket): void {
    const timer = this.#running.get(socket);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#running.delete(socket);
    if (this.#waiting.length > 0) this.#awaitTurn();
  }

  #awaitTurn(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    setImmediate(() => this.#postTurn());
  }

  #turn(): void {
    this.#isAwaited = false;
    const isPatient = this.#looks * LOOK_MS < PATIENCE_MS;
    let begun = 0;
    let next = 0;
    while (next < this.#waiting.length && begun < BEGIN_PER_TURN && this.#running.size < RUNNING_MAX) {
      const { socket, begin } = this.#waiting[next]!; // next < length
      if (!socket.destroyed) {
        if (isPatient && !this.#hasRoom()) break;
        begun++;
        this.#running.set(socket, setTimeout(() => this.ended(socket), RUNNING_MS).unref());
        begin();
      }
      next++;
    }
    this.#waiting = this.#waiting.slice(next);
    this.#looks = next > 0 ? 0 : this.#looks + 1;
    if (this.#waiting.length === 0 || this.#running.size >= RUNNING_MAX) return;
    if (next > 0) this.#awaitTurn();
    else this.#lookAgain();
  }

  #lookAgain(): void {
    this.#isAwaited = true;
    setTimeout(() => this.#postTurn(), LOOK_MS).unref();
  }

  #postTurn(): void {
    this.#turns.port2.postMessage(null);
  }
}
