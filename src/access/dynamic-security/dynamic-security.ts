// Accounts, groups and roles that are changed while the broker runs, as mosquitto's plugin for dynamic security does it.
//
//   command list -> a copy of the model -> the file -> in force -> whoever has lost a right is disconnected
//                                           `-- cannot be written: nothing has changed, and the answer says so

import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { reasonOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { AuthenticationVerdict, Authenticator, Credentials, Requester } from '../../broker/ports.ts';
import type { PasswordAuthenticator } from '../authenticator.ts';
import type { ExplainedAuthorizer } from '../decision.ts';
import type { PasswordFile } from '../password-file.ts';
import { passwordHashText } from '../password-hash.ts';
import { CommandError, type Data, Fields, MOST_COMMANDS, readRequest, recordOf } from './command.ts';
import { COMMANDS } from './commands.ts';
import { type AsOwner, makeFirstFile } from './first-file.ts';
import { canSignIn, copyOf, emptyModel, type SecurityClient, type SecurityModel } from './model.ts';
import { RoleAuthorizer } from './rules.ts';
import { readSecurityFile, writeSecurityFile } from './security-file.ts';

/** Commands that are carried out in one turn of the event loop. */
const AT_ONCE = 20;

export interface DynamicSecuritySetup {
  readonly file: string;
  /** File with the password of the first administrator, or null. */
  readonly passwordInitFile: string | null;
  readonly log: Logger;
  readonly asOwner: AsOwner;
  /** Makes what checks the passwords of some users. */
  readonly checkPasswords: (users: PasswordFile) => PasswordAuthenticator;
  /** Called when users may have another password. */
  readonly passwordsChanged: (isChanged: (username: string) => boolean) => void;
  /** Remote addresses of the connections of a user. */
  readonly addressesOf: (username: string) => readonly string[];
  /** Called when others may do other things: verdicts are asked anew, and these users are disconnected; null = clients without a user name. */
  readonly changed: (kicked: ReadonlySet<string | null>) => void;
}

/** ClientState is whether a user can sign in, and why not. */
export type ClientState = 'can sign in' | 'disabled' | 'without password' | 'unknown';

/** Asker is the client that sends commands, for the log. */
export type Asker = Pick<Requester, 'clientId' | 'username'>;

/** DynamicSecurity is asked by the engine after `load`. Before, it knows nobody. */
export class DynamicSecurity {
  readonly #setup: DynamicSecuritySetup;
  #model: SecurityModel = emptyModel();
  #passwords: PasswordAuthenticator;
  /** Messages are carried out one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(setup: DynamicSecuritySetup) {
    this.#setup = setup;
    this.#passwords = setup.checkPasswords(new Map());
  }

  get file(): string {
    return this.#setup.file;
  }

  get model(): SecurityModel {
    return this.#model;
  }

  /** read gives what the file holds, which is made where there is none. Throws OperatorError. */
  async read(): Promise<SecurityModel> {
    const { file, passwordInitFile, log, asOwner } = this.#setup;
    if (!existsSync(file)) {
      const passwords = await makeFirstFile({ file, passwordInitFile, environment: process.env['MOSQUITTO_DYNSEC_PASSWORD'], asOwner });
      const where = passwords === null ? 'with the password that was given' : `with the password in ${passwords}`;
      log.log('warning', `Warning: There was no dynamic security file: ${file} was made, and its administrator is "admin" ${where}.`);
    }
    return readSecurityFile(file);
  }

  /** warnIfFixed says that changes will be refused, where this user can't write the file. */
  warnIfFixed(): void {
    const { file, log } = this.#setup;
    try {
      accessSync(file, constants.R_OK | constants.W_OK);
      accessSync(dirname(file), constants.W_OK | constants.X_OK);
    } catch (error) {
      const advice = 'put it into a folder of the user that the broker runs as';
      log.log(
        'warning',
        `Warning: Clients, groups and roles cannot be changed: ${file} and its folder cannot be written (${reasonOf(error)}) - ${advice}.`,
      );
    }
  }

  /** use puts a model in force. */
  use(model: SecurityModel): void {
    const kicked = differing(this.#model, model);
    this.#putInForce(model);
    this.#setup.changed(kicked);
  }

  /** users are those that can sign in. */
  get users(): readonly string[] {
    return [...this.#model.clients.values()].filter(canSignIn).map(({ username }) => username);
  }

  /** knows tells whether a user is one of the model's. */
  knows(username: string): boolean {
    return this.#model.clients.has(username);
  }

  stateOf(username: string): ClientState {
    const client = this.#model.clients.get(username);
    if (client === undefined) return 'unknown';
    return client.disabled ? 'disabled' : client.password === null ? 'without password' : 'can sign in';
  }

  /** secretOf is another text when a client has another password, and null when it can't sign in. */
  secretOf(username: string): string | null {
    return secretIn(this.#model, username);
  }

  /** authenticator asks `others` for users whom the model does not know, null = there are none. */
  authenticator(others: Authenticator, hasOthers: boolean): Authenticator {
    const isOthers = (username: string | null): boolean => username === null || (hasOthers && !this.knows(username));
    return {
      authenticate: (credentials) => {
        const { identity } = credentials.origin;
        if (identity !== null && this.#model.clients.get(identity)?.disabled === true) return 'locked'; // mosquitto lets its certificate in
        if (identity !== null || isOthers(credentials.username)) return others.authenticate(credentials);
        return this.#authenticate(credentials);
      },
      hasAccount: (listener, username) => this.knows(username) || others.hasAccount?.(listener, username) === true,
    };
  }

  /** authorizer asks `others` for users whom the model does not know; null = they may do nothing, as in mosquitto. */
  authorizer(others: ExplainedAuthorizer | null): ExplainedAuthorizer {
    const made = (): RoleAuthorizer => new RoleAuthorizer(this.#model, this.file, others);
    let [model, rules] = [this.#model, made()];
    const now = (): RoleAuthorizer => {
      if (model !== this.#model) [model, rules] = [this.#model, made()];
      return rules;
    };
    return {
      mayPublish: (requester, topicName) => now().mayPublish(requester, topicName),
      mayReceive: (requester, topicName) => now().mayReceive(requester, topicName),
      maySubscribe: (requester, topicFilter) => now().maySubscribe(requester, topicFilter),
      mayUnsubscribe: (requester, topicFilter) => now().mayUnsubscribe(requester, topicFilter),
      explain: (client, action, topic) => now().explain(client, action, topic),
      arriving: (client, topicFilter) => now().arriving(client, topicFilter),
      namesAbout: (listener, topicName) => now().namesAbout(listener, topicName),
    };
  }

  /**
   * run carries out the commands of one message and gives their answers; `then` is called before anybody is disconnected. `look` is shown
   * the model before the first of them: what it throws ends them all.
   */
  run(
    commands: readonly unknown[],
    asker: Asker,
    then: (responses: readonly Data[]) => void,
    look: (model: SecurityModel) => void = () => {},
  ): Promise<void> {
    const done = this.#turn.then(() => {
      look(this.#model);
      return this.#run(commands, asker, then);
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  async #run(commands: readonly unknown[], asker: Asker, then: (responses: readonly Data[]) => void): Promise<void> {
    const kicked = new Set<string | null>();
    const responses: Data[] = [];
    let model = this.#model;
    for (const [index, command] of commands.slice(0, MOST_COMMANDS).entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await setImmediate(); // others are served meanwhile
      const answer = await this.#answer(command, model, kicked, asker);
      responses.push(answer.response);
      model = answer.model;
    }
    const failure = model === this.#model ? null : this.#save(model);
    then(failure === null ? responses : responses.map((response) => withFailure(response, failure)));
    if (model === this.#model || failure !== null) return;
    this.#putInForce(model);
    this.#setup.changed(kicked);
  }

  /** Gives the answer, and the model after it. */
  async #answer(value: unknown, model: SecurityModel, kicked: Set<string | null>, { clientId, username }: Asker) {
    const request = readRequest(value);
    if ('mistake' in request) return { response: request.mistake, model };
    const { name, given, correlation } = request;
    const command = COMMANDS.get(name.toLowerCase());
    if (command === undefined) return { response: { command: name, error: 'Unknown command', ...correlation }, model };
    const fields = new Fields(given);
    const copy = command.changes ? copyOf(model) : model;
    try {
      const data = recordOf(await command.run({ model: copy, fields, kicked, addressesOf: this.#setup.addressesOf }));
      if (command.changes) copy.changeIndex++;
      this.#setup.log.log('information', `dynsec: ${clientId}/${username ?? ''} | ${command.name}${fields.shown(command.logged)}`);
      const response = data === null ? { command: name, ...correlation } : { command: command.name, data, ...correlation };
      return { response, model: copy };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { response: { command: name, error: error.message, ...correlation }, model };
    }
  }

  /** Gives why it can't be written, or null. */
  #save(model: SecurityModel): string | null {
    const { file, log } = this.#setup;
    try {
      writeSecurityFile(file, model);
      return null;
    } catch (error) {
      log.log('error', `Error: Cannot write dynamic_security_file "${file}": ${reasonOf(error)}. Nothing was changed.`);
      return `Cannot write the file of dynamic security: ${reasonOf(error)}. Nothing was changed`;
    }
  }

  #putInForce(model: SecurityModel): void {
    const before = this.#model;
    this.#model = model;
    const users: PasswordFile = new Map(
      [...model.clients.values()].flatMap(({ username, password: hash, disabled: isLocked }) =>
        hash === null ? [] : [[username, { hash, isLocked }] as const],
      ),
    );
    this.#passwords = this.#setup.checkPasswords(users);
    this.#setup.passwordsChanged((username) => secretIn(model, username) !== secretIn(before, username));
  }

  /** The client id is looked at last: who has not the password learns nothing about it. */
  async #authenticate(credentials: Credentials): Promise<AuthenticationVerdict> {
    const verdict = await this.#passwords.authenticate(credentials);
    if (verdict !== 'accepted') return verdict;
    const client = this.#model.clients.get(credentials.username ?? '');
    if (client === undefined || client.disabled) return 'bad credentials'; // meanwhile
    return client.clientId === null || client.clientId === credentials.clientId ? verdict : 'not authorised';
  }
}

function secretIn({ clients }: SecurityModel, username: string): string | null {
  const client = clients.get(username);
  return client !== undefined && canSignIn(client) ? passwordHashText(client.password) : null;
}

/** A change that is not kept is none; what was only looked at stays. */
function withFailure(response: Data, error: string): Data {
  const command = COMMANDS.get(String(response['command']).toLowerCase());
  return command?.changes === true && response['error'] === undefined ? { ...response, error } : response;
}

/** Users who are another one's in a file that was changed by hand. */
function differing(before: SecurityModel, after: SecurityModel): Set<string | null> {
  const names = new Set([...before.clients.keys(), ...after.clients.keys()]);
  const kicked = new Set<string | null>([...names].filter((name) => pictureOf(before, name) !== pictureOf(after, name)));
  if (before.anonymousGroup !== after.anonymousGroup || rolesOf(before) !== rolesOf(after)) kicked.add(null);
  return kicked;
}

/** All that decides about a client, as text. */
function pictureOf(model: SecurityModel, username: string): string | null {
  const client = model.clients.get(username);
  return client === undefined ? null : JSON.stringify([secretsOf(client), [...client.roles], [...client.groups], rolesOf(model)]);
}

function secretsOf({ clientId, disabled, password }: SecurityClient) {
  return [clientId, disabled, password === null ? null : passwordHashText(password)];
}

function rolesOf({ roles, groups, anonymousGroup }: SecurityModel): string {
  return JSON.stringify([[...roles.values()], Array.from(groups.values(), (group) => [group.name, [...group.roles]]), anonymousGroup]);
}
