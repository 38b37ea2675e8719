// What a change of the configuration opens, or closes for everybody: the rules go from a listener, or its passwords.

import { filesOf } from '../access/options.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import type { Configuration } from './configuration.ts';
import { isLockedOut } from './describe-access.ts';

/** describeOpenings gives a sentence for each kind, with the listeners that were not so before, and nothing for what was so. */
export function describeOpenings(before: Configuration, after: Configuration): string[] {
  const opened = (is: (listener: ListenerOptions, configuration: Configuration) => boolean) => {
    const became = clientListeners(after).filter(
      (listener) => is(listener, after) && !counterparts(before, listener).some((each) => is(each, before)),
    );
    return [...new Set(became.map(({ unixPath, port }) => unixPath ?? String(port)))].join(', ');
  };
  const [free, unruled, locked] = [opened(isFree), opened(isUnruled), opened(isLockedOut)];
  return [
    ...(free === '' ? [] : [`Listener ${free}: everybody can connect without a password`]),
    ...(unruled === '' ? [] : [`Listener ${unruled}: without rules, everybody who may connect can read and write all topics`]),
    ...(locked === '' ? [] : [`Listener ${locked}: nobody can sign in any more`]),
  ];
}

/** Those of the same port; where there is none, all that there were. */
function counterparts(before: Configuration, { port, unixPath }: ListenerOptions): readonly ListenerOptions[] {
  const all = clientListeners(before);
  const same = all.filter((each) => each.port === port && each.unixPath === unixPath);
  return same.length > 0 ? same : all;
}

function clientListeners({ listeners }: Configuration): readonly ListenerOptions[] {
  return listeners.filter(({ protocol }) => protocol === 'mqtt' || protocol === 'websockets');
}

function isFree({ policy, tls, proxyCertificate }: ListenerOptions): boolean {
  return policy.allowAnonymous && tls?.requireCertificate !== true && !tls?.psk && proxyCertificate === 'not asked';
}

function isUnruled({ policy }: ListenerOptions, { access }: Configuration): boolean {
  return filesOf(access, policy.name).aclFile === null && access.dynamicSecurity === null;
}
