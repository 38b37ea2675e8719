// `midge cluster`: the brokers that work as one with the running one.

import { OperatorError } from '../base/errors.ts';
import { visibleJson, visibleText } from '../logging/line.ts';
import type { Status } from '../operations/status.ts';
import type { Invocation } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { clusterRows, clusterTroubles } from './cluster-status.ts';
import { askBroker, tell } from './control-client.ts';

type Cluster = NonNullable<Status['cluster']>;

/** run does what its first operand says; without one it shows the state. */
export async function run(invocation: Invocation): Promise<number> {
  const [action = 'status', id, tooMany] = invocation.operands;
  if (tooMany === undefined) {
    if (action === 'status' && id === undefined) return showStatus(invocation);
    if (action === 'peers' && id === undefined) return listPeers(invocation);
    if (action === 'forget' && id !== undefined) return forget(id, invocation);
  }
  const { program } = invocation;
  throw new OperatorError(`Error: Use '${program} status', '${program} peers' or '${program} forget ID'.`, { exitCode: 2 });
}

async function showStatus(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const cluster = await clusterOf(invocation);
  return tell(() => {
    const troubles = clusterTroubles(cluster);
    if (flags.has('json')) terminal.stdout.write(`${visibleJson({ ...cluster, troubles })}\n`);
    else {
      const rows = [...clusterRows(cluster), ...totalRows(cluster)];
      writeTable(
        terminal,
        rows.flatMap(([name, text]) => (text === null ? [] : [[name, visibleText(text)]])),
      );
      for (const trouble of troubles) terminal.stdout.write(`\n! ${visibleText(trouble)}\n`);
    }
    return troubles.length === 0 ? 0 : 1;
  });
}

async function listPeers(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const { peers } = await clusterOf(invocation);
  return tell(() => {
    if (flags.has('json')) terminal.stdout.write(`${visibleJson(peers)}\n`);
    else if (peers.length === 0) terminal.stdout.write('There are no other brokers.\n');
    else {
      const rows = peers.map(({ id, phase, version, latency, sent, queued, dropped }) => [
        ...[id, phase, visibleText(version ?? '-'), latency === null ? '-' : `${latency.toFixed(1)} ms`],
        ...[sent, queued, dropped].map(String),
      ]);
      writeTable(terminal, [['BROKER', 'STATE', 'VERSION', 'LATENCY', 'SENT', 'QUEUED', 'DROPPED'], ...rows]);
    }
    return 0;
  });
}

async function forget(id: string, invocation: Invocation): Promise<number> {
  await askBroker(invocation, 'forget broker', { id });
  invocation.terminal.stdout.write(`Forgotten: ${visibleText(id)}\n`);
  return 0;
}

async function clusterOf(invocation: Invocation): Promise<Cluster> {
  const cluster = (await askBroker(invocation, 'cluster')) as Status['cluster']; // the row's output
  if (cluster !== null) return cluster;
  throw new OperatorError('Cannot show the cluster: the configuration has none - see docs/two-boxes.md');
}

function totalRows({ totals, peers }: Cluster): [string, string][] {
  const connected = peers.filter(({ phase }) => phase === 'connected').length;
  const clients = totals['clients/connected'] ?? 0;
  const retained = totals['retained messages/count'] ?? 0;
  return [['Together', `${connected + 1} of ${peers.length + 1} brokers, ${clients} clients connected, ${retained} retained messages`]];
}
