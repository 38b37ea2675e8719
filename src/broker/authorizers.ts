// Authorizers on top of others: parts of the program answer some questions themselves, and pass on all the rest.

import type { Authorizer, Requester } from './ports.ts';

/** overruling answers as `own` does, and for what that leaves out as the other; null = everybody may do everything. */
export function overruling(other: Authorizer | null, own: Partial<Authorizer>): Authorizer {
  return {
    mayPublish: own.mayPublish ?? ((requester, name) => other === null || other.mayPublish(requester, name)),
    mayReceive: own.mayReceive ?? ((requester, name) => other === null || other.mayReceive(requester, name)),
    maySubscribe: own.maySubscribe ?? ((requester, filter) => other === null || other.maySubscribe(requester, filter)),
    mayUnsubscribe: own.mayUnsubscribe ?? ((requester, filter) => other?.mayUnsubscribe?.(requester, filter) ?? true),
  };
}

/** exempting lets some do everything, and asks the other about all else; null stays null. */
export function exempting(other: Authorizer | null, isFree: (requester: Requester) => boolean): Authorizer | null {
  if (other === null) return null;
  return overruling(other, {
    mayPublish: (requester, name) => isFree(requester) || other.mayPublish(requester, name),
    mayReceive: (requester, name) => isFree(requester) || other.mayReceive(requester, name),
    maySubscribe: (requester, filter) => isFree(requester) || other.maySubscribe(requester, filter),
    mayUnsubscribe: (requester, filter) => isFree(requester) || (other.mayUnsubscribe?.(requester, filter) ?? true),
  });
}
