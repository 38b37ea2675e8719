// `midge cert`: client certificates of the appliance's own authority.

import type { KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePassword } from '../access/first-account.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { type ClientCertificate, ClientRegister } from '../certificates/client-certificates.ts';
import { keyToPem } from '../certificates/issue.ts';
import { makePkcs12 } from '../certificates/pkcs12.ts';
import { day } from '../certificates/validity.ts';
import { formatDiagnostic } from '../config/config.ts';
import { isRoot } from '../service/user.ts';
import { asOwner } from '../state/as-owner.ts';
import { findState } from '../state/state-folder.ts';
import type { Invocation } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { loadAsOwner } from './configuration-file.ts';
import { buildDate } from './stamp.ts';

const SECRET = 0o600;
const PUBLIC = 0o644;

/** UseRegister does something with the register as the user of its folder. */
type UseRegister = <T>(action: (register: ClientRegister) => Promise<T>) => Promise<T>;

const VERBS: Readonly<Record<string, (invocation: Invocation, use: UseRegister) => Promise<void>>> = {
  client: issueClient,
  revoke,
  list,
  show,
  'export-ca': exportAuthority,
  'export-crl': exportRevocations,
};

/** run does one thing with certificates; throws OperatorError when it can't. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb = ''] = invocation.operands;
  const action = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (action === undefined)
    throw new OperatorError(`Error: No action given. Use '${invocation.program} client NAME', or: ${Object.keys(VERBS).join(', ')}.`);
  const file = invocation.flags.get('config-file')?.at(-1) ?? null;
  const folder = certificatesFolder(file, invocation);
  const inFolder: UseRegister = (use) => asOwner(folder, async () => use(await ClientRegister.open(folder)));
  await action(invocation, (use) => (file === null ? inFolder(use) : asOwner(file, () => inFolder(use))));
  return 0;
}

async function issueClient(invocation: Invocation, use: UseRegister): Promise<void> {
  const { flags, terminal } = invocation;
  const name = operand(invocation, 'client NAME');
  const folder = flags.get('out')?.at(-1) ?? '.';
  const moment = { now: Date.now(), buildDate: buildDate() };
  const { certificate, key, authority } = await use(async (register) => {
    return { ...(await register.issue(name, moment)), authority: register.authority.cert };
  });
  const password = makePassword();
  const files = clientFiles({ name, certificate, key, password, authority });
  for (const { suffix, content, mode } of files) writeNew(join(folder, `${name}${suffix}`), content, mode);
  terminal.stdout.write(`Issued a certificate for "${name}", valid to ${day(certificate.notAfter)}, serial ${certificate.serial}.\n`);
  for (const { suffix, is } of files) terminal.stdout.write(`  ${join(folder, `${name}${suffix}`)}  ${is}\n`);
  terminal.stdout.write(`\nmidge shows the password of ${name}.p12 only this once: ${password}\n`);
}

interface ClientFiles {
  readonly name: string;
  readonly certificate: ClientCertificate;
  readonly key: KeyObject;
  readonly password: string;
  readonly authority: string;
}

function clientFiles({ name, certificate, key, password, authority }: ClientFiles) {
  const bundle = makePkcs12({ key, cert: certificate.cert, authority, name }, password);
  return [
    { suffix: '.crt', content: certificate.cert + authority, mode: PUBLIC, is: 'certificate and its authority (PEM)' },
    { suffix: '.key', content: keyToPem(key), mode: SECRET, is: 'its key (PEM): keep it secret' },
    { suffix: '.p12', content: bundle, mode: SECRET, is: 'all in one, for phones (PKCS #12; OwnTracks for iOS wants it named .otrp)' },
  ];
}

async function revoke(invocation: Invocation, use: UseRegister): Promise<void> {
  const name = operand(invocation, 'revoke NAME');
  const revoked = await use((register) => register.revoke(name, Date.now()));
  for (const { serial } of revoked) invocation.terminal.stdout.write(`Revoked the certificate of "${name}", serial ${serial}.\n`);
}

async function list({ flags, terminal }: Invocation, use: UseRegister): Promise<void> {
  const all = await use((register) => register.list());
  if (flags.has('json')) {
    terminal.stdout.write(
      `${JSON.stringify(
        all.map(({ cert, ...rest }) => ({ ...rest, state: stateOf(rest) })),
        null,
        2,
      )}\n`,
    );
    return;
  }
  if (all.length === 0) terminal.stdout.write('No client certificate was issued.\n');
  else
    writeTable(terminal, [
      ['NAME', 'STATE', 'VALID TO', 'SERIAL'],
      ...all.map((each) => [each.name, stateOf(each), day(each.notAfter), each.serial]),
    ]);
}

async function show(invocation: Invocation, use: UseRegister): Promise<void> {
  const wanted = operand(invocation, 'show NAME');
  const found = (await use((register) => register.list())).filter(({ name, serial }) => name === wanted || serial === wanted.toLowerCase());
  if (found.length === 0) throw new OperatorError(`Cannot show "${wanted}": no certificate was issued for it - see: midge cert list`);
  const { stdout } = invocation.terminal;
  for (const each of found) {
    stdout.write(`name     ${each.name}\nstate    ${stateOf(each)}\nserial   ${each.serial}\n`);
    stdout.write(`valid    ${day(each.notBefore)} to ${day(each.notAfter)}\n${each.cert}`);
  }
}

async function exportAuthority({ terminal }: Invocation, use: UseRegister): Promise<void> {
  terminal.stdout.write(await use(async ({ authority }) => authority.cert));
}

async function exportRevocations({ terminal }: Invocation, use: UseRegister): Promise<void> {
  terminal.stdout.write(await use((register) => register.revocationList(Date.now())));
}

function stateOf({ revokedAt, notAfter }: Pick<ClientCertificate, 'revokedAt' | 'notAfter'>): string {
  if (revokedAt !== null) return `revoked ${day(revokedAt)}`;
  return notAfter < Date.now() ? 'expired' : 'valid';
}

/** A file that is there stays: it may be the only copy of another key. */
function writeNew(path: string, content: string | Buffer, mode: number): void {
  try {
    writeFileSync(path, content, { flag: 'wx', mode });
  } catch (error) {
    throw new OperatorError(`Cannot write "${path}": ${reasonOf(error)} - choose another folder with --out`, { cause: error });
  }
}

/** The folder of the broker that is started with the same flags. */
function certificatesFolder(file: string | null, { flags, terminal }: Invocation): string {
  const { configuration, diagnostics } = loadAsOwner(file);
  if (configuration === null) throw new OperatorError(diagnostics.map(formatDiagnostic).join('\n'));
  return findState({ asked: flags.get('state')?.at(-1) ?? null, ...configuration.persistence, isRoot: isRoot(), env: terminal.env })
    .certificates;
}

function operand({ operands, program }: Invocation, usage: string): string {
  const [, name] = operands;
  if (name === undefined) throw new OperatorError(`Error: Which one? Use '${program} ${usage}'.`);
  return name;
}
