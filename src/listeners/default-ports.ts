// Opens the ports that nobody has asked for by name: one that another program has is left out, and the rest starts.

import type { Logger } from '../base/logger.ts';
import { isPortTaken, type Listener } from './listeners.ts';

/** DefaultPorts knows which of them are taken. */
export class DefaultPorts {
  readonly #log: Logger;
  readonly #describeHolder: (port: number) => string;
  readonly #taken = new Map<number, unknown>();

  /** `describeHolder` names the program that has a port. */
  constructor(log: Logger, describeHolder: (port: number) => string) {
    this.#log = log;
    this.#describeHolder = describeHolder;
  }

  /** leaveOut takes the failure of a listener that may be left out, and says so once for each port; false = the failure counts. */
  leaveOut({ options: { port } }: Listener, error: unknown): boolean {
    if (!isPortTaken(error)) return false;
    if (!this.#taken.has(port)) {
      const advice = 'stop that program, or choose another port with -p or in a configuration file';
      this.#log.log(
        'warning',
        `Warning: midge does not listen on port ${port}, because ${this.#describeHolder(port)} uses it - ${advice}.`,
      );
    }
    this.#taken.set(port, error);
    return true;
  }

  /** withoutHalves closes what is open of a port that another program has in the other address family: nobody could tell which of the two answers. Throws the failure when nothing is left. */
  async withoutHalves(opened: readonly Listener[]): Promise<readonly Listener[]> {
    const halves = opened.filter(({ options }) => this.#taken.has(options.port));
    await Promise.all(halves.map((listener) => listener.stop()));
    const whole = opened.filter((listener) => !halves.includes(listener));
    const [failure] = this.#taken.values();
    if (whole.length === 0 && failure !== undefined) throw failure;
    return whole;
  }
}
