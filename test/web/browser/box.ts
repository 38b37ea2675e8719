// A box of a test: the program itself, run from the sources, with a door for MQTT, one for MQTT over TLS, and one for its page.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { freePorts } from '../../support/network/free-ports.ts';
import { runMidge, startMidge } from '../../support/process/midge-process.ts';
import type { WatchedProcess } from '../../support/process/watched-process.ts';

/** OWNER is who claims a box. */
export const OWNER = { username: 'jane', password: 'correct horse battery' } as const;

/** Session is a sign-in by REST: what a browser or a program sends along. */
export interface Session {
  /** As in the header Cookie. */
  readonly cookie: string;
  readonly csrfToken: string;
}

/** Box runs until its test ends. */
export interface Box {
  readonly folder: string;
  /** The configuration file. */
  readonly file: string;
  readonly state: string;
  /** Of the page, for example http://127.0.0.1:40001. */
  readonly url: string;
  /** Port of MQTT, and of MQTT over TLS. */
  readonly port: number;
  readonly tlsPort: number;
  readonly lines: () => readonly string[];
  /** Of the program while it runs. */
  readonly pid: number;
  /** setupCode is what makes the first admin. */
  setupCode(): string;
  /** midge runs a command of the program on this box. */
  midge(words: readonly string[]): Promise<string>;
  /** claim makes OWNER admin, without a browser. */
  claim(): Promise<Session>;
  /** signIn begins another session. */
  signIn(who: { readonly username: string; readonly password: string }): Promise<Session>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** BoxOptions are lines of the configuration before its listeners, and after them, and what joins the environment. */
export interface BoxOptions {
  readonly before?: readonly string[];
  /** True = the configuration names no file of accounts, and there is none. */
  readonly hasNoAccounts?: boolean;
  /** True = no listener for MQTT has TLS. */
  readonly hasNoTls?: boolean;
  readonly after?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** openBox starts one that nobody has claimed. */
export async function openBox(
  context: TestContext,
  { before = [], after = [], env = {}, hasNoAccounts = false, hasNoTls = false }: BoxOptions = {},
): Promise<Box> {
  const folder = temporaryFolder(context);
  const [port = 0, tlsPort = 0, pagePort = 0] = await freePorts(3);
  const [file, passwd, state] = [join(folder, 'midge.conf'), join(folder, 'passwd'), join(folder, 'state')];
  const listeners = [
    `listener ${port} 127.0.0.1`,
    ...(hasNoTls ? [] : [`listener ${tlsPort} 127.0.0.1`, 'secure true']),
    `listener ${pagePort} 127.0.0.1`,
    'protocol http',
  ];
  const accounts = hasNoAccounts ? [] : [`password_file ${passwd}`];
  const settings = [...accounts, 'persistence true', 'advertise false', ...before];
  writeFileSync(file, [...settings, ...listeners, ...after, ''].join('\n'));
  if (!hasNoAccounts) writeFileSync(passwd, '', { mode: 0o600 });
  const box = new RunningBox(context, { folder, file, state, url: `http://127.0.0.1:${pagePort}`, port, tlsPort, env });
  await box.start();
  return box;
}

type Place = Pick<Box, 'folder' | 'file' | 'state' | 'url' | 'port' | 'tlsPort'> & { readonly env: Readonly<Record<string, string>> };

class RunningBox implements Box {
  readonly folder: string;
  readonly file: string;
  readonly state: string;
  readonly url: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly #context: TestContext;
  readonly #env: Readonly<Record<string, string>>;
  #process: WatchedProcess | null = null;

  constructor(context: TestContext, { folder, file, state, url, port, tlsPort, env }: Place) {
    this.folder = folder;
    this.file = file;
    this.state = state;
    this.url = url;
    this.port = port;
    this.tlsPort = tlsPort;
    this.#context = context;
    this.#env = env;
  }

  lines = (): readonly string[] => this.#process?.lines ?? [];

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.#process = startMidge(this.#context, this.folder, ['serve', '-c', this.file, '--state', this.state], { env: this.#env });
    await this.#process.line(/ running$/, 0, 180_000);
  }

  async stop(): Promise<void> {
    await this.#process?.end();
  }

  setupCode(): string {
    const [, code = ''] = /set-up code\D*?([0-9a-f]{4,}(?:-[0-9a-f]+)+)/.exec(this.lines().join('\n')) ?? [];
    if (code === '') throw new Error(`The log tells no set-up code:\n${this.lines().join('\n')}`);
    return code;
  }

  async midge(words: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await runMidge(this.folder, words);
    if (status !== 0) throw new Error(`midge ${words.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
    return stdout;
  }

  claim(): Promise<Session> {
    return this.#begin('/api/v1/claim', { ...OWNER, code: this.setupCode() });
  }

  signIn({ username, password }: { readonly username: string; readonly password: string }): Promise<Session> {
    return this.#begin('/api/v1/session', { username, password });
  }

  async #begin(path: string, body: object): Promise<Session> {
    const answer = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';');
    return { cookie, csrfToken: JSON.parse(text).csrfToken };
  }
}

/** ask sends a request of a session to the REST interface of a box. Throws where it is refused. */
export async function ask(
  box: Box,
  session: Session,
  path: string,
  { method = 'GET', body = null as object | null } = {},
): Promise<unknown> {
  const headers = {
    cookie: session.cookie,
    'x-csrf-token': session.csrfToken,
    ...(body === null ? {} : { 'content-type': 'application/json' }),
  };
  const answer = await fetch(`${box.url}/api/v1${path}`, { method, headers, body: body === null ? null : JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}
