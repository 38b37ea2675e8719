// What is remembered of sign-ins to the page that were refused.

import type { SignInLog } from '../api/ports.ts';
import { DEFAULT_LISTENER_POLICY } from '../broker/options.ts';
import type { RemoteEnd } from '../broker/ports.ts';
import type { Appliance } from './app.ts';

/** signInLog makes it. */
export function signInLog(appliance: Pick<Appliance, 'listeners' | 'refusals'>): SignInLog {
  return {
    refused({ username, address, listener }, what) {
      const from = remoteEndOf(appliance, address, listener);
      appliance.refusals.refused({ reason: { cause: 'page', what, username }, from, clientId: '', username, topicName: null });
    },
    signedIn: ({ username, address }) => appliance.refusals.signedIn(username, address),
  };
}

/** remoteEndOf tells where a request comes from, by the name of its listener. */
export function remoteEndOf({ listeners }: Pick<Appliance, 'listeners'>, address: string, listener: string): RemoteEnd {
  const open = listeners.find(({ options }) => options.policy.name === listener);
  const policy = { ...DEFAULT_LISTENER_POLICY, ...open?.options.policy, name: listener, port: open?.port ?? 0 };
  return { address, port: 0, policy };
}
