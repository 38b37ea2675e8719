// What brokers of one cluster tell each other of the wills of their clients: JSON on midge.CLUSTER.wills to all, and on midge.CLUSTER.ID.wills to one
// that has come. Which wills have been said in the place of a broker is told by a question (session-words.ts), for that must not get lost.

import type { Session } from '../broker/session/session.ts';
import type { Qos } from '../mqtt/packet-types.ts';
import { decodeProperties, encodeProperties, WILL } from '../mqtt/properties.ts';
import { isTopicName } from '../mqtt/topics.ts';
import { CLUSTER_ID } from './options.ts';

/** WILLS_VERSION stands in each word; words of another version are passed over. */
export const WILLS_VERSION = 1;

/** WillCopy is what another broker needs to say the will of a client. Payload and properties are in base64. */
export interface WillCopy {
  readonly clientId: string;
  readonly username: string | null;
  readonly listener: string;
  readonly version: 3 | 4 | 5;
  /** Seconds. */
  readonly expiryInterval: number;
  readonly topicName: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: string;
}

/** WillsWord is said by a broker of its own clients. */
export interface WillsWord {
  readonly v: number;
  readonly id: string;
  readonly run: string;
  /** Forget what you have of me. */
  readonly begins?: boolean;
  readonly set: readonly WillCopy[];
  /** Clients that have no will any more. */
  readonly gone: readonly string[];
}

/** copyOf makes the copy of a session's will; null = it has none. */
export function copyOf(session: Session): WillCopy | null {
  const { clientId, username, listener, version, expiryInterval, will } = session;
  if (will === null) return null;
  const { payload, qos, retain, properties } = will.packet;
  return {
    ...{ clientId, username, listener, version, expiryInterval, topicName: will.topicName, qos, retain },
    ...{ payload: payload.toString('base64'), properties: encodeProperties(properties).toString('base64') },
  };
}

/** readWillWord gives null for what is none of this version. */
export function readWillWord(bytes: Buffer): WillsWord | null {
  try {
    const word = JSON.parse(bytes.toString('utf8')) as WillsWord | null; // another broker's: looked at here
    if (word === null || typeof word !== 'object' || word.v !== WILLS_VERSION || !CLUSTER_ID.test(word.id)) return null;
    if (typeof word.run !== 'string') return null;
    return areIds(word.gone) && word.set.every(isWillCopy) ? word : null;
  } catch {
    return null;
  }
}

function areIds(list: readonly unknown[]): boolean {
  return list.every((id) => typeof id === 'string');
}

/** Throws for properties that are none. */
function isWillCopy(copy: WillCopy): boolean {
  const { clientId, username, listener, version, expiryInterval, topicName, payload, qos, retain, properties } = copy;
  decodeProperties(Buffer.from(properties, 'base64'), WILL);
  return (
    [clientId, listener, topicName, payload].every((text) => typeof text === 'string') &&
    (username === null || typeof username === 'string') &&
    [3, 4, 5].includes(version) &&
    [0, 1, 2].includes(qos) &&
    typeof retain === 'boolean' &&
    Number.isFinite(expiryInterval) &&
    isTopicName(topicName)
  );
}
