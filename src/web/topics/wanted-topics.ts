// What somebody types to find topics: a topic filter of MQTT, or a part of the topic.

/** Wanted is what was typed. `filter` is asked of the box; `search` too, null = all that the filter matches. */
export interface Wanted {
  readonly filter: string;
  readonly search: string | null;
  readonly isWanted: (topic: string) => boolean;
}

/** wantedTopics reads it; null = nothing was typed. */
export function wantedTopics(typed: string): Wanted | null {
  const text = typed.trim();
  if (text === '') return null;
  if (isFilter(text)) return { filter: text, search: null, isWanted: (topic) => filterMatches(text, topic) };
  const lower = text.toLowerCase();
  const filter = text.startsWith('$SYS') ? '$SYS/#' : '#';
  return {
    filter,
    search: text,
    isWanted: (topic) => topic.toLowerCase().includes(lower) && topic.startsWith('$') === filter.startsWith('$'),
  };
}

/** isFilter tells whether a text has a wildcard in a place where it is one. MQTT 5.0 4.7.1 */
export function isFilter(text: string): boolean {
  const levels = text.split('/');
  if (!levels.some((level) => level === '#' || level === '+')) return false;
  return levels.every((level, index) => (level === '#' ? index === levels.length - 1 : level === '+' || !/[+#]/.test(level)));
}

/** filterMatches tells whether a topic name is covered by a filter. Wildcards at the start do not cover `$`. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const [wanted, given] = [filter.split('/'), topic.split('/')];
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= given.length || (level !== '+' && level !== given[index])) return false;
  }
  return wanted.length === given.length;
}
