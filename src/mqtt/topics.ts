// The rules for topic names and topic filters, MQTT 5 4.7 (the same as 3.1.1 4.7).
//
//   valid filters      #   +   a/#   a/+/b   +/+   /   a//b   $SYS/#
//   invalid filters    a+   a#   #/a   a/#/b   (empty)
//   `+` and `#` at the start do not match names that begin with `$` [MQTT-4.7.2-1]

/** MAX_TOPIC_LEVELS bounds the depth of names and filters: a walk of the subscription tree costs time per level. mosquitto has the same limit: 200 slashes. */
export const MAX_TOPIC_LEVELS = 201;

/** TOPIC_BYTES_MAX is what the length of a string can say (1.5.4): with its mount point a name may be longer. */
export const TOPIC_BYTES_MAX = 65_535;

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;

/** isTopicName tells whether text may be published to: not empty, no wildcard, not too deep [MQTT-3.3.2-2] [MQTT-4.7.3-1]. */
export function isTopicName(text: string): boolean {
  if (text.length === 0) return false;
  let levels = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === PLUS || code === HASH || code === 0) return false;
    if (code === SLASH) levels++;
  }
  return levels <= MAX_TOPIC_LEVELS;
}

/** isTopicFilter tells whether text may be subscribed to, without a `$share/GROUP/` prefix [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1]. */
export function isTopicFilter(text: string): boolean {
  if (text.length === 0) return false;
  let levels = 1;
  let levelStart = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === SLASH) {
      levels++;
      levelStart = at + 1;
    } else if (code === HASH) {
      if (at !== levelStart || at !== text.length - 1) return false;
    } else if (code === PLUS) {
      const next = at + 1 === text.length || text.charCodeAt(at + 1) === SLASH;
      if (at !== levelStart || !next) return false;
    } else if (code === 0) {
      return false;
    }
  }
  return levels <= MAX_TOPIC_LEVELS;
}

/** isReservedTopic tells whether the broker alone publishes to a topic name: `$SYS`, but for the state of mosquitto's bridges, and `$share`. */
export function isReservedTopic(topicName: string): boolean {
  if (!topicName.startsWith('$S') && !topicName.startsWith('$s')) return false;
  return /^\$(SYS|share)(\/|$)/.test(topicName) && !/^\$SYS\/broker\/connection\/[^/]+\/state$/.test(topicName);
}

/** isControlTopic tells whether a message is a request to the broker itself: nobody gets it. */
export function isControlTopic(topicName: string): boolean {
  return topicName.startsWith('$CONTROL/');
}

/** SharedFilter is a `$share/GROUP/FILTER` taken apart. */
export interface SharedFilter {
  readonly group: string;
  readonly topicFilter: string;
}

const SHARE_PREFIX = '$share/';

/** isSharedFilter tells whether text claims to be a shared subscription; it may still be malformed. */
export function isSharedFilter(text: string): boolean {
  return text.startsWith(SHARE_PREFIX) || text === '$share';
}

/** parseSharedFilter takes `$share/GROUP/FILTER` apart, or gives null when it is malformed [MQTT-4.8.2-1] [MQTT-4.8.2-2]. */
export function parseSharedFilter(text: string): SharedFilter | null {
  const groupEnd = text.indexOf('/', SHARE_PREFIX.length);
  if (!text.startsWith(SHARE_PREFIX) || groupEnd < 0) return null;
  const group = text.slice(SHARE_PREFIX.length, groupEnd);
  const topicFilter = text.slice(groupEnd + 1);
  if (group.length === 0 || /[+#]/.test(group) || !isTopicFilter(topicFilter)) return null;
  return { group, topicFilter };
}

/** filterMatches tells whether a topic filter matches a topic name, 4.7. The plain meaning, for tests and rare checks; the subscription tree is for speed. */
export function filterMatches(topicFilter: string, topicName: string): boolean {
  if (topicName.startsWith('$') && /^[+#]/.test(topicFilter)) return false; // [MQTT-4.7.2-1]
  const filterLevels = topicFilter.split('/');
  const nameLevels = topicName.split('/');
  for (let level = 0; level < filterLevels.length; level++) {
    const wanted = filterLevels[level];
    if (wanted === '#') return true; // also the parent level: `a/#` matches `a`
    if (level >= nameLevels.length) return false;
    if (wanted !== '+' && wanted !== nameLevels[level]) return false;
  }
  return filterLevels.length === nameLevels.length;
}
