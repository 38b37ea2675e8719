// The life of the program `midge serve`: log, ports, user, signals, and a stop that always ends.

import { setFlagsFromString } from 'node:v8';
import { ensureAccount } from '../access/made-account.ts';
import type { Account } from '../access/options.ts';
import { writePasswordFile } from '../access/password-file.ts';
import { systemClock } from '../base/clock.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import { type Diagnostic, describeAccess, formatDiagnostic, type LoadedConfiguration } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import { openKeyLog } from '../listeners/key-log.ts';
import { wantsOurs } from '../listeners/options.ts';
import { createLog, type Log, type LogWorld } from '../logging/logging.ts';
import type { LogOptions } from '../logging/options.ts';
import { isJournal } from '../logging/outputs.ts';
import { Operations } from '../operations/operations.ts';
import { isInBackground, sayReady } from '../service/daemon.ts';
import { removePidFile, writePidFile } from '../service/pid-file.ts';
import { onRealTimeSignal, SIGRTMIN } from '../service/real-time-signal.ts';
import { createSelfTest } from '../service/self-test.ts';
import { SelfTestPass } from '../service/self-test-pass.ts';
import { notifyServiceManager, watchdogInterval } from '../service/service-manager.ts';
import { asOwnerNow } from '../state/as-owner.ts';
import { mendRestore } from '../state/mend-restore.ts';
import { findState, otherAuthorities, type StateFolder } from '../state/state-folder.ts';
import { moveAside } from '../store/file-names.ts';
import { type Appliance, createAppliance } from './app.ts';
import { createControl } from './control.ts';
import { operationNeeds } from './operation-needs.ts';
import { keepsSessions } from './preflight.ts';
import { Reloads } from './reloads.ts';
import { type StopFacts, startLines, startWords } from './start-words.ts';
import { isRoot, leaveRoot } from './user.ts';

/** A stop that has not ended by then is ended: service scripts wait 5 s. */
const STOP_LIMIT_MS = 4500;

/** Messages of `log_dest topic` expire, as in mosquitto. Seconds. */
const LOG_MESSAGE_EXPIRY = 20;

export interface RunRequest {
  readonly configuration: Configuration;
  /** Warnings of the configuration. */
  readonly diagnostics: readonly Diagnostic[];
  /** readAgain reads the configuration for a reload. */
  readonly readAgain: () => LoadedConfiguration;
  /** `--state`, or null. */
  readonly state: string | null;
  /** `--tls-keylog`, or null. */
  readonly keyLog: string | null;
  /** `-q`: no log at all. */
  readonly quiet: boolean;
  /** What the start and stop lines call this program, for example `midge version 0.1.0`. */
  readonly title: string;
  /** When the program was built, in milliseconds since 1970. */
  readonly buildDate: number;
  /** True where the sources run: see `leaveRoot`. */
  readonly fromSources: boolean;
  /** Words that start this program, for commands that are shown. */
  readonly command: readonly string[];
  /** It was started by mosquitto's name: it says no more than mosquitto, and becomes mosquitto's user. */
  readonly isMosquitto: boolean;
  /** say shows text to the person who started the program: not the log, which must hold no secret. */
  readonly say: (text: string) => void;
}

/** runAppliance serves until SIGTERM or SIGINT and gives the exit status: 0, or that of what went wrong at the start. */
export async function runAppliance(request: RunRequest): Promise<number> {
  const log = createLog(logOptions(request, request.configuration), logWorld(request));
  const forget = dieOfMistakes(log);
  log.log('information', `${request.title} starting`);
  try {
    await new Run(request, log).live();
    return 0;
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    log.log('error', `Error: ${error.message}`);
    if (!isShown(request)) throw error;
    return error.exitCode;
  } finally {
    log.close();
    forget();
  }
}

class Run {
  readonly #request: RunRequest;
  readonly #log: Log;
  readonly #state: StateFolder;
  readonly #watchdog = watchdogInterval(process.env, process.pid);
  readonly #selfTest: SelfTestPass | null;
  readonly #reloads: Reloads;
  #appliance: Appliance | null = null;
  #control: Part | null = null;
  #watcher: Part | null = null;

  constructor(request: RunRequest, log: Log) {
    this.#request = request;
    this.#log = log;
    this.#selfTest = this.#watchdog === null ? null : new SelfTestPass();
    this.#state = findState({ asked: request.state, ...request.configuration.persistence, isRoot: isRoot(), env: process.env });
    this.#reloads = new Reloads({
      clock: systemClock,
      log,
      configuration: request.configuration,
      readAgain: request.readAgain,
      sayDiagnostics: (diagnostics) => this.#sayDiagnostics(diagnostics),
      putInForce: (next) => this.#putInForce(next),
    });
  }

  async live(): Promise<void> {
    const request = this.#request;
    const log = this.#log;
    const stopSignal = firstSignal();
    this.#sayConfiguration();
    const mended = this.#state.exists() ? mendRestore(this.#state, moveAside) : null;
    if (mended !== null) log.log('warning', `Warning: ${mended}`);
    this.#warnOfAnotherAuthority();
    const madeAccount = await this.#makeAccount();
    const appliance = createAppliance({
      configuration: this.#withMadeAccount(request.configuration),
      log,
      state: this.#state,
      keepsSessions: keepsSessions(request),
      title: request.title,
      buildDate: request.buildDate,
      selfTest: this.#selfTest,
      keyLog: request.keyLog === null ? null : openKeyLog(request.keyLog, log),
    });
    this.#appliance = appliance;
    this.#listenToSignals(appliance);
    try {
      await this.#start(appliance, madeAccount);
      await stopSignal;
      log.log('information', `${request.title} terminating`);
    } finally {
      await this.#stop(appliance);
    }
  }

  async #start(appliance: Appliance, madeAccount: Account | null): Promise<void> {
    const { configuration, title, fromSources, isMosquitto } = this.#request;
    await appliance.start();
    if (configuration.process.pidFile !== null) writePidFile(configuration.process.pidFile);
    const unnamed = isMosquitto ? "mosquitto's" : fromSources ? 'none' : 'ours';
    leaveRoot({ wanted: configuration.process.user, state: this.#state, unnamed, log: this.#log });
    this.#log.publishTo((topic, payload) => publishLine(appliance, topic, payload));
    await this.#openControl(appliance);
    this.#sayWhoMayConnect(appliance);
    this.#log.log('information', `${title} running`);
    this.#sayToPerson(appliance, madeAccount);
    await this.#watch(appliance);
    notifyServiceManager('READY=1');
    appliance.announce();
    holdYoungGeneration();
  }

  async #stop(appliance: Appliance): Promise<void> {
    notifyServiceManager('STOPPING=1');
    const limit = setTimeout(() => {
      this.#log.log('warning', 'Warning: Some parts of the broker did not stop in time. The program ends without them.');
      process.exit(0);
    }, STOP_LIMIT_MS);
    this.#log.publishTo(null);
    this.#reloads.stop();
    await Promise.all([this.#control?.stop(), this.#watcher?.stop()]);
    await appliance.stop();
    clearTimeout(limit);
    const { pidFile } = this.#request.configuration.process;
    if (pidFile !== null) removePidFile(pidFile);
  }

  /** Before the first port opens, because scripts send signals as soon as they see it. SIGUSR1 must not open Node's debugger, SIGUSR2 must not end the broker: both have a meaning for mosquitto. */
  #listenToSignals(appliance: Appliance): void {
    process.on('SIGHUP', () => void this.#reloads.reload('signal'));
    this.#reloads.watch();
    process.on('SIGUSR1', () => this.#log.log('notice', 'SIGUSR1 has no effect: this broker has no database that is saved on demand.'));
    onRealTimeSignal(SIGRTMIN, () => this.#reopenLog(appliance));
    process.on('SIGUSR2', () => this.#log.log('notice', `SIGUSR2: ${appliance.broker.connections.size} connections are open.`));
  }

  /** After a log file was rotated away, as mosquitto 2.1. */
  #reopenLog({ configuration }: Appliance): void {
    try {
      this.#log.configure(logOptions(this.#request, configuration));
      this.#log.log('notice', 'SIGRTMIN: log files were opened again.');
    } catch (error) {
      this.#log.log('error', `Error: ${reasonOf(error)}. The log goes on where it went before.`);
    }
  }

  async #watch(appliance: Appliance): Promise<void> {
    if (this.#watchdog === null || this.#selfTest === null) return;
    this.#watcher = createSelfTest({
      pass: this.#selfTest,
      listeners: () => appliance.listeners,
      interval: this.#watchdog / 3,
      patience: this.#watchdog / 4,
      log: this.#log,
      passed: () => notifyServiceManager('WATCHDOG=1'),
    });
    await this.#watcher.start();
  }

  /** Only where there is a state folder, and as the user that the broker has become. A broker that can't be asked is still a broker. */
  async #openControl(appliance: Appliance): Promise<void> {
    if (!this.#state.exists()) return;
    const { title, buildDate } = this.#request;
    const program = { title, buildDate, since: systemClock.now() };
    const operations = new Operations(() => operationNeeds(appliance, this.#reloads, program));
    const control = createControl({ path: this.#state.controlSocket, operations, log: this.#log });
    try {
      await control.start();
      this.#control = control;
    } catch (error) {
      this.#log.log('warning', `Warning: ${reasonOf(error)}. midge status and midge why will not work.`);
    }
  }

  /** All or nothing, the log too. */
  async #putInForce(next: Configuration): Promise<readonly string[]> {
    const appliance = this.#appliance;
    if (appliance === null) throw new Error('nothing runs yet');
    this.#log.configure(logOptions(this.#request, next));
    try {
      return await appliance.reload(this.#withMadeAccount(next));
    } catch (error) {
      this.#log.configure(logOptions(this.#request, appliance.configuration));
      throw error;
    }
  }

  async #makeAccount(): Promise<Account | null> {
    if (!this.#request.configuration.makesAccount) return null;
    this.#state.make();
    const { path, passwordFile } = this.#state; // root may find a folder of the broker's user
    return ensureAccount(passwordFile, (file, text) => asOwnerNow(path, () => writePasswordFile(file, text)));
  }

  /** Where the log is for a file, a journal or a program that looks for mosquitto's lines, it has no more than them. */
  #sayToPerson({ listeners }: Appliance, madeAccount: Account | null): void {
    const { command, isMosquitto, configuration, say } = this.#request;
    const facts = {
      command,
      configuration: this.#withMadeAccount(configuration),
      listeners,
      state: this.#state,
      keepsSessions: keepsSessions(this.#request),
      madeAccount,
    };
    const isShown = !isMosquitto && isForPerson(this.#request);
    const words = isShown ? startWords(facts, stopFacts()) : '';
    if (!isShown && !isMosquitto) for (const line of startLines(facts)) this.#log.log('information', line);
    const text = describeMade(madeAccount, this.#state.passwordFile) + words;
    if (isInBackground()) sayReady(text);
    else say(text);
  }

  #withMadeAccount(configuration: Configuration): Configuration {
    if (!configuration.makesAccount) return configuration;
    return { ...configuration, makesAccount: false, access: { ...configuration.access, passwordFile: this.#state.passwordFile } };
  }

  #sayConfiguration(): void {
    const { configuration, diagnostics } = this.#request;
    const { file, localOnly } = configuration;
    this.#log.log('information', file === null ? 'Using default config.' : `Config loaded from ${file}.`);
    this.#sayDiagnostics(diagnostics);
    if (keepsSessions(this.#request)) this.#log.log('information', `Sessions and retained messages are kept in ${this.#state.database}.`);
    if (!localOnly) return;
    this.#log.log('information', 'Starting in local only mode. Connections will only be possible from clients running on this machine.');
    this.#log.log('information', 'Start with --lan, or with a configuration file which defines a listener, to allow remote access.');
  }

  /** Devices may trust the authority of an earlier start, by another user or in another folder. */
  #warnOfAnotherAuthority(): void {
    const { configuration } = this.#request;
    if (!configuration.listeners.some(wantsOurs) || this.#state.holdsAuthority()) return;
    const [other] = otherAuthorities(this.#state.path, { isRoot: isRoot(), env: process.env });
    if (other === undefined) return;
    const advice = `to go on with that one, start with --state ${other}, or copy "certificates" from there before the next start`;
    this.#log.log(
      'warning',
      `Warning: A new certificate authority is made in ${this.#state.path}, and devices that trust the one in ${other} will refuse it: ${advice}.`,
    );
  }

  #sayDiagnostics(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) {
      this.#log.log(diagnostic.severity === 'error' ? 'error' : 'warning', formatDiagnostic(diagnostic));
    }
  }

  #sayWhoMayConnect(appliance: Appliance): void {
    const listeners = appliance.listeners.map(({ options, port }) => ({ ...options, port, policy: { ...options.policy, port } }));
    const configuration = { ...this.#withMadeAccount(this.#request.configuration), listeners };
    for (const line of describeAccess(configuration)) this.#log.log('notice', `Listening on ${line}.`);
  }
}

function logWorld({ isMosquitto }: RunRequest): LogWorld {
  return {
    clock: systemClock,
    stdout: { stream: process.stdout, fd: 1 },
    stderr: { stream: process.stderr, fd: 2 },
    journalStream: process.env['JOURNAL_STREAM'],
    tag: isMosquitto ? 'mosquitto' : 'midge',
  };
}

/** In the background nobody sees the standard streams: what would go there goes to syslog. */
function logOptions({ quiet }: RunRequest, { log }: Configuration): LogOptions {
  if (quiet) return { ...log, destinations: [] };
  if (!isInBackground()) return log;
  const kept = log.destinations.filter(({ kind }) => kind !== 'stdout' && kind !== 'stderr');
  return { ...log, destinations: kept.length < log.destinations.length ? [...kept, { kind: 'syslog' }] : kept };
}

function stopFacts(): StopFacts {
  return { isOnTerminal: !isInBackground() && process.stdin.isTTY, pid: process.pid, servicePid: process.env['SYSTEMD_EXEC_PID'] };
}

function describeMade(account: Account | null, file: string): string {
  if (account === null) return '';
  return `\nmidge has made an account. It shows the password only this once, and keeps a hash of it in ${file}.\n\n  user      ${account.username}\n  password  ${account.password}\n`;
}

/** isForPerson: nobody has said where the log goes, so it is read where the program was started. */
function isForPerson({ quiet, configuration }: RunRequest): boolean {
  return !quiet && !configuration.places.has('log_dest') && !isJournal(2, process.env['JOURNAL_STREAM']);
}

function isShown(request: RunRequest): boolean {
  const { destinations, types } = logOptions(request, request.configuration);
  return types.includes('error') && destinations.some(({ kind }) => kind === 'stdout' || kind === 'stderr');
}

function publishLine({ broker }: Appliance, topic: string, payload: string): void {
  const properties = { messageExpiryInterval: LOG_MESSAGE_EXPIRY };
  broker.publish({ cmd: 'publish', topic, payload: Buffer.from(payload), qos: 2, retain: false, dup: false, properties }, () => {});
}

/** The handlers stay: a second signal must not cut short what the first has begun. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => process.on('SIGTERM', () => resolve()).on('SIGINT', () => resolve()));
}

/** A mistake of ours is logged before it ends the program. */
function dieOfMistakes(log: Log): () => void {
  const die = (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const line of text.split('\n')) log.log('error', `Internal error: ${line.trim()}`);
    process.exit(1);
  };
  process.on('uncaughtException', die);
  return () => void process.off('uncaughtException', die);
}

/**
 * V8 grows the memory for new objects with everything that survives, to 64 MB and more where there is much memory, and never gives it
 * back: ten thousand clients that connect would cost 3 KiB more each. What it has after the start is enough, for messages leave hardly
 * any garbage.
 */
function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
