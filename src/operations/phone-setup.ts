// Whether phones can be set up here: all that is missing at once, with the lines of the configuration that bring it.

import { resolve } from 'node:path';
import { z } from 'zod';
import type { PhoneProtocol } from '../phones/phone.ts';
import { rulesFault } from './begin-rules.ts';
import type { OperationNeeds, Phones } from './needs.ts';
import { linesToAdd, obstacleOf } from './obstacle.ts';
import { OperationFailure, operation } from './operation.ts';
import { pageAddresses, phoneHosts, phoneListener } from './phone-address.ts';
import { hasRules, NO_RULES, passwordFileFor } from './phone-files.ts';

/** OBSTACLE: no listener that phones sign in at, none for their pages, no place for their accounts, none for their rules. */
const OBSTACLE = obstacleOf(['no TLS', 'no pages', 'no accounts', 'no rules']);

type Obstacle = z.infer<typeof OBSTACLE>;

/** PHONE_SETUP says beforehand what stands in the way, and what the owner can choose. */
export const PHONE_SETUP = operation({
  name: 'phone setup',
  kind: 'query',
  right: 'admin',
  summary: 'Whether phones can be set up here, what to do first where they cannot, and the names by which they can find this box.',
  input: z.strictObject({}),
  output: z.object({
    obstacles: z.array(OBSTACLE).describe('all there are; none = phones can be added'),
    beginsRules: z
      .boolean()
      .describe('adding a phone first starts an acl_file, because there is none: all present accounts keep all rights'),
    configuration: z.string().nullable().describe('its main file'),
    hosts: z.array(
      z.object({
        host: z.string(),
        isPublic: z.boolean().describe('phones trust its certificate without more, and can find it from outside too'),
      }),
    ),
  }),
  run: (needs) => {
    const hasNone = !hasRules(needs, 'mqtt');
    const fault = hasNone ? rulesFault(needs, { lacking: NO_RULES }) : null;
    const missing = missingFor(needs, 'mqtt');
    return {
      obstacles: fault === null ? missing : [...missing, { kind: 'no rules' as const, reason: fault.message, lines: [] }],
      beginsRules: hasNone && fault === null,
      configuration: needs.configuration.file === null ? null : resolve(needs.configuration.file),
      hosts: missing.some(({ kind }) => kind === 'no TLS') ? [] : [...phoneHosts(needs)],
    };
  },
});

/** checkSetup throws OperationFailure where something is missing, and names all of it; rules can be begun yet. */
export function checkSetup(needs: OperationNeeds, protocol: PhoneProtocol): void {
  const missing = missingFor(needs, protocol);
  if (missing.length > 0) throw new OperationFailure('not possible', missing.map(({ reason }) => reason).join('\n'));
}

/** phonesOf gives those that were set up here. Throws OperationFailure. */
export function phonesOf({ phones }: OperationNeeds): Phones {
  if (phones !== null) return phones;
  throw new OperationFailure(
    'not possible',
    'Cannot set phones up: no listener has "protocol http", by whose pages phones get their certificate and settings - add "listener 8443" and "protocol http"',
  );
}

function missingFor(needs: OperationNeeds, protocol: PhoneProtocol): readonly Obstacle[] {
  const signIn = protocol === 'http' ? null : faultOf(() => phoneListener(needs, protocol)); // in HTTP mode they sign in where their pages are
  const pages = faultOf(() => pageAddresses(needs, null));
  const accounts = faultOf(() => passwordFileFor(needs, protocol));
  return [
    ...(signIn === null ? [] : [{ kind: 'no TLS' as const, reason: signIn, lines: linesToAdd(needs, protocol) }]),
    ...(pages === null ? [] : [{ kind: 'no pages' as const, reason: pages, lines: linesToAdd(needs, 'http') }]),
    ...(accounts === null ? [] : [{ kind: 'no accounts' as const, reason: accounts, lines: [] }]),
  ];
}

function faultOf(check: () => unknown): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof OperationFailure) return error.message;
    throw error;
  }
}
