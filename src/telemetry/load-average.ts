// Moving averages of what a counter gains per minute, over 1, 5 and 15 minutes: the formula of mosquitto's sys_tree.c.
//
//   gain = (count - count before) * 60 / seconds
//   average = gain + exp(-seconds / span) * (average before - gain)

const SPANS = [
  { name: '1min', seconds: 60 },
  { name: '5min', seconds: 300 },
  { name: '15min', seconds: 900 },
] as const;

/** LoadAverage follows one counter from a given count on; its averages begin at 0. */
export class LoadAverage {
  #count: number;
  readonly #averages = SPANS.map(() => 0);

  constructor(count: number) {
    this.#count = count;
  }

  /** update takes the count that was reached `seconds` (> 0) after the one before. */
  update(count: number, seconds: number): void {
    const gain = ((count - this.#count) * 60) / seconds;
    this.#count = count;
    SPANS.forEach((span, at) => {
      this.#averages[at] = gain + Math.exp(-seconds / span.seconds) * (this.#averages[at]! - gain); // one per span
    });
  }

  /** lastMinute is the average per minute over the shortest span. */
  get lastMinute(): number {
    return this.#averages[0]!; // one per span
  }

  /** texts gives the name of each span and its average per minute with two decimals. */
  texts(): [span: string, text: string][] {
    return SPANS.map(({ name }, at) => [name, this.#averages[at]!.toFixed(2)]); // one per span
  }
}
