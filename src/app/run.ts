// The life of the program `midge serve`: log, ports, user, signals, and a stop that always ends.

import { setFlagsFromString } from 'node:v8';
import type { Account } from '../access/options.ts';
import { systemClock } from '../base/clock.ts';
import { OperatorError } from '../base/errors.ts';
import type { Diagnostic, LoadedConfiguration } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import { keepsSessions } from '../config/preflight.ts';
import { settingsNeedingRestart } from '../config/restart-settings.ts';
import { openKeyLog } from '../listeners/key-log.ts';
import { LastLines } from '../logging/last-lines.ts';
import { createLog, type Log, type LogWorld } from '../logging/logging.ts';
import type { LogOptions } from '../logging/options.ts';
import { auditLine } from '../operations/audit.ts';
import type { Change } from '../operations/change.ts';
import { ChangeList } from '../operations/change-list.ts';
import { ConfigurationTrial } from '../operations/configuration-trial.ts';
import type { OperationNeeds, RestartFault } from '../operations/needs.ts';
import { OPERATIONS, Operations } from '../operations/operations.ts';
import { PreparedRestore, RESTORE_VARIABLE } from '../operations/prepared-restore.ts';
import type { PhoneBook } from '../phones/phone-book.ts';
import { beginAnew } from '../service/begin-anew.ts';
import { isInBackground } from '../service/daemon.ts';
import { removePidFile, writePidFile } from '../service/pid-file.ts';
import { onRealTimeSignal, SIGRTMIN } from '../service/real-time-signal.ts';
import { createSelfTest } from '../service/self-test.ts';
import { SelfTestLogin } from '../service/self-test-login.ts';
import { notifyServiceManager, watchdogInterval } from '../service/service-manager.ts';
import { isRoot, leaveRoot } from '../service/user.ts';
import { mendRestore } from '../state/mend-restore.ts';
import { findState, type StateFolder } from '../state/state-folder.ts';
import { moveAside } from '../store/file-names.ts';
import { type Appliance, createAppliance } from './app.ts';
import { warnOfFixedFiles } from './fixed-files.ts';
import { makeAccount, withMadeAccount } from './made-account.ts';
import { operationNeeds } from './operation-needs.ts';
import { ApiPart, wantsApi } from './parts/api-part.ts';
import { ControlPart } from './parts/control-part.ts';
import { HistoryPart } from './parts/history-part.ts';
import { LocationsPart } from './parts/locations-part.ts';
import { LogPart } from './parts/log-part.ts';
import { MosquittoApiPart } from './parts/mosquitto-api-part.ts';
import { type AppliancePart, Parts, row } from './parts.ts';
import { Reloads } from './reloads.ts';
import { StartReport } from './start-report.ts';

/** A stop that has not ended by then is ended: service scripts wait 5 s. */
const STOP_LIMIT_MS = 4500;

/** Who has asked for a restart has the answer by then. */
const ANSWER_MS = 500;

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
  const run = new Run(request, log);
  let anew: NodeJS.ProcessEnv | null = null;
  try {
    anew = await run.live();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    log.log('error', `Error: ${error.message}`);
    if (!isShown(request)) throw error;
    return error.exitCode;
  } finally {
    log.close();
    forget();
  }
  if (anew !== null) beginAnew({ ...anew, STATE_DIRECTORY: run.statePath }); // another user's own folder would be another one
  return 0;
}

class Run {
  readonly #request: RunRequest;
  readonly #log: Log;
  readonly #state: StateFolder;
  readonly #logPart: LogPart;
  readonly #watchdog = watchdogInterval(process.env, process.pid);
  readonly #selfTest: SelfTestLogin | null;
  readonly #reloads: Reloads;
  readonly #report: StartReport;
  #parts: Parts | null = null;
  #isReady = false;
  readonly #changes: ChangeList;
  readonly #stopped = Promise.withResolvers<void>();
  /** The program is to begin anew, with this added to its environment. */
  #anew: Readonly<Record<string, string>> | null = null;

  constructor(request: RunRequest, log: Log) {
    const { configuration, readAgain } = request;
    this.#request = request;
    this.#log = log;
    this.#logPart = new LogPart(log, configuration, (each) => logOptions(request, each));
    this.#selfTest = this.#watchdog === null ? null : new SelfTestLogin();
    this.#state = findState({ asked: request.state, ...configuration.persistence, isRoot: isRoot(), env: process.env });
    this.#changes = new ChangeList(this.#state.changes, systemClock.now, log);
    this.#report = new StartReport({ ...request, log, state: this.#state, keepsSessions: keepsSessions(request) });
    this.#reloads = new Reloads({
      clock: systemClock,
      log,
      configuration,
      readAgain,
      sayDiagnostics: (diagnostics) => this.#report.sayDiagnostics(diagnostics),
      putInForce: (next) => this.#putInForce(next),
    });
  }

  get statePath(): string {
    return this.#state.path;
  }

  /** live ends with what the program is to begin anew with in its environment; null = it ends. */
  async live(): Promise<Readonly<Record<string, string>> | null> {
    const request = this.#request;
    const stopSignal = Promise.race([firstSignal(), this.#stopped.promise]);
    this.#report.sayConfiguration();
    const mended = this.#state.exists() ? mendRestore(this.#state, moveAside) : null;
    if (mended !== null) this.#log.log('warning', `Warning: ${mended}`);
    this.#report.warnOfAnotherAuthority();
    const madeAccount = await makeAccount(request.configuration, this.#state);
    const appliance = createAppliance({
      configuration: withMadeAccount(request.configuration, this.#state),
      log: this.#log,
      state: this.#state,
      keepsSessions: keepsSessions(request),
      title: request.title,
      buildDate: request.buildDate,
      selfTest: this.#selfTest,
      keyLog: request.keyLog === null ? null : openKeyLog(request.keyLog, this.#log),
      serveHttp: (stream, visit) => (visit.protocol === 'http' ? api : mosquittoApi).serve(stream, visit),
      accountsChanged: () => api.accountsChanged(),
    });
    const history = this.#historyPart(appliance);
    const locations = this.#locationsPart(appliance, () => api.phones?.book ?? null);
    const needs = this.#operationNeeds(appliance, { history, locations, api: () => api });
    const operations = new Operations(needs, OPERATIONS, (change) => this.#noteChange(change));
    const api = this.#apiPart(appliance, operations, needs);
    const mosquittoApi = new MosquittoApiPart({ appliance, log: this.#log });
    const parts = new Parts(
      'program',
      this.#table({ appliance, madeAccount, operations, api, mosquittoApi, history, locations }),
      this.#log,
    );
    this.#parts = parts;
    this.#listenToSignals(appliance);
    try {
      await parts.start();
      holdYoungGeneration();
      await stopSignal;
      this.#log.log('information', `${request.title} terminating`);
    } finally {
      await stopInTime(parts, this.#log);
    }
    return this.#anew;
  }

  #noteChange(change: Change): void {
    this.#log.log('notice', auditLine(change));
    if (change.lasts) this.#changes.add(change);
  }

  /** What was asked for first is done. */
  #beginAnew(more: Readonly<Record<string, string>>): void {
    this.#anew ??= more;
    setTimeout(this.#stopped.resolve, ANSWER_MS);
  }

  async #restartFault({ configuration, listeners }: Appliance): Promise<RestartFault | null> {
    const [{ restartFault }, { STATE_NEEDS }] = await Promise.all([import('./restart-fault.ts'), import('./state-needs.ts')]);
    const { file } = configuration;
    const namedFiles = () => (file === null ? [] : STATE_NEEDS.namedFiles(file, process.cwd()));
    const program = [process.execPath, ...(this.#request.fromSources ? process.argv.slice(1, 2) : [])];
    return restartFault({ configuration, listeners, namedFiles, program });
  }

  /** The order of start, and backwards of stop. */
  #table({ appliance, madeAccount, operations, api, mosquittoApi, history, locations }: Made): readonly AppliancePart[] {
    const { title, configuration } = this.#request;
    const { pidFile } = configuration.process;
    const log = this.#log;
    return [
      this.#logPart,
      row('end of the PID file', { stop: async () => (pidFile === null ? undefined : removePidFile(pidFile)) }), // by then the ports are free
      appliance,
      row('PID file', { start: async () => (pidFile === null ? undefined : writePidFile(pidFile)) }),
      row('folder of the roles', { start: async () => (wantsApi(configuration) ? this.#state.make() : undefined) }), // while this is root
      row('user', { start: async () => this.#leaveRoot() }),
      row('files of that user', {
        start: async () => {
          appliance.dynamicSecurity?.warnIfFixed();
          if (wantsApi(configuration)) warnOfFixedFiles(configuration, log);
        },
      }),
      row('log messages', {
        start: async () => log.publishTo((topic, payload) => publishLine(appliance, topic, payload)),
        stop: async () => log.publishTo(null),
      }),
      history,
      new ControlPart({ state: this.#state, operations, log }),
      api,
      locations,
      mosquittoApi,
      row('report', {
        start: async () => {
          this.#report.sayWhoMayConnect(appliance.listeners);
          log.log('information', `${title} running`);
          this.#report.sayToPerson(appliance.listeners, madeAccount);
        },
      }),
      ...this.#selfTestRows(appliance),
      appliance.announcements,
      row('reloads', { stop: async () => this.#reloads.stop() }),
      row('readiness', {
        start: async () => this.#tellReady(true),
        stop: async () => this.#tellReady(false),
      }),
    ];
  }

  #tellReady(isReady: boolean): void {
    this.#isReady = isReady;
    if (isReady || this.#anew === null) notifyServiceManager(isReady ? 'READY=1' : 'STOPPING=1'); // a program that begins anew does not stop for systemd
  }

  #leaveRoot(): void {
    const { configuration, fromSources, isMosquitto } = this.#request;
    const unnamed = isMosquitto ? "mosquitto's" : fromSources ? 'none' : 'ours';
    leaveRoot({ wanted: configuration.process.user, state: this.#state, unnamed, log: this.#log });
  }

  #operationNeeds(appliance: Appliance, { history, locations, api }: Asked): () => OperationNeeds {
    const { title, buildDate } = this.#request;
    const program = { title, buildDate, since: systemClock.now() };
    const trial = new ConfigurationTrial(this.#log);
    const wasRoot = isRoot();
    const fault = async () => (isRoot() === wasRoot ? null : this.#restartFault(appliance));
    const brought = new PreparedRestore({
      path: this.#state.restoreUpload,
      restartFault: fault,
      restart: (order) => this.#beginAnew({ [RESTORE_VARIABLE]: JSON.stringify(order) }),
    });
    const lastLines = new LastLines();
    this.#log.follow((line) => lastLines.add(line));
    return () => {
      const { setupCode, tokens, roles, phones } = api();
      const kept = {
        setupCode,
        tokens,
        roles,
        phones,
        trial,
        brought,
        restart: { fault, begin: () => this.#beginAnew({}) },
        history: history.history,
        locations: locations.locations,
        lastLines: () => lastLines.list(),
        changes: () => this.#changes.list(),
      };
      return operationNeeds(appliance, { reloads: this.#reloads, program, ...kept });
    };
  }

  #historyPart(appliance: Appliance): HistoryPart {
    const { configuration, buildDate } = this.#request;
    const file = keepsSessions(this.#request) ? this.#state.metricsHistory : null;
    return new HistoryPart({ configuration, appliance, file, clock: systemClock, log: this.#log, buildDate });
  }

  #locationsPart(appliance: Appliance, phones: () => PhoneBook | null): LocationsPart {
    const { configuration, buildDate } = this.#request;
    return new LocationsPart({ configuration, appliance, phones, clock: systemClock, log: this.#log, buildDate });
  }

  #apiPart(appliance: Appliance, operations: Operations, needs: () => OperationNeeds): ApiPart {
    const { configuration, title } = this.#request;
    const world = {
      appliance,
      operations,
      needs,
      reloads: this.#reloads,
      log: this.#log,
      title,
      since: systemClock.now(),
      isReady: () => this.#isReady,
      changed: (change: Change) => this.#noteChange(change),
    };
    return new ApiPart({
      configuration,
      log: this.#log,
      read: async () => {
        const [{ Roles }, { TokenFile }, { PhoneBook }, { PhoneWatch }] = await Promise.all([
          import('../api/roles.ts'),
          import('../api/tokens.ts'),
          import('../phones/phone-book.ts'),
          import('./phone-watch.ts'),
        ]);
        this.#state.make(); // for them
        return {
          roles: new Roles(this.#state.apiRoles),
          tokens: new TokenFile(this.#state.apiTokens, systemClock.now),
          phones: new PhoneWatch(new PhoneBook(this.#state.phones, systemClock.now), appliance.broker, systemClock),
        };
      },
      hasAccount: (username) => appliance.configuration.listeners.some(({ policy }) => appliance.access.knows(policy.name, username)),
      load: async (kept, code) => (await import('./api-setup.ts')).apiSetup(world, kept, code),
    });
  }

  #selfTestRows(appliance: Appliance): readonly AppliancePart[] {
    if (this.#watchdog === null || this.#selfTest === null) return [];
    const selfTest = createSelfTest({
      pass: this.#selfTest,
      listeners: () => appliance.listeners,
      interval: this.#watchdog / 3,
      patience: this.#watchdog / 4,
      log: this.#log,
      passed: () => notifyServiceManager('WATCHDOG=1'),
    });
    return [row(selfTest.name, { start: () => selfTest.start(), stop: () => selfTest.stop() })];
  }

  /** Before the first port opens, because scripts send signals as soon as they see it. SIGUSR1 must not open Node's debugger, SIGUSR2 must not end the broker: both have a meaning for mosquitto. */
  #listenToSignals({ broker }: Appliance): void {
    process.on('SIGHUP', () => void this.#reloads.reload('signal'));
    this.#reloads.watch();
    process.on('SIGUSR1', () => this.#log.log('notice', 'SIGUSR1 has no effect: this broker has no database that is saved on demand.'));
    onRealTimeSignal(SIGRTMIN, () => this.#logPart.reopen());
    process.on('SIGUSR2', () => this.#log.log('notice', `SIGUSR2: ${broker.connections.size} connections are open.`));
  }

  async #putInForce(next: Configuration): Promise<readonly string[]> {
    if (this.#parts === null) throw new Error('nothing runs yet');
    await this.#parts.reload(withMadeAccount(next, this.#state));
    return settingsNeedingRestart(this.#request.configuration, next);
  }
}

/** Asked is what operations need beside the appliance. */
interface Asked {
  readonly history: HistoryPart;
  readonly locations: LocationsPart;
  readonly api: () => ApiPart;
}

/** Made is what the table of parts is made of. */
interface Made {
  readonly appliance: Appliance;
  readonly madeAccount: Account | null;
  readonly operations: Operations;
  readonly api: ApiPart;
  readonly mosquittoApi: MosquittoApiPart;
  readonly history: HistoryPart;
  readonly locations: LocationsPart;
}

/** stopInTime ends the program without the parts that do not stop. */
async function stopInTime(parts: Parts, log: Log): Promise<void> {
  const limit = setTimeout(() => {
    log.log('warning', 'Warning: Some parts of the broker did not stop in time. The program ends without them.');
    process.exit(0);
  }, STOP_LIMIT_MS);
  await parts.stop();
  clearTimeout(limit);
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
