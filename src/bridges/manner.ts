// How a bridge introduces itself to the other broker, and what it leaves out after that has refused it.
//
//   MQTT 5 -> 3.1.1 with the bridge bit -> 3.1.1 without it        the versions are those of the block; any of them without a will

import type { LinkError } from '../broker/client/link-error.ts';
import type { ProtocolVersion } from '../mqtt/packet-types.ts';
import { REASON } from '../mqtt/reason-codes.ts';
import type { BridgeOptions } from './options.ts';

/** Manner is what a CONNECT to the other broker has. */
export interface Manner {
  readonly version: ProtocolVersion;
  /** MQTT 3.1 and 3.1.1: the bridge bit, by which brokers know what they must not send back. */
  readonly bridgeBit: boolean;
  readonly will: boolean;
}

/** PROTOCOL_NAMES are the versions for people. */
export const PROTOCOL_NAMES = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5' } as const;

/** firstManner is what a bridge begins with. */
export function firstManner(options: BridgeOptions): Manner {
  return inVersion(options.versions[0]!, options, options.notifications === 'both'); // there is one
}

/** plainerManner gives what is worth a try after a refusal, null = nothing is. */
export function plainerManner(manner: Manner, error: LinkError, options: BridgeOptions): Manner | null {
  const { version, bridgeBit, will } = manner;
  const isWillRefused = error.reasonCode === REASON.RETAIN_NOT_SUPPORTED || error.reasonCode === REASON.QOS_NOT_SUPPORTED;
  if (will && isWillRefused) return { ...manner, will: false };
  if (!error.atConnect || !(error.fault === 'version' || isAmbiguous(error))) return null;
  if (bridgeBit) return { ...manner, bridgeBit: false };
  const next = options.versions[options.versions.indexOf(version) + 1];
  return next === undefined ? null : inVersion(next, options, will);
}

/** isAmbiguous tells whether a refusal is none perhaps: many brokers close the connection instead of an answer, or answer with what is no MQTT 5; but one that is being stopped closes it, too. */
export function isAmbiguous({ fault }: LinkError): boolean {
  return fault === 'closed' || fault === 'network' || fault === 'protocol';
}

function inVersion(version: ProtocolVersion, { tryPrivate }: BridgeOptions, will: boolean): Manner {
  return { version, bridgeBit: version !== 5 && tryPrivate, will };
}
