// Topic matching as the standard words it (MQTT 5.0, 4.7), level by level, without any index: the judge of faster ones.

/** topicMatches tells whether a valid topic filter (not a shared one) matches a topic name. */
export function topicMatches(topicFilter: string, topicName: string): boolean {
  const filter = topicFilter.split('/');
  const name = topicName.split('/');
  if (topicName.startsWith('$') && (filter[0] === '#' || filter[0] === '+')) return false; // [MQTT-4.7.2-1]
  for (const [i, level] of filter.entries()) {
    if (level === '#') return true; // "sport/#" matches "sport" too: 4.7.1.2
    if (i >= name.length || (level !== '+' && level !== name[i])) return false;
    if (i === name.length - 1 && filter.length === i + 2 && filter[i + 1] === '#') return true;
  }
  return filter.length === name.length;
}
