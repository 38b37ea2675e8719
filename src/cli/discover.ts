// `midge discover`: the brokers that announce themselves on the network, as a table or as JSON.

import { OperatorError } from '../base/errors.ts';
import { browse, type DiscoveredBroker } from '../discovery/discovery.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';

/** Seconds to listen: answers come within one, a second question catches what was lost. */
const DEFAULT_TIMEOUT = 3;

const LONGEST_TIMEOUT = 86_400;

/** Browse is what looks around: discovery's `browse`, or a test's. */
export type Browse = (options: {
  signal: AbortSignal;
  onFound: (broker: DiscoveredBroker) => void;
  onLost: (broker: DiscoveredBroker) => void;
}) => Promise<void>;

/** run prints what was found. The exit status is 0 when there is a broker, 1 when there is none. */
export function run(invocation: Invocation): Promise<number> {
  return discover(invocation, browse);
}

/** discover is `run` with another pair of eyes. */
export async function discover({ flags, terminal }: Invocation, look: Browse): Promise<number> {
  const found = new Map<string, DiscoveredBroker>();
  const signal = AbortSignal.timeout(timeoutOf(flags.get('timeout')?.at(-1)) * 1000);
  await look({
    signal,
    onFound: (broker) => found.set(broker.id, broker),
    onLost: (broker) => found.delete(broker.id),
  });
  const brokers = [...found.values()].sort((a, b) => compare(a.name, b.name) || a.port - b.port);
  if (flags.has('json')) terminal.stdout.write(`${JSON.stringify(brokers.map(jsonOf), null, 2)}\n`);
  else printTable(brokers, terminal);
  return brokers.length > 0 ? 0 : 1;
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TIMEOUT;
  const seconds = Number(text);
  if (text.trim() !== '' && seconds > 0 && seconds <= LONGEST_TIMEOUT) return seconds;
  throw new OperatorError(`Cannot use timeout "${text}": it must be a number of seconds, up to ${LONGEST_TIMEOUT}`);
}

function printTable(brokers: readonly DiscoveredBroker[], { stdout, stderr }: Terminal): void {
  if (brokers.length === 0) {
    stderr.write('No broker announces itself on this network. To announce one: midge serve --lan\n');
    return;
  }
  const rows = [['NAME', 'URL', 'ADDRESS'], ...brokers.map((each) => [each.name, urlOf(each), each.addresses.join(' ')])];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const [name = '', url = '', addresses = ''] of rows) {
    stdout.write(`${name.padEnd(widths[0]!)}  ${url.padEnd(widths[1]!)}  ${addresses}`.trimEnd().concat('\n'));
  }
}

function jsonOf(broker: DiscoveredBroker): object {
  const { name, host, addresses, port, kind, txt } = broker;
  return { name, url: urlOf(broker), protocol: kind, host, port, addresses, txt };
}

/** urlOf gives what other programs take: a WebSocket's path comes from TXT. */
function urlOf({ kind, host, port, txt }: DiscoveredBroker): string {
  const path = kind === 'ws' || kind === 'wss' ? (txt['path'] ?? '') : '';
  return `${kind}://${host.replace(/\.$/, '')}:${port}${path}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
