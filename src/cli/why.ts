// `midge why`: who was turned away by the running broker, and why.

import { safeText, visibleJson, visibleText } from '../logging/line.ts';
import type { Reasons } from '../operations/why.ts';
import { isOfLock } from '../refusals/advice.ts';
import type { Invocation } from '../terminal/command.ts';
import { askBroker, tell } from './control-client.ts';
import { isoTime } from './iso-time.ts';

/** run prints when an account was let in last, then the reasons, the latest last. The exit status is 0, also when there is nothing to tell. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, operands, terminal } = invocation;
  const about = operands[0] ?? null;
  const reasons = (await askBroker(invocation, 'why', { about })) as Reasons; // the other end is controlRequests
  terminal.stdout.write(flags.has('json') ? `${visibleJson(reasons)}\n` : tell(() => textOf(reasons, about)));
  return 0;
}

function textOf({ refusals, held, deaf, letIn }: Reasons, about: string | null): string {
  const lines = [
    ...(letIn === null || about === null ? [] : [letInLine(letIn, about)]),
    ...refusals.toReversed().flatMap(linesOf),
    ...deaf.flatMap(({ clientId, reason, advice }) => [`Client ${safeText(clientId)} ${safeText(reason)}.`, ...adviceLines(advice)]),
    ...held.map(({ address, username, failures, until }) => {
      const who = [username === null ? null : `user "${safeText(username)}"`, address === null ? null : `from ${address}`];
      return `Held until ${isoTime(until)}: logins of ${who.filter((word) => word !== null).join(' ') || 'anybody'} (${failures} wrong ones).`;
    }),
  ];
  if (lines.length > 0) return `${lines.map(visibleText).join('\n')}\n`;
  return about === null ? 'The broker has refused no client since it started.\n' : `Nothing is known about "${about}".\n`;
}

function letInLine({ time, clientId, address }: NonNullable<Reasons['letIn']>, username: string): string {
  const place = address === '' ? 'on this machine' : `from ${address}`;
  const how = clientId === '' ? 'by HTTP' : `as client ${clientId}`;
  return `${isoTime(time)}  ${safeText(`user ${username} was let in ${place} ${how}`)}, the last time since the broker started.`;
}

function linesOf(refusal: Reasons['refusals'][number]): string[] {
  const { cause, last, count, address, listenerPort, clientId, username, reason, advice, settled } = refusal;
  const times = count > 1 ? ` (${count} times since ${isoTime(refusal.first)})` : '';
  const who = [
    cause === 'page' ? 'somebody' : clientId === '' ? 'a client' : `client ${clientId}`,
    username === null ? '' : `, user ${username},`,
    address === '' ? ' on this machine' : ` from ${address}`,
    listenerPort === 0 ? '' : ` on port ${listenerPort}`,
  ].join('');
  const sentence = safeText(`${who} ${reason}`);
  return [`${isoTime(last)}  ${sentence}${times}`, ...adviceLines(settled === null ? advice : calmWords(refusal, settled))];
}

function calmWords({ cause, topicName, adviceCode }: Reasons['refusals'][number], settled: number): string {
  if (topicName !== null) return 'the rules allow it now: nothing to do';
  if (isOfLock(adviceCode)) return 'its account lets it in again: nothing to do';
  return cause === 'page'
    ? `this user signed in from there at ${isoTime(settled)}: nothing to do`
    : `it came in at ${isoTime(settled)}: nothing to do`;
}

function adviceLines(advice: string | null): string[] {
  return advice === null ? [] : [`${' '.repeat(27)}-> ${safeText(advice)}`];
}
