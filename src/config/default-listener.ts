// The default listener, which no `listener` line opens: which words open it, and what the others mean for the listeners of a file that opens none.

import type { ListenerOptions } from '../listeners/options.ts';
import type { Report } from './diagnostic.ts';
import type { ListenerDraft } from './draft.ts';

/** Words that say how clients are served, and not that somebody should come from elsewhere: alone they leave the broker local. */
const STAYS_LOCAL: ReadonlySet<string> = new Set([
  'protocol',
  'socket_domain',
  'max_connections',
  'max_qos',
  'max_topic_alias',
  'max_topic_alias_broker',
  'use_username_as_clientid',
  'websockets_origin',
  'trusted_proxies',
]);

/** OF_DEFAULT_LISTENER are words for the default listener wherever they stand. */
export const OF_DEFAULT_LISTENER: ReadonlySet<string> = new Set(['port', 'bind_address']);

/** opensDefault tells whether a word in front of any `listener` opens the default listener where the file has no other. */
export function opensDefault({ places }: ListenerDraft): boolean {
  return [...places.keys()].some((name) => !STAYS_LOCAL.has(name));
}

/** withPort gives the default listener its port: the file's, or that of `-p`, or the usual one. */
export function withPort(draft: ListenerDraft, port: number | null): ListenerDraft {
  const usual = draft.tls.secure ? 8883 : 1883;
  return { ...draft, socket: { ...draft.socket, port: draft.socket.port ?? port ?? usual } };
}

/** withWordsOf makes words that do not open the default listener hold for those that are open without it. */
export function withWordsOf({ socket, origins, trustedProxies, policy }: ListenerDraft, listeners: readonly ListenerOptions[]) {
  const { socketDomain } = socket;
  const fits = ({ address }: ListenerOptions) =>
    socketDomain === undefined || address === null || address.includes(':') === (socketDomain === 'ipv6');
  return listeners.filter(fits).map((listener): ListenerOptions => {
    const said = { ...listener, ...socket, policy: { ...listener.policy, ...policy } };
    if (said.protocol !== 'websockets') return said;
    return { ...said, trustedProxies, websocketsOrigins: origins.length > 0 ? origins : originsAt(listener) };
  });
}

/** Anyone may connect to a listener of this machine only, and a web browser on it opens pages of strangers. */
function originsAt({ address }: ListenerOptions): ListenerOptions['websocketsOrigins'] {
  return address === null ? [] : 'loopback';
}

/** reportHiddenDefault warns of a listener that hardly anybody means to open: one made by a word above the first `listener`. */
export function reportHiddenDefault({ places }: ListenerDraft, report: Report): void {
  const asked = ['port', 'bind_address', 'secure'].some((name) => places.has(name));
  const [first] = places;
  if (asked || first === undefined) return;
  const [name, place] = first;
  report.warning(
    place,
    `${name} above the first listener opens the default listener on port 1883 as well`,
    'put it below a listener line if that is not meant',
  );
}
