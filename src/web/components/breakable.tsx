// Names that no blank parts: topics, client ids, hosts.

import type { ComponentChildren } from 'preact';

/** breakable lets a line end behind `/`, `.`, `-`, `_`, `:` and `@` of a name, before it ends within a word. */
export function breakable(name: string): ComponentChildren {
  return name.split(/(?<=[/.\-_:@])/).flatMap((part, index) => (index === 0 ? [part] : [<wbr key={index} />, part]));
}
