// Explains a refusal by more than engine and listeners could say - is the user known, which ACL line decided - and says what to do about it.

import type { ClientCertificateProblem, TlsProblem } from '../base/refusal-reason.ts';
import { refusalSentence } from '../base/refusal-sentences.ts';
import { shellWord } from '../base/shell-word.ts';
import type { Refusal } from '../broker/ports.ts';
import type { AclVerdict, KnownAccount, RefusalNeeds } from './needs.ts';

/** Explanation is what more is known: the reason as the operator may know it, and advice where there is some. */
export interface Explanation {
  /** A sentence about the client, without its subject. */
  readonly reason: string;
  /** What to do about it, or null. */
  readonly advice: string | null;
}

/** explainRefusal explains it by what is in force now. */
export function explainRefusal(refusal: Refusal, needs: RefusalNeeds): Explanation {
  const { reason } = refusal;
  const explained = (advice: string | null): Explanation => ({ reason: refusalSentence(reason), advice });
  switch (reason.cause) {
    case 'tls':
      return explained(reason.what === 'handshake' ? tlsAdvice(reason.problem, needs) : TRUST);
    case 'wrong protocol':
      return explained(protocolAdvice(reason.spoken, needs));
    case 'held':
      return explained('correct the password there and wait until the hold ends, or add the address to login_throttle_exempt');
    case 'bad packet':
      return explained(reason.what === 'too large' ? 'let it send less, or set max_packet_size higher' : null);
    case 'credentials':
      return reason.what === 'wrong' && refusal.username !== null ? explainLogin(refusal, refusal.username, needs) : explained(null);
    case 'topic':
      return explainTopic(refusal, needs);
    default:
      return explained(null);
  }
}

const TRUST =
  "install this broker's ca.crt on the device (certificates/ca.crt in the state folder), and connect to a name that is in the certificate";

function protocolAdvice(spoken: 'TLS' | 'HTTP' | 'something else', needs: RefusalNeeds): string | null {
  if (spoken === 'TLS') return portAdvice(portsOf(needs, 'mqtt', true), 'with TLS', 'turn TLS off in the client');
  if (spoken === 'HTTP') return portAdvice(portsOf(needs, 'websockets', null), 'for WebSocket', 'use MQTT over TCP in the client');
  return null;
}

/** portAdvice names the ports that would do, where there are some. */
function portAdvice(ports: readonly number[], kind: string, instead: string): string {
  if (ports.length === 0) return `${instead}: this broker has no port ${kind}`;
  return `use the port ${kind} (${ports.join(', ')}), or ${instead}`;
}

function portsOf(needs: RefusalNeeds, protocol: 'mqtt' | 'websockets', isTls: boolean | null): readonly number[] {
  const fitting = needs.openPorts().filter((each) => each.protocol === protocol && (isTls === null || each.isTls === isTls));
  return fitting.map(({ port }) => port);
}

function tlsAdvice(problem: TlsProblem, needs: RefusalNeeds): string | null {
  if (typeof problem !== 'string') return problem.what === 'other' ? null : certificateAdvice(problem);
  switch (problem) {
    case 'server untrusted':
    case 'left':
      return TRUST;
    case 'server name':
      return 'connect to a name or an address that is in the certificate; certificate_names adds some';
    case 'no TLS': {
      const plain = portsOf(needs, 'mqtt', false);
      return plain.length === 0 ? 'turn TLS on in the client' : portAdvice(plain, 'without TLS', 'turn TLS on in the client');
    }
    case 'plain HTTP':
      return 'this port wants TLS: use https or wss';
    case 'server expired':
      return 'look at the date of the device, and of this machine';
    case 'no client certificate':
      return 'give it one: this listener has require_certificate true';
    default:
      return null;
  }
}

function certificateAdvice({ what }: ClientCertificateProblem): string | null {
  switch (what) {
    case 'revoked':
      return 'if it may come back, give it another one (midge cert client NAME)';
    case 'client untrusted':
      return "give it one of the authority that this listener trusts: that of cafile or capath, or this broker's own (midge cert client NAME)";
    case 'expired':
    case 'not valid yet':
    case 'chain expired':
    case 'chain not valid yet':
      return 'give it a new one, if the clock of this machine is right';
    default:
      return null;
  }
}

function explainLogin({ from }: Refusal, username: string, needs: RefusalNeeds): Explanation {
  const account = needs.accountOf(from.policy.name, username);
  const { dynamic, isKnown } = account;
  const what = dynamic === 'disabled' || dynamic === 'without password' ? dynamic : isKnown ? 'wrong password' : 'unknown user';
  return { reason: refusalSentence({ cause: 'credentials', what, username }), advice: loginAdvice(username, account) };
}

function loginAdvice(username: string, { isKnown, passwordIn, passwordFile, dynamic }: KnownAccount): string {
  const ctrl = (command: string) => `midge ctrl dynsec ${command} ${shellWord(username)}`;
  if (dynamic === 'disabled') return `to let this user in: ${ctrl('enableClient')}`;
  if (dynamic === 'without password' || dynamic === 'can sign in') return `a new password: ${ctrl('setClientPassword')}`;
  if (passwordIn !== null) return `the password stands in ${passwordIn} (password)`;
  if (passwordFile === null && dynamic === 'unknown') return `to let this user in: ${ctrl('createClient')}`;
  if (passwordFile === null) return 'name a file of accounts by password_file, and add the user with midge passwd';
  const command = `midge passwd ${shellWord(passwordFile)} ${shellWord(username)}`;
  return isKnown ? `a new password: ${command}` : `to let this user in: ${command}`;
}

function explainTopic({ username, clientId, topicName, from }: Refusal, needs: RefusalNeeds): Explanation {
  const topic = topicName ?? '';
  const verdict = needs.verdictOn(from.policy.name, { username, clientId }, topic);
  return { reason: refusalSentence({ cause: 'topic', topicName: topic, ...verdict }), advice: topicAdvice(verdict) };
}

function topicAdvice(verdict: AclVerdict): string | null {
  if (verdict.what === 'no rule') return verdict.missingRule;
  if (verdict.what === 'roles') return verdict.command === null ? null : `to allow it by one of its roles: ${verdict.command}`;
  return verdict.what === 'rule' ? 'a deny line is stronger than all others: take it away, or name less by it' : null;
}
