// `midge install`: makes this executable a service of the machine, or upgrades the one that is there, and goes back when the new one is not healthy.

import { isSea } from 'node:sea';
import { makePassword } from '../access/first-account.ts';
import { hashPassword } from '../access/password-hash.ts';
import { OperatorError } from '../base/errors.ts';
import { portHolder } from '../host/port-holder.ts';
import { execute, follow } from '../install/execute.ts';
import { type InstallFiles, installFiles } from '../install/files.ts';
import { leftBehind } from '../install/left-behind.ts';
import {
  hasSystemd,
  installedVersion,
  keeperOfProgram,
  lastWords,
  lookAtMachine,
  serviceState,
  systemdVersion,
  tryProgram,
  withWayBack,
} from '../install/machine.ts';
import { withFreePages } from '../install/page-ports.ts';
import {
  configurationFolders,
  describeStep,
  type InstallPlan,
  type InstallWishes,
  type Machine,
  PLACES,
  PROBATION,
  planInstall,
  USER,
} from '../install/plan.ts';
import { isWhole } from '../install/seal.ts';
import type { Status } from '../operations/status.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { readPasswordFile } from '../terminal/passwords.ts';
import { askBroker } from './control-client.ts';
import { MACHINE } from './machine-stage.ts';
import { portsInUse } from './ports-in-use.ts';
import { stamp } from './stamp.ts';

/** The first account when nobody names one. */
const DEFAULT_USER = 'midge';

/** Of --within, in seconds. */
const LONGEST_PROBATION = 3600;

/** It must run so long without a fall. */
const STEADY_MS = 5000;

/** Falls that prove that it will not stand. A start by hand sets the count to 0. */
const FALLS = 3;

const LOOK_MS = 500;

const RESUMED = `An upgrade was interrupted before the new version had proved healthy: midge keeps ${PLACES.oldExecutable} to go back to.\n`;

/** run installs or upgrades. The exit status is 0 when the service runs, or would by the plan; OperatorError when it does not. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const isDry = flags.has('dry-run');
  const probation = probationOf(flags.get('within')?.at(-1));
  refuseKeptByOthers();
  if (!isDry) refuseImpossible();
  const machine = lookAtMachine(process.execPath);
  if (machine.mosquitto === 'runs' && machine.configuration === 'absent') return offerImport(machine, terminal);
  const files = filesFor(machine);
  refusePortsInUse(machine, files);
  const { wishes, password } = await wishesOf(invocation, machine);
  const plan = planInstall(machine, files, wishes);
  const title = titleOfInstallation(machine, installedVersion(), stamp().version);
  if (isDry) return show(title, plan, terminal);
  terminal.stdout.write(`${title}\n`);
  if (machine.oldExecutable === 'way back') terminal.stdout.write(RESUMED);
  try {
    checkConfiguration(machine);
    await carryThrough(plan, probation, terminal, () => password !== null && sayAccount(terminal, wishes, password));
  } catch (error) {
    terminal.stderr.write(`\n${leftBehind(machine, lookAtMachine(process.execPath))}\n`);
    throw machine.mosquitto === 'stopped' && !machine.isActive ? withWayBack(error) : error;
  }
  await sayPlaces(invocation);
  return 0;
}

function probationOf(text: string | undefined): number {
  if (text === undefined) return PROBATION;
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= PROBATION && seconds <= LONGEST_PROBATION) return seconds;
  throw new OperatorError(`Cannot wait "${text}": it must be a number of seconds, from ${PROBATION} to ${LONGEST_PROBATION}`);
}

/** titleOfInstallation says what is about to happen, in one line; `inPlace` is the version that is installed, null = none that runs. */
export function titleOfInstallation({ executable, unit, isActive }: Machine, inPlace: string | null, own: string): string {
  if (executable === 'absent') return `Installing midge ${own}`;
  if (executable === 'same' && unit !== null && isActive) return `midge ${own} is already installed, and runs`;
  if (executable === 'same') return `midge ${own} is already installed; what is missing is added`;
  if (inPlace === own) return `Replacing midge ${own} by another build of the same version`;
  return `Changing midge from ${inPlace ?? 'a version that does not run'} to ${own}`;
}

function refuseKeptByOthers(): void {
  const keeper = keeperOfProgram();
  if (keeper === 'package')
    throw new OperatorError(
      'Cannot install: the Debian package of midge is here - upgrade it with apt-get, or remove it first: sudo apt-get remove midge',
    );
  if (keeper === 'image') throw new OperatorError('Cannot install: midge is a part of this card image, which is read-only');
}

/** The page goes to ports that no other program has. */
function filesFor(machine: Machine): InstallFiles {
  const files = installFiles(systemdVersion());
  if (machine.configuration !== 'absent') return files;
  return { ...files, configuration: withFreePages(files.configuration, (port) => portHolder(port) !== null) };
}

function refusePortsInUse(machine: Machine, files: InstallFiles): void {
  const taken = portsInUse(machine, files.configuration);
  if (taken.length === 0) return;
  const list = taken.map(({ port, holder }) => `  port ${port}: ${holder}\n`).join('');
  const isMosquitto = taken.some(({ holder }) => holder.startsWith('mosquitto '));
  const offer = isMosquitto
    ? `To take over the settings of mosquitto: sudo ${machine.program} import mosquitto --dry-run FOLDER-OF-ITS-CONFIGURATION\n`
    : '';
  throw new OperatorError(
    `Cannot install: other programs have the ports that midge is to open. Nothing was changed.\n${list}${offer}Stop these programs, or write ${PLACES.configuration} with other ports first.`,
  );
}

function refuseImpossible(): void {
  if (!isSea())
    throw new OperatorError('Cannot install: midge runs from its sources - build the executable (make binary) and run that one');
  if (process.getuid?.() !== 0) throw new OperatorError('Cannot install: only root may - use sudo');
  if (!hasSystemd())
    throw new OperatorError('Cannot install: this machine does not use systemd - start "midge serve" with its own service manager');
  if (!isWhole(process.execPath))
    throw new OperatorError(
      `Cannot install: "${process.execPath}" is not whole, its checksum is wrong - copy it again, and compare both copies with sha256sum`,
    );
}

async function wishesOf({ flags }: Invocation, machine: Machine): Promise<{ wishes: InstallWishes; password: string | null }> {
  const withMosquittoNames = flags.has('with-mosquitto-names');
  const asked = flags.get('user')?.at(-1);
  const user = asked ?? DEFAULT_USER;
  const file = flags.get('password-file')?.at(-1);
  if (user.includes(':'))
    throw new OperatorError(
      'Cannot take a password from the command line, where other users can see it: put it into a file for --password-file, or leave it out, and midge makes one',
    );
  if (machine.configuration === 'other') {
    if (asked !== undefined)
      throw new OperatorError(
        `Cannot make user "${user}": ${PLACES.configuration} does not read ${PLACES.passwords} - use: midge passwd FILE NAME`,
      );
    return { wishes: { account: null, withMosquittoNames }, password: null };
  }
  if (machine.passwords === 'has users') {
    if (asked !== undefined)
      throw new OperatorError(`Cannot make user "${user}": there are accounts already - use: midge passwd ${PLACES.passwords} NAME`);
    return { wishes: { account: null, withMosquittoNames }, password: null };
  }
  if (!/^[^\s#:][^:\u0000-\u001f]*$/.test(user))
    throw new OperatorError(`Cannot make user "${user}": a name must not begin with a space or #, and must not contain control characters`);
  const given = file === undefined ? null : readPasswordFile(file === '-' ? '/dev/stdin' : file);
  const password = given ?? makePassword();
  const line = flags.has('dry-run') ? `${user}:` : `${user}:${await hashPassword(password)}`;
  return { wishes: { account: { user, line }, withMosquittoNames }, password: given === null ? password : null };
}

function show(title: string, { steps, start }: InstallPlan, terminal: Terminal): number {
  terminal.stdout.write(`${title}:\n`);
  for (const step of [...steps, ...start]) terminal.stdout.write(`${describeStep(step)}\n`);
  return 0;
}

/** A configuration that this version does not take is found before anything but an empty folder is made. */
function checkConfiguration({ configuration, program, executable, hasRootsConfiguration }: Machine): void {
  if (configuration === 'absent' || executable === 'same') return;
  // Root's are given away by the plan, all at once; user midge may not be there yet. Those of the user stay so.
  execute(configurationFolders(hasRootsConfiguration ? 'root' : USER), MACHINE, () => {});
  if (tryProgram(program, 'serve', '-c', PLACES.configuration, '--test-config') !== null) return;
  throw new OperatorError(
    `Cannot ${executable === 'absent' ? 'install' : 'upgrade'}: this version finds mistakes in ${PLACES.configuration} - see: ${program} check ${PLACES.configuration}`,
  );
}

async function carryThrough(plan: InstallPlan, probation: number, { stdout, stderr }: Terminal, prepared: () => void): Promise<void> {
  const isHealthy = await follow(plan, {
    stage: MACHINE,
    say: (line) => void stdout.write(`+ ${line}\n`),
    prepared,
    isHealthy: () => becomesHealthy(probation),
    unhealthy: (reason) => {
      const why = reason ?? `The broker is ${serviceState().word} and not healthy. The last lines of its log:\n${lastWords()}`;
      stderr.write(`${why}\n\nGoing back:\n`);
    },
  });
  if (isHealthy) return;
  const end = plan.back.some(({ kind }) => kind === 'copy')
    ? 'the old version is in place again'
    : 'it is stopped, and does not start with the machine';
  throw new OperatorError(`Cannot keep this version: the broker did not become healthy - ${end}`);
}

/** The service says that it is ready only after a message has gone through it; then it must stay up for a while. */
async function becomesHealthy(probation: number): Promise<boolean> {
  const deadline = performance.now() + probation * 1000;
  let pid = 0;
  let since = 0;
  let fallsBefore = Number.POSITIVE_INFINITY; // of an earlier version: systemd forgets them when that one has stopped
  for (;;) {
    const now = performance.now();
    const state = serviceState();
    fallsBefore = Math.min(fallsBefore, state.falls);
    if (!state.isRunning || state.pid !== pid) since = now;
    pid = state.isRunning ? state.pid : 0;
    if (pid !== 0 && now - since >= STEADY_MS) return true;
    if (now > deadline || state.falls - fallsBefore >= FALLS) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Nothing is changed before it is clear whose configuration is meant. */
function offerImport({ program }: Machine, { stdout }: Terminal): number {
  stdout.write(
    `mosquitto runs here and has the ports. Nothing was changed. To take over its configuration, passwords, rules and messages:

  sudo ${program} import mosquitto --dry-run /etc/mosquitto      what would become of them
  sudo systemctl disable --now mosquitto
  sudo ${program} import mosquitto --state ${PLACES.state} /etc/mosquitto
  sudo ${program} install

The way back: sudo ${program} uninstall; sudo systemctl enable --now mosquitto

To begin anew, disable mosquitto and install. To run both, write ${PLACES.configuration} with other ports first.
`,
  );
  return 1;
}

function sayAccount({ stdout }: Terminal, { account }: InstallWishes, password: string): void {
  stdout.write(
    `\nmidge has made an account. It shows the password only this once, and keeps a hash of it.\n\n  user      ${account?.user}\n  password  ${password}\n`,
  );
}

async function sayPlaces(invocation: Invocation): Promise<void> {
  const flags = new Map([['state', [PLACES.state]]]);
  const status = (await askBroker({ ...invocation, flags }, 'status')) as Status; // the other end is controlRequests
  const { code } = (await askBroker({ ...invocation, flags }, 'setup code')) as { readonly code: string | null }; // the same
  const { access, certificates, listeners, machine } = status;
  const page = listeners.find(({ protocol, tls }) => protocol === 'http' && tls);
  const host = machine.announced ?? machine.hostName;
  const lines = [
    `${status.program} runs on ${[machine.announced ?? machine.hostName, ...machine.addresses].join(', ')}`,
    ...access.map((line) => `  ${line}`),
    ...(certificates === null
      ? []
      : [
          `Devices that use TLS must trust ${PLACES.state}/certificates/ca.crt, whose SHA-256 fingerprint is`,
          `  ${certificates.authorityFingerprint}`,
        ]),
    ...(page === undefined ? [] : [`The page for browsers: https://${host}${page.port === 443 ? '' : `:${page.port}`}`]),
    ...(code === null ? [] : [`To make its first admin, type the set-up code there: ${code}`]),
    'sudo midge status shows the state of the broker, sudo midge why shows which clients it refused.',
  ];
  invocation.terminal.stdout.write(`\n${lines.join('\n')}\n`);
}
