// Operations on what a test hands over, asked as a door asks them: what they answer is held to their schemas.

import assert from 'node:assert/strict';
import type { OperationNeeds } from '../../src/operations/needs.ts';
import { OPERATIONS, Operations } from '../../src/operations/operations.ts';
import type { Right } from '../../src/operations/right.ts';

/** Ask runs an operation by its name, as admin unless another right is given. */
// biome-ignore lint/suspicious/noExplicitAny: the answer is the subject of the test
export type Ask = (name: string, input?: object, right?: Right) => Promise<any>;

/** operationsOn asks about a broker of which only some is there; to need anything else fails. */
export function operationsOn(needs: Partial<OperationNeeds>): Ask {
  const strict = new Proxy(needs as OperationNeeds, {
    get: (target, name) => (name in target ? Reflect.get(target, name) : assert.fail(`"${String(name)}" is not there`)),
  });
  const operations = new Operations(() => strict);
  return async (name, input = {}, right = 'admin') => {
    const answer = await operations.run(name, input, { name: 'a test', right });
    const { output, download } = OPERATIONS.find((each) => each.name === name) ?? assert.fail(name);
    return download === undefined ? output.parse(JSON.parse(JSON.stringify(answer))) : answer;
  };
}

/** NO_TRAFFIC is that of a broker nobody speaks with, and which does not test itself. */
export const NO_TRAFFIC: OperationNeeds['traffic'] = {
  received: 0,
  sent: 0,
  receivedPerSecond: 0,
  sentPerSecond: 0,
  retained: 0,
  subscriptions: 0,
  connectedClients: 0,
  clientsAway: 0,
  connections: 0,
  isTester: () => false,
};
