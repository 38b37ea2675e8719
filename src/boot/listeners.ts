// The listeners of the image: both with and without TLS, MQTT and WebSocket, unless midge.txt says otherwise; and the page for browsers.

import type { BootSettings } from './settings.ts';

type Wishes = Pick<BootSettings, 'port' | 'secure'>;

interface Listener {
  readonly port: number;
  readonly isSecure: boolean;
  readonly isWebsocket: boolean;
}

const USUAL: readonly Listener[] = [
  { port: 1883, isSecure: false, isWebsocket: false },
  { port: 8883, isSecure: true, isWebsocket: false },
  { port: 9001, isSecure: false, isWebsocket: true },
  { port: 8084, isSecure: true, isWebsocket: true },
];
/** What other programs of the image listen on. */
const OTHERS: Readonly<Record<number, string>> = { 22: 'SSH', 53: 'the name server', 80: 'the web page', 443: 'the web page' };

/** The page for browsers, and the way to it from http://. */
const PAGE = ['listener 443', 'protocol http', 'listener 80', 'protocol http', 'secure false'];

/** listenerLines gives them in the language of mosquitto.conf(5). `port` is that of the one that `secure` chooses, otherwise of the plain one; one with a problem is left aside. */
export function listenerLines(wishes: Wishes): string[] {
  const sound = portProblem(wishes) === null ? wishes : { ...wishes, port: null };
  const mqtt = listeners(sound).flatMap(({ port, isSecure, isWebsocket }) => [
    `listener ${port}`,
    ...(isWebsocket ? ['protocol websockets'] : []),
    ...(isSecure ? ['secure true'] : []),
  ]);
  return [...mqtt, ...PAGE];
}

/** portProblem says why the broker could not listen on the port that is wished for, or null. */
export function portProblem(wishes: Wishes): string | null {
  if (wishes.port === null) return null;
  const other = OTHERS[wishes.port];
  if (other !== undefined) return `it is the port of ${other}`;
  const [first, second] = listeners(wishes).filter(({ port }) => port === wishes.port);
  if (first === undefined || second === undefined) return null;
  const advice = second.isSecure && !second.isWebsocket ? ' - for TLS alone write secure = yes beside it' : '';
  return `the broker listens there already (${second.isWebsocket ? 'WebSocket' : 'MQTT'}${second.isSecure ? ' with TLS' : ''})${advice}`;
}

function listeners({ port, secure }: Wishes): readonly Listener[] {
  const chosen = USUAL.find(({ isSecure }) => isSecure === (secure ?? false));
  return USUAL.filter(({ isSecure }) => secure === null || isSecure === secure).map((listener) =>
    listener === chosen && port !== null ? { ...listener, port } : listener,
  );
}
