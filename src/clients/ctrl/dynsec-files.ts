// The two commands of `midge ctrl dynsec` that work on a file of dynamic security, and need no broker.

import { lstatSync } from 'node:fs';
import { DYNSEC_ROUNDS } from '../../access/dynamic-security/client-commands.ts';
import { administratorModel } from '../../access/dynamic-security/first-file.ts';
import { readSecurityFile, writeSecurityFile } from '../../access/dynamic-security/security-file.ts';
import { MAX_ROUNDS, makePasswordHash } from '../../access/password-hash.ts';
import { OperatorError } from '../../base/errors.ts';
import { asOwnerNow } from '../../state/as-owner.ts';
import { askNewSecret } from '../../terminal/ask.ts';
import { systemText } from '../outcome.ts';
import { InvalidWords, type Surroundings } from './module.ts';

/** makeFile is `init FILE ADMIN [PASSWORD]`: a new file, for its owner only, that mosquitto 2.0 and 2.1 read too. Throws InvalidWords and OperatorError. */
export async function makeFile([file, admin, given, ...rest]: readonly string[], { terminal, program }: Surroundings): Promise<void> {
  if (file === undefined || admin === undefined)
    throw new InvalidWords('dynsec init: Not enough arguments - filename, or admin-user missing.');
  if (rest.length > 0) throw new InvalidWords('dynsec init: Too many arguments.');
  const password = given ?? (await askNewSecret(terminal, admin));
  if (password === null || password === '') throw failure(program, 'Error: Empty password.');
  const model = await administratorModel(admin, password);
  const refused = (reason: string) => failure(program, `dynsec init: Unable to open '${file}' for writing (${reason}).`);
  try {
    asOwnerNow(file, () => {
      if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) throw refused('File exists');
      writeSecurityFile(file, model);
    });
  } catch (error) {
    throw error instanceof OperatorError ? error : refused(systemText(error));
  }
  const ctrl = `${program} <connect options> dynsec`;
  terminal.stdout.write(`The client '${admin}' has been created in the file '${file}'.
This client is configured to allow you to administer the dynamic security plugin only.
It does not have access to publish messages to normal topics.
You should create your application clients to do that, for example:
   ${ctrl} createClient <username>
   ${ctrl} createRole <rolename>
   ${ctrl} addRoleACL <rolename> publishClientSend my/topic allow [priority]
   ${ctrl} addClientRole <username> <rolename> [priority]
`);
}

/** setPasswordInFile is `-f FILE setClientPassword USER [PASSWORD] [-i ROUNDS]`, for an administrator who is locked out. Throws InvalidWords and OperatorError. */
export async function setPasswordInFile(
  [username, ...words]: readonly string[],
  { terminal, dataFile, program }: Surroundings,
): Promise<void> {
  if (username === undefined || dataFile === null) throw new InvalidWords();
  const [given, flag, count, ...rest] = words[0] === '-i' ? [undefined, ...words] : words;
  if ((flag !== undefined && flag !== '-i') || rest.length > 0) throw new InvalidWords(`Error: Unknown argument: ${rest[0] ?? flag}`);
  if (flag !== undefined && count === undefined) throw new InvalidWords('Error: -i argument given, but no iterations provided.');
  const most = MAX_ROUNDS['sha512-pbkdf2'];
  const rounds = count === undefined ? DYNSEC_ROUNDS : Number(count);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > most) throw new InvalidWords(`Error: -i takes 1 to ${most}.`);
  const model = asOwnerNow(dataFile, () => readSecurityFile(dataFile));
  const client = model.clients.get(username);
  if (client === undefined) throw new OperatorError(`Error: Client ${username} not found.`);
  const password = given ?? (await askNewSecret(terminal, username));
  if (password === null || password === '') throw failure(program, 'Error: Empty password.');
  client.password = await makePasswordHash(password, 'sha512-pbkdf2', rounds);
  asOwnerNow(dataFile, () => writeSecurityFile(dataFile, model));
}

/** Failures after which mosquitto_ctrl ends with 0: scripts that run `dynsec init` at each start count on it. */
function failure(program: string, message: string): OperatorError {
  return new OperatorError(message, { exitCode: program.startsWith('mosquitto') ? 0 : 1 });
}
