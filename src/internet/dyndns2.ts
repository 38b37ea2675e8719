// The protocol of most services for dynamic names: DynDNS2 ("Remote Access Update API"), one GET with a name and a password.

import { request } from 'node:https';
import { reasonOf } from '../base/errors.ts';

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 4096;

/** UpdateFault is an update that was not made. `isLasting`: to try again before the configuration is another one would be held against the owner. */
export class UpdateFault extends Error {
  override readonly name = 'UpdateFault';
  readonly isLasting: boolean;

  constructor(message: string, isLasting: boolean) {
    super(message);
    this.isLasting = isLasting;
  }
}

/** What the services answer, https://help.dyn.com/remote-access-api/return-codes/ and those that Google and No-IP have added. */
const FAULTS: ReadonlyMap<string, readonly [words: string, isLasting: boolean]> = new Map([
  ['badauth', ['it does not know this dynamic_dns_username and dynamic_dns_password', true]],
  ['badagent', ['it does not want this program', true]],
  ['badresolv', ['the name cannot be found', true]],
  ['notfqdn', ['this is no whole name', true]],
  ['nohost', ['the name is not of this account', true]],
  ['numhost', ['these are too many names at once', true]],
  ['abuse', ['it has shut the name out for too many updates', true]],
  ['!donator', ['this account may not do that', true]],
  ['!yours', ['the name is of somebody else', true]],
  ['conflict', ['the name has records of its own there: remove them', true]],
  ['dnserr', ['it fails itself', false]],
  ['911', ['it fails itself', false]],
]);

export interface UpdateRequest {
  readonly url: string;
  readonly username: string;
  /** Never in a URL or an error. */
  readonly password: string;
  readonly names: readonly string[];
  /** Null = the address that the service sees us come from. */
  readonly address: string | null;
}

/** updateName tells a service the address, and gives the one that it has now, or null where it does not say. Rejects with UpdateFault. */
export async function updateName({ url, username, password, names, address }: UpdateRequest): Promise<string | null> {
  const target = new URL(url);
  target.searchParams.set('hostname', names.join(','));
  if (address !== null) target.searchParams.set('myip', address);
  const { status, text } = await ask(target, `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  if (status === 401 || status === 403) throw faultOf(target, 'badauth');
  if (status !== 200)
    throw new UpdateFault(`${target.host} answers with status ${status}`, status >= 400 && status < 500 && status !== 429);
  const lines = text.trim().split(/\r?\n/);
  const failed = lines.find((line) => !/^(good|nochg|ok)\b/i.test(line));
  if (failed !== undefined) throw faultOf(target, failed.trim().split(/\s/, 1)[0] ?? '');
  return /^\S+\s+([\da-f.:]+)/i.exec(lines[0] ?? '')?.[1] ?? address;
}

function faultOf({ host }: URL, code: string): UpdateFault {
  const [words, isLasting] = FAULTS.get(code.toLowerCase()) ?? [`it answers ${JSON.stringify(code.slice(0, 40))}`, false];
  return new UpdateFault(`${host}: ${words}`, isLasting);
}

/** No redirect is followed: the password goes to nobody else. */
function ask(target: URL, authorization: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(new UpdateFault(`${target.host} cannot be reached: ${reasonOf(error)}`, false));
    const sent = request(target, { headers: { authorization, 'user-agent': 'midge' }, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (text.length > MAX_ANSWER_BYTES) response.destroy(new Error('its answer is too long'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text })).on('error', fail);
    });
    sent
      .on('timeout', () => sent.destroy(new Error('it does not answer')))
      .on('error', fail)
      .end();
  });
}
