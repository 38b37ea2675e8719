// What the house knows about a refusal beyond what engine and listeners could say: is the user known, which ACL line decided, what to do.

import type { Access } from '../access/access.ts';
import { explain, missingRule } from '../access/acl-explain.ts';
import { filesOf } from '../access/options.ts';
import { shellWord } from '../base/shell-word.ts';
import type { Refusal } from '../broker/ports.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Listener } from '../listeners/listeners.ts';
import type { Explanation } from '../refusals/refusal-memory.ts';

/** House is what is in force now. */
export interface House {
  readonly access: Pick<Access, 'knows' | 'aclOf'>;
  readonly configuration: Pick<Configuration, 'file' | 'access'>;
  readonly listeners: readonly Pick<Listener, 'options' | 'port'>[];
}

const UNTRUSTED = /does not trust the|may not trust/;

/** explainRefusal gives the reason as the operator may know it, and advice where there is some. */
export function explainRefusal(refusal: Refusal, house: House): Explanation {
  const { cause, reason } = refusal;
  switch (cause) {
    case 'tls':
      return { reason, advice: tlsAdvice(reason, house) };
    case 'wrong protocol':
      return { reason, advice: protocolAdvice(reason, house) };
    case 'credentials':
      return credentials(refusal, house);
    case 'held':
      return { reason, advice: 'correct the password there and wait until the hold ends, or add the address to login_throttle_exempt' };
    case 'bad packet':
      return { reason, advice: reason.includes('max_packet_size') ? 'let it send less, or set max_packet_size higher' : null };
    case 'topic':
      return deniedTopic(refusal, house);
    default:
      return { reason, advice: null };
  }
}

function protocolAdvice(reason: string, house: House): string | null {
  if (reason.includes('TLS')) return portAdvice(portsOf(house, 'mqtt', true), 'with TLS', 'turn TLS off in the client');
  if (reason.includes('HTTP')) return portAdvice(portsOf(house, 'websockets', null), 'for WebSocket', 'use MQTT over TCP in the client');
  return null;
}

/** portAdvice names the ports that would do, where there are some. */
function portAdvice(ports: readonly number[], kind: string, instead: string): string {
  if (ports.length === 0) return `${instead}: this broker has no port ${kind}`;
  return `use the port ${kind} (${ports.join(', ')}), or ${instead}`;
}

function portsOf({ listeners }: House, protocol: 'mqtt' | 'websockets', isTls: boolean | null): readonly number[] {
  const fitting = listeners.filter(({ options }) => options.protocol === protocol && options.unixPath === null);
  return fitting.filter(({ options }) => isTls === null || (options.tls !== null) === isTls).map(({ port }) => port);
}

function tlsAdvice(reason: string, house: House): string | null {
  if (reason.includes('its client certificate')) return clientCertificateAdvice(reason);
  if (UNTRUSTED.test(reason)) {
    return "install this broker's ca.crt on the device (certificates/ca.crt in the state folder), and connect to a name that is in the certificate";
  }
  if (reason.includes('may not find the name'))
    return 'connect to a name or an address that is in the certificate; certificate_names adds some';
  if (reason.includes('not appear to be using TLS')) {
    const plain = portsOf(house, 'mqtt', false);
    return plain.length === 0 ? 'turn TLS on in the client' : portAdvice(plain, 'without TLS', 'turn TLS on in the client');
  }
  if (reason.includes('plain HTTP')) return 'this port wants TLS: use https or wss';
  if (reason.includes('expired')) return 'look at the date of the device, and of this machine';
  if (reason.includes('no client certificate')) return 'give it one: this listener has require_certificate true';
  return null;
}

function clientCertificateAdvice(reason: string): string | null {
  if (reason.includes('is revoked')) return 'if it may come back, give it another one (midge cert client NAME)';
  if (reason.includes('does not trust'))
    return "give it one of the authority that this listener trusts: that of cafile or capath, or this broker's own (midge cert client NAME)";
  if (/expired|valid only|not valid yet/.test(reason)) return 'give it a new one, if the clock of this machine is right';
  return null;
}

function credentials({ username, reason, from }: Refusal, { access, configuration }: House): Explanation {
  if (username === null || !reason.includes('wrong')) return { reason, advice: null };
  const { passwordFile } = filesOf(configuration.access, from.policy.name);
  const isKnown = access.knows(from.policy.name, username);
  const what = isKnown ? `gives a wrong password for user "${username}"` : `gives user "${username}", who has no account here`;
  if (configuration.access.account?.username === username)
    return { reason: what, advice: `the password stands in ${configuration.file ?? 'the configuration'} (password)` };
  if (passwordFile === null)
    return { reason: what, advice: 'name a file of accounts by password_file, and add the user with midge passwd' };
  const command = `midge passwd ${shellWord(passwordFile)} ${shellWord(username)}`;
  return { reason: what, advice: isKnown ? `a new password: ${command}` : `to let this user in: ${command}` };
}

function deniedTopic({ username, clientId, topicName, from }: Refusal, { access }: House): Explanation {
  const acl = access.aclOf(from.policy.name);
  const topic = topicName ?? '';
  const what = `may not publish to "${topic}"`;
  if (acl === null) return { reason: `${what}: nobody but the broker itself writes there`, advice: null };
  const decision = explain(acl, { username, clientId }, 'publish', topic);
  const { path } = acl.file;
  switch (decision.reason) {
    case 'reserved topic':
      return { reason: `${what}: nobody but the broker itself writes there`, advice: null };
    case 'special name':
      return { reason: `${what}: a user name or client id with + or # gets nothing by the patterns of ${path}`, advice: null };
    case 'no rule':
      return { reason: `${what}: no rule of ${path} allows it`, advice: missingRule({ username }, 'write', topic) };
    case 'rule': {
      const { rule } = decision; // it decided
      return {
        reason: `${what}: ${path}:${rule?.line}: ${rule?.kind} ${rule?.access} ${rule?.filter}`,
        advice: 'a deny line is stronger than all others: take it away, or name less by it',
      };
    }
  }
}
