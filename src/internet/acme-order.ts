// One order of a certificate (RFC 8555): the authority asks whether the names are ours, and gives it. Its library is large: import this on demand.

import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import * as acme from 'acme-client';
import { reasonOf } from '../base/errors.ts';
import { readNamedText } from '../base/named-file.ts';
import type { ChallengeAnswers } from './challenge-answers.ts';
import { updateRecords } from './dns-update.ts';
import type { AcmeOptions } from './options.ts';

/** How often it is asked for what is under way: two minutes in all. */
const POLLING = { backoffAttempts: 12, backoffMin: 1000, backoffMax: 15_000 };
/** A whole order is tried again much later: the library would wait for as long as an authority tells it. */
const RETRIES = { retryMaxAttempts: 0 };
const REQUEST_TIMEOUT_MS = 30_000;
/** So short that an answer of a failed order is soon forgotten. Seconds. */
const CHALLENGE_TTL = 60;

export interface OrderSetup {
  readonly options: AcmeOptions;
  /** PEM. Secret. */
  readonly accountKey: string;
  readonly answers: ChallengeAnswers;
  /** Called with the address of the terms of service that ordering agrees to. */
  readonly terms: (url: string) => void;
}

/** Ordered is what the authority has given. */
export interface Ordered {
  /** PEM: the certificate, then those above it. */
  readonly cert: string;
  /** PEM. Secret. */
  readonly key: string;
}

/** makeAccountKey gives a key for an account, PEM. Secret. */
export async function makeAccountKey(): Promise<string> {
  return String(await acme.crypto.createPrivateEcdsaKey());
}

/** orderCertificate takes seconds to minutes. Rejects with what the authority says. */
export async function orderCertificate(setup: OrderSetup): Promise<Ordered> {
  const { directory, cafile } = setup.options;
  const agent = new Agent(cafile === null ? {} : { ca: readNamedText(cafile) });
  await reach(directory, agent);
  try {
    return await order(setup, agent);
  } catch (error) {
    // The library looks into the answer that there is none of.
    throw error instanceof TypeError ? new Error(`the connection to ${directory} was lost`, { cause: error }) : error;
  }
}

/** reach finds out in words of its own why a directory cannot be used. */
async function reach(directory: string, agent: Agent): Promise<void> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = get(directory, { agent, timeout: REQUEST_TIMEOUT_MS }, resolve);
    request.on('timeout', () => request.destroy(new Error('it does not answer'))).on('error', reject);
  }).catch((error: unknown) => {
    throw new Error(`${directory} cannot be reached: ${reasonOf(error)}`, { cause: error });
  });
  response.resume();
  if (response.statusCode !== 200) throw new Error(`${directory} answers with status ${response.statusCode}: it is no directory of ACME`);
}

async function order({ options, accountKey, answers, terms }: OrderSetup, httpsAgent: Agent): Promise<Ordered> {
  Object.assign(acme.axios.defaults, { timeout: REQUEST_TIMEOUT_MS, httpsAgent, acmeSettings: RETRIES });
  const client = new acme.Client({ directoryUrl: options.directory, accountKey, ...POLLING });
  terms(await client.getTermsOfServiceUrl());
  await client.createAccount({ termsOfServiceAgreed: true, contact: options.contact === null ? [] : [`mailto:${options.contact}`] });
  const [key, csr] = await acme.crypto.createCsr({ altNames: [...options.names] }, await acme.crypto.createPrivateEcdsaKey());
  const cert = await client.auto({
    csr,
    skipChallengeVerification: true, // what this box sees of itself says little about what others see
    challengePriority: [options.challenge.type === 'http' ? 'http-01' : 'dns-01'],
    challengeCreateFn: (authorization, challenge, answer) => show(options, answers, { authorization, token: challenge.token, answer }),
    challengeRemoveFn: (authorization, challenge, answer) => hide(options, answers, { authorization, token: challenge.token, answer }),
  });
  return { cert, key: String(key) };
}

interface Challenge {
  readonly authorization: acme.Authorization;
  readonly token: string;
  readonly answer: string;
}

async function show({ challenge }: AcmeOptions, answers: ChallengeAnswers, { authorization, token, answer }: Challenge): Promise<void> {
  if (challenge.type === 'http') answers.set(token, answer);
  else await updateRecords(challenge.target, [textRecord(authorization, answer, 'add')]);
}

async function hide({ challenge }: AcmeOptions, answers: ChallengeAnswers, { authorization, token, answer }: Challenge): Promise<void> {
  if (challenge.type === 'http') answers.delete(token);
  else await updateRecords(challenge.target, [textRecord(authorization, answer, 'remove')]);
}

function textRecord({ identifier }: acme.Authorization, value: string, action: 'add' | 'remove') {
  return { name: `_acme-challenge.${identifier.value}`, type: 'TXT', action, value, ttl: CHALLENGE_TTL } as const;
}
