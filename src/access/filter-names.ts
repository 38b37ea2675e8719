// Filters read backwards: whom they mean by `%c` and `%u`, and whether two of them share a topic.

/** namesIn reads a topic name by a filter with `%c` and `%u`: which user name and client id, each within a level, make them match; null when none does. */
export function namesIn(filter: string, topicName: string): { readonly username: string | null; readonly clientId: string | null } | null {
  const seen = new Set<string>();
  const source = filter
    .split(/(%[cu]|\/#$|[+#])/)
    .map((part) => {
      if (part === '%c' || part === '%u') {
        const name = part === '%c' ? 'clientId' : 'username';
        const again = seen.has(name);
        seen.add(name);
        return again ? `\\k<${name}>` : `(?<${name}>[^/]+)`;
      }
      if (part === '/#') return '(?:/.*)?';
      if (part === '+') return '[^/]*';
      return part === '#' ? '.*' : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    })
    .join('');
  const match = new RegExp(`^${source}$`, 's').exec(topicName);
  if (match === null) return null;
  return { username: match.groups?.['username'] ?? null, clientId: match.groups?.['clientId'] ?? null };
}

/** overlaps tells whether some topic name is matched by both filters, which are split into levels. */
export function overlaps(a: readonly string[], b: readonly string[]): boolean {
  if (isHidden(a[0]) !== isHidden(b[0])) return false; // [MQTT-4.7.2-1]
  const length = Math.max(a.length, b.length);
  for (let level = 0; level <= length; level++) {
    const [one, other] = [a[level], b[level]];
    if (one === '#' || other === '#') return true;
    if (one === undefined || other === undefined) return one === other;
    if (one !== other && one !== '+' && other !== '+') return false;
  }
  return true;
}

function isHidden(firstLevel: string | undefined): boolean {
  return firstLevel?.startsWith('$') ?? false;
}
