// `midge ctrl`: mosquitto_ctrl(1) - one command to $CONTROL over MQTT.js, and the two that need no broker.
//
//   flags  module  command  words   ->  question for a topic  ->  answer of the broker  ->  lines

import { OperatorError } from '../base/errors.ts';
import { findFlag } from '../terminal/arguments.ts';
import { askSecrets } from '../terminal/ask.ts';
import type { Command, Invocation } from '../terminal/command.ts';
import { hideArguments } from '../terminal/passwords.ts';
import { BROKER_MODULE } from './ctrl/broker-module.ts';
import { ControlRequest } from './ctrl/control-request.ts';
import { DYNSEC_MODULE } from './ctrl/dynsec-module.ts';
import { type ControlModule, InvalidWords, moduleHelp, type Question } from './ctrl/module.ts';
import { ClientMistake } from './mistake.ts';
import { STATUS } from './outcome.ts';
import { runWithSettings } from './read-settings.ts';
import { runClient } from './run.ts';
import type { ClientSettings } from './settings.ts';

const MODULES: readonly ControlModule[] = [BROKER_MODULE, DYNSEC_MODULE];

/** Statuses of mosquitto_ctrl, which are libmosquitto's: words that are wrong, a module and a command that it does not have. */
const INVALID = 3;
const NOT_SUPPORTED = 10;
const UNKNOWN = 13;

/** run sends one command, prints the answer, and gives the exit status: mosquitto_ctrl's behind that name; as `midge ctrl` a refusal is a failure. */
export async function run(invocation: Invocation): Promise<number> {
  const { command, argv, program, terminal } = invocation;
  const start = moduleAt(command, argv);
  const [moduleName, commandName, ...words] = argv.slice(start);
  return runWithSettings('ctrl', { ...invocation, argv: argv.slice(0, start) }, async (settings) => {
    if (moduleName === undefined || commandName === undefined) throw new ClientMistake(`Error: Which command? ${usage(program)}`);
    const module = MODULES.find(({ name }) => name === moduleName.toLowerCase());
    if (module === undefined) throw new OperatorError(`Error: Module '${moduleName}' not supported.`, { exitCode: NOT_SUPPORTED });
    if (commandName.toLowerCase() === 'help') {
      terminal.stdout.write(moduleHelp(module, program));
      return 0;
    }
    if (module.holdsSecret(commandName, words)) hideArguments(program);
    try {
      const work = await module.prepare(commandName, words, { terminal, program, dataFile: settings.dataFile });
      if (work === null) throw new OperatorError(`Command '${commandName}' not recognised.`, { exitCode: UNKNOWN });
      return work === 'done' ? 0 : await ask(work, settings, invocation);
    } catch (error) {
      if (!(error instanceof InvalidWords)) throw error;
      const reasons = [...error.reasons, 'Error: Invalid function arguments provided.'];
      if (!program.startsWith('mosquitto')) reasons.push(`Usage: ${program} ${module.name} ${module.usageOf(commandName)}`);
      throw new OperatorError(reasons.join('\n'), { exitCode: INVALID });
    }
  });
}

function usage(program: string): string {
  return `${program} ${MODULES.map(({ name }) => `${name} help`).join(` and ${program} `)} list them.`;
}

/** moduleAt is where the flags end, as in mosquitto_ctrl: what stands behind the name of the module is the command's own. */
function moduleAt(command: Command, argv: readonly string[]): number {
  let at = 0;
  while (at < argv.length && argv[at]!.startsWith('-')) at += findFlag(command.flags, argv[at]!)?.value ? 2 : 1;
  return Math.min(at, argv.length);
}

async function ask(question: Question, settings: ClientSettings, invocation: Invocation): Promise<number> {
  const { terminal, program } = invocation;
  const isMosquitto = program.startsWith('mosquitto');
  if (!isEncrypted(settings) && (isMosquitto || !isOnThisMachine(settings))) {
    terminal.stderr.write(
      `Warning: You are running ${program} without encryption.\nThis means all of the configuration changes you are making are visible on the network, including passwords.\n\n`,
    );
  }
  if (settings.username !== null && settings.password === null) {
    [settings.password = ''] = await askSecrets(terminal, [`Password for ${settings.username}: `]);
  }
  const status = await runClient(settings, new ControlRequest(settings, question, terminal), invocation);
  const neverConnected = status === STATUS.ERRNO || status === STATUS.LOOKUP || status === STATUS.TLS;
  return isMosquitto && !neverConnected ? 0 : status; // mosquitto_ctrl tells of a refusal only in words
}

function isEncrypted({ tls, port }: ClientSettings): boolean {
  return !tls.never && (tls.cafile !== null || tls.capath !== null || tls.useOsCerts || tls.psk !== null || (tls.wanted ?? port === 8883));
}

function isOnThisMachine({ host, unix }: ClientSettings): boolean {
  return unix !== null || host === null || /^(localhost|127\.[\d.]+|::1)$/.test(host);
}
