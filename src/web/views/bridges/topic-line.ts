// What stands behind the word `topic` of a bridge, taken apart for the fields of a form. mosquitto.conf(5)

/** Direction as in a `topic` line: 'out' goes to the other broker. */
export type Direction = 'both' | 'out' | 'in';

/** TopicLine is one of them. */
export interface TopicLine {
  readonly filter: string;
  readonly direction: Direction;
  /** QoS and prefixes, which the form leaves as they are. */
  readonly rest: string;
  /** As it stands in the configuration; null = it is new, or was changed. */
  readonly text: string | null;
}

/** NEW_LINE loses nothing when the connection ends. */
export const NEW_LINE: TopicLine = { filter: '', direction: 'both', rest: '1', text: null };

/** readTopicLine takes one apart. Without a direction messages go out. */
export function readTopicLine(text: string): TopicLine {
  const [, filter = text, direction = 'out', rest = ''] = /^(\S+)(?:[ \t]+(both|out|in)(?:[ \t]+(.*))?)?$/.exec(text) ?? [];
  return { filter, direction: direction as Direction, rest, text }; // as the pattern has it
}

/** isWholeLine tells whether the field of the filter holds all of a line, which says its direction itself. */
export function isWholeLine({ filter }: TopicLine): boolean {
  return /\s/.test(filter.trim());
}

/** linesOf writes all, but for those that are empty. */
export function linesOf(topics: readonly TopicLine[]): string[] {
  return topics.map(writeTopicLine).filter((each) => each !== '');
}

/** writeTopicLine gives what was not changed as it stood. A whole line that is typed into the field of the filter counts as it is. */
export function writeTopicLine(line: TopicLine): string {
  const { filter, direction, rest, text } = line;
  if (text !== null) return text;
  const typed = filter.trim();
  return typed === '' || isWholeLine(line) ? typed : `${typed} ${direction} ${rest}`.trim();
}
