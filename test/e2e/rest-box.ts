// A box with the REST interface, as its owner sees it: over HTTPS, with the authority of the box.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { runMidge, startMidge } from '../support/process/midge-process.ts';

/** Asked is a request. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: object;
  /** Sent as they are. */
  readonly bytes?: Buffer;
}

/** openBox prepares one, whose password file has no users; `more` are lines of its configuration. `start` starts it, `ask` asks by HTTPS, `claim` makes the first admin. */
export async function openBox(context: TestContext, ...more: readonly string[]) {
  const folder = temporaryFolder(context);
  const [plain = 0, http = 0] = await freePorts(2);
  const configuration = [
    `listener ${plain} 127.0.0.1`,
    `listener ${http}`,
    'protocol http',
    `password_file ${join(folder, 'passwd')}`,
    ...more,
  ];
  writeFileSync(join(folder, 'midge.conf'), configuration.join('\n'));
  writeFileSync(join(folder, 'passwd'), '');
  const state = join(folder, 'state');
  const start = async () => {
    const broker = startMidge(context, folder, ['serve', '-c', join(folder, 'midge.conf'), '--state', state]);
    await broker.line(/ running$/);
    return { broker, port: http, plain };
  };
  const ask = async (port: number, path: string, { method = 'GET', headers = {}, body, bytes }: Asked = {}) => {
    const content = bytes ?? (body === undefined ? '' : JSON.stringify(body));
    const options = { host: '127.0.0.1', port, path, method, ca: readFileSync(join(state, 'certificates/ca.crt')), agent: false as const };
    const type = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(content.length) };
    const sent = request({ ...options, headers: { ...type, ...headers } });
    sent.end(content);
    const [response] = await once(sent, 'response');
    const answer = await buffer(response);
    return { status: response.statusCode as number, headers: response.headers, bytes: answer, text: answer.toString() };
  };
  const claim = async (login: { readonly username: string; readonly password: string }) => {
    const body = { ...login, code: await setupCode(folder, state) };
    return headersOf(await ask(http, '/api/v1/claim', { method: 'POST', body }));
  };
  const signIn = async (login: { readonly username: string; readonly password: string }) =>
    headersOf(await ask(http, '/api/v1/session', { method: 'POST', body: login }));
  return { folder, state, start, ask, claim, signIn };
}

/** headersOf gives what a browser sends that has signed in. Throws what it was answered otherwise. */
export async function headersOf(response: { headers: Record<string, unknown>; text: string }): Promise<Record<string, string>> {
  if (response.headers['set-cookie'] === undefined) throw new Error(response.text);
  const [cookie = ''] = String(response.headers['set-cookie']).split(';');
  return { cookie, 'x-csrf-token': JSON.parse(response.text).csrfToken };
}

/** setupCode gives the code that `midge status` shows; '' = the box is claimed. */
export async function setupCode(folder: string, state: string): Promise<string> {
  return /The set-up code is ([0-9a-f-]{39})$/m.exec((await runMidge(folder, ['status', '--state', state])).stdout)?.[1] ?? '';
}
