// Explains a refusal by more than engine and listeners could say - is the user known, which ACL line decided - and says what to do about it.

import type { ClientCertificateProblem, PageProblem, RefusalReason, TlsProblem } from '../base/refusal-reason.ts';
import { shellWord } from '../base/shell-word.ts';
import type { Refusal } from '../broker/ports.ts';
import { type Advice, type AdviceCode, advise } from './advice.ts';
import type { AclVerdict, KnownAccount, RefusalNeeds } from './needs.ts';

/** Explanation is what more is known: the reason as the operator may know it, and advice where there is some. */
export interface Explanation {
  readonly reason: RefusalReason;
  /** What to do about it, or null. */
  readonly advice: Advice | null;
}

/** explainRefusal explains it by what is in force now. */
export function explainRefusal(refusal: Refusal, needs: RefusalNeeds): Explanation {
  const { reason } = refusal;
  const explained = (advice: Advice | null): Explanation => ({ reason, advice });
  switch (reason.cause) {
    case 'tls':
      return explained(reason.what === 'handshake' ? tlsAdvice(reason.problem, needs) : advise('trust'));
    case 'wrong protocol':
      return explained(protocolAdvice(reason.spoken, needs));
    case 'held':
      return explained(advise('held'));
    case 'bad packet':
      return explained(reason.what === 'too large' ? advise('smaller packets') : null);
    case 'credentials':
      return reason.what === 'wrong' && refusal.username !== null ? explainLogin(refusal, refusal.username, needs) : explained(null);
    case 'page':
      return explainPage(refusal, reason, needs);
    case 'not allowed':
      return explained(
        reason.what === 'no accounts' && refusal.username !== null ? firstAccountAdvice(refusal, refusal.username, needs) : null,
      );
    case 'topic':
      return explainTopic(refusal, needs);
    default:
      return explained(null);
  }
}

function protocolAdvice(spoken: 'TLS' | 'HTTP' | 'something else', needs: RefusalNeeds): Advice | null {
  if (spoken === 'TLS') return portAdvice(portsOf(needs, 'mqtt', true), 'port with TLS', 'no port with TLS');
  if (spoken === 'HTTP') return portAdvice(portsOf(needs, 'websockets', null), 'port for WebSocket', 'no port for WebSocket');
  return null;
}

/** portAdvice names the ports that would do, where there are some. */
function portAdvice(ports: readonly number[], found: AdviceCode, none: AdviceCode): Advice {
  return ports.length === 0 ? advise(none) : advise(found, { ports: ports.join(', ') });
}

function portsOf(needs: RefusalNeeds, protocol: 'mqtt' | 'websockets', isTls: boolean | null): readonly number[] {
  const fitting = needs.openPorts().filter((each) => each.protocol === protocol && (isTls === null || each.isTls === isTls));
  return fitting.map(({ port }) => port);
}

function tlsAdvice(problem: TlsProblem, needs: RefusalNeeds): Advice | null {
  if (typeof problem !== 'string') return problem.what === 'other' ? null : certificateAdvice(problem);
  switch (problem) {
    case 'server untrusted':
    case 'left':
      return advise('trust');
    case 'server name':
      return advise('name in certificate');
    case 'no TLS':
      return portAdvice(portsOf(needs, 'mqtt', false), 'port without TLS', 'turn TLS on');
    case 'plain HTTP':
      return advise('https');
    case 'server expired':
      return advise('dates');
    case 'no client certificate':
      return advise('client certificate');
    default:
      return null;
  }
}

function certificateAdvice({ what }: ClientCertificateProblem): Advice | null {
  switch (what) {
    case 'revoked':
      return advise('revoked');
    case 'client untrusted':
      return advise('other authority');
    case 'expired':
    case 'not valid yet':
    case 'chain expired':
    case 'chain not valid yet':
      return advise('new certificate');
    default:
      return null;
  }
}

function explainLogin({ from }: Refusal, username: string, needs: RefusalNeeds): Explanation {
  const account = needs.accountOf(from.policy.name, username);
  return { reason: { cause: 'credentials', what: loginProblem(account), username }, advice: loginAdvice(username, account) };
}

function loginProblem({ dynamic, isKnown, isLocked }: KnownAccount) {
  if (dynamic === 'disabled' || dynamic === 'without password') return dynamic;
  return isLocked ? 'locked' : isKnown ? 'wrong password' : 'unknown user';
}

function loginAdvice(username: string, { isKnown, isLocked, passwordIn, passwordFile, dynamic }: KnownAccount): Advice {
  const ctrl = (command: string) => ({ command: `midge ctrl dynsec ${command} ${shellWord(username)}` });
  if (dynamic === 'disabled') return advise('enable client', ctrl('enableClient'));
  if (dynamic === 'without password' || dynamic === 'can sign in') return advise('client password', ctrl('setClientPassword'));
  if (passwordIn !== null) return advise('password in configuration', { file: passwordIn });
  if (passwordFile === null) return dynamic === 'unknown' ? advise('new client', ctrl('createClient')) : advise('no password file');
  const command = `midge passwd ${isLocked ? '--unlock ' : ''}${shellWord(passwordFile)} ${shellWord(username)}`;
  return advise(isLocked ? 'unlock' : isKnown ? 'new password' : 'new account', { command });
}

/** The password of an unknown name is wrong, too: an account for it would let in whoever guesses. */
function explainPage({ from }: Refusal, reason: RefusalReason & { readonly cause: 'page' }, needs: RefusalNeeds): Explanation {
  const { what, username } = reason;
  if (what === 'no role') return { reason, advice: advise('page role') };
  const account = needs.accountOf(from.policy.name, username);
  const problem: PageProblem = loginProblem(account);
  const explained = { ...reason, what: what === 'held' ? what : problem };
  if (problem === 'unknown user') return { reason: explained, advice: advise('page user') };
  return { reason: explained, advice: problem === 'wrong password' ? advise('page password') : loginAdvice(username, account) };
}

/** Null = there is one by now. */
function firstAccountAdvice({ from }: Refusal, username: string, needs: RefusalNeeds): Advice | null {
  const account = needs.accountOf(from.policy.name, username);
  return account.isKnown ? null : loginAdvice(username, account);
}

function explainTopic({ username, clientId, topicName, from }: Refusal, needs: RefusalNeeds): Explanation {
  const topic = topicName ?? '';
  const verdict = needs.verdictOn(from.policy.name, { username, clientId }, topic);
  return { reason: { cause: 'topic', topicName: topic, ...reasonOf(verdict) }, advice: topicAdvice(verdict, topic) };
}

/** What would allow it is advice, and no part of the reason. */
function reasonOf(verdict: AclVerdict) {
  switch (verdict.what) {
    case 'no rule':
      return { what: verdict.what, file: verdict.file };
    case 'roles':
      return { what: verdict.what, why: verdict.why };
    default:
      return verdict;
  }
}

function topicAdvice(verdict: AclVerdict, topic: string): Advice | null {
  switch (verdict.what) {
    case 'no rule':
      return verdict.missingRule === null ? null : advise('missing rule', { rule: verdict.missingRule, topic });
    case 'roles':
      return verdict.command === null ? null : advise('role of the client', { command: verdict.command, topic });
    case 'rule':
      return advise('deny rule');
    default:
      return null;
  }
}
