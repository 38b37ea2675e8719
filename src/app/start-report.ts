// What a start says: to the log, and to the person who has started the program.

import type { Account } from '../access/options.ts';
import { type Diagnostic, describeAccess, formatDiagnostic } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Listener } from '../listeners/listeners.ts';
import { wantsOurs } from '../listeners/options.ts';
import type { Log } from '../logging/logging.ts';
import { isJournal } from '../logging/outputs.ts';
import { isInBackground, sayReady } from '../service/daemon.ts';
import { isRoot } from '../service/user.ts';
import { otherAuthorities, type StateFolder } from '../state/state-folder.ts';
import { withMadeAccount } from './made-account.ts';
import { type StopFacts, startLines, startWords } from './start-words.ts';

export interface StartReportSetup {
  readonly configuration: Configuration;
  /** Warnings of the configuration. */
  readonly diagnostics: readonly Diagnostic[];
  readonly log: Log;
  readonly state: StateFolder;
  /** Sessions and retained messages outlive the process. */
  readonly keepsSessions: boolean;
  /** `-q`: no log at all. */
  readonly quiet: boolean;
  /** Words that start this program, for commands that are shown. */
  readonly command: readonly string[];
  /** It was started by mosquitto's name: it says no more than mosquitto. */
  readonly isMosquitto: boolean;
  /** say shows text to the person: not the log, which must hold no secret. */
  readonly say: (text: string) => void;
}

/** StartReport is asked for each of its parts at its time. */
export class StartReport {
  readonly #setup: StartReportSetup;

  constructor(setup: StartReportSetup) {
    this.#setup = setup;
  }

  sayConfiguration(): void {
    const { configuration, diagnostics, log, state, keepsSessions } = this.#setup;
    const { file, localOnly } = configuration;
    log.log('information', file === null ? 'Using default config.' : `Config loaded from ${file}.`);
    this.sayDiagnostics(diagnostics);
    if (keepsSessions) log.log('information', `Sessions and retained messages are kept in ${state.database}.`);
    if (!localOnly) return;
    log.log('information', 'Starting in local only mode. Connections will only be possible from clients running on this machine.');
    log.log('information', 'Start with --lan, or with a configuration file which defines a listener, to allow remote access.');
  }

  sayDiagnostics(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) {
      this.#setup.log.log(diagnostic.severity === 'error' ? 'error' : 'warning', formatDiagnostic(diagnostic));
    }
  }

  /** Devices may trust the authority of an earlier start, by another user or in another folder. */
  warnOfAnotherAuthority(): void {
    const { configuration, log, state } = this.#setup;
    if (!configuration.listeners.some(wantsOurs) || state.holdsAuthority()) return;
    const [other] = otherAuthorities(state.path, { isRoot: isRoot(), env: process.env });
    if (other === undefined) return;
    const advice = `to go on with that one, start with --state ${other}, or copy "certificates" from there before the next start`;
    log.log(
      'warning',
      `Warning: A new certificate authority is made in ${state.path}, and devices that trust the one in ${other} will refuse it: ${advice}.`,
    );
  }

  sayWhoMayConnect(opened: readonly Listener[]): void {
    const listeners = opened.map(({ options, port }) => ({ ...options, port, policy: { ...options.policy, port } }));
    for (const line of describeAccess({ ...this.#configuration(), listeners })) this.#setup.log.log('notice', `Listening on ${line}.`);
  }

  /** Where the log is for a file, a journal or a program that looks for mosquitto's lines, it has no more than them. */
  sayToPerson(listeners: readonly Listener[], madeAccount: Account | null): void {
    const { command, isMosquitto, keepsSessions, log, say, state } = this.#setup;
    const facts = {
      command,
      configuration: this.#configuration(),
      listeners,
      state,
      keepsSessions,
      madeAccount,
    };
    const isShown = !isMosquitto && this.#isForPerson();
    const words = isShown ? startWords(facts, stopFacts()) : '';
    if (!isShown && !isMosquitto) for (const line of startLines(facts)) log.log('information', line);
    const text = describeMade(madeAccount, state.passwordFile) + words;
    if (isInBackground()) sayReady(text);
    else say(text);
  }

  /** Nobody has said where the log goes, so it is read where the program was started. */
  #isForPerson(): boolean {
    const { quiet, configuration } = this.#setup;
    return !quiet && !configuration.places.has('log_dest') && !isJournal(2, process.env['JOURNAL_STREAM']);
  }

  #configuration(): Configuration {
    return withMadeAccount(this.#setup.configuration, this.#setup.state);
  }
}

function stopFacts(): StopFacts {
  return { isOnTerminal: !isInBackground() && process.stdin.isTTY, pid: process.pid, servicePid: process.env['SYSTEMD_EXEC_PID'] };
}

function describeMade(account: Account | null, file: string): string {
  if (account === null) return '';
  return `\nmidge has made an account. It shows the password only this once, and keeps a hash of it in ${file}.\n\n  user      ${account.username}\n  password  ${account.password}\n`;
}
