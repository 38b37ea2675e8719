// When a client has to say that it is still there, and when it misses its server [MQTT-3.1.2-20].
//
//   parts of the keep alive:  |----|----|----|----|----|----|     PINGREQ after 2 of silence: 0.5 to 0.75 of the keep alive since the last packet
//                              sent      2    ping           5     its answer is missed after 3 more

/** KEEP_ALIVE_PARTS are how often in a keep alive it is asked what to do. */
export const KEEP_ALIVE_PARTS = 4;

const SILENT_PARTS = 2;
const AWAITED_PARTS = 3;

/** KeepAlive knows what has passed since it was asked last. */
export class KeepAlive {
  #hasSent = false;
  #hasHeard = false;
  /** Parts in which nothing was sent, and in which nothing came. */
  #unsent = 0;
  #unheard = 0;
  /** Parts since a PINGREQ after which nothing has come; null = none waits. */
  #awaited: number | null = null;

  /** sent is told of all that goes to the server. */
  sent(): void {
    this.#hasSent = true;
  }

  /** heard is told of all that comes from it. */
  heard(): void {
    this.#hasHeard = true;
  }

  /** next is asked after each part: PINGREQ is due, the server is silent, or neither. While nothing is read (`isPaused`) no answer can be missed. */
  next(isPaused: boolean): 'ping' | 'silent' | null {
    this.#unsent = this.#hasSent ? 0 : this.#unsent + 1;
    this.#unheard = this.#hasHeard ? 0 : this.#unheard + 1;
    if (this.#hasHeard) this.#awaited = null;
    this.#hasSent = false;
    this.#hasHeard = false;
    if (this.#awaited !== null && ++this.#awaited >= AWAITED_PARTS) {
      if (!isPaused) return 'silent';
      this.#awaited = null;
    }
    if (this.#awaited !== null || (this.#unsent < SILENT_PARTS && this.#unheard < SILENT_PARTS)) return null;
    this.#awaited = 0;
    return 'ping';
  }
}
