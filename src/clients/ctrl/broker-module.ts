// `midge ctrl broker`: what the broker itself answers below $CONTROL/broker/v1 (enable_control_api).

import { type ControlCommand, type ControlModule, findCommand, type Json, recordsOf, textOf, usageOf } from './module.ts';

const TOPIC = '$CONTROL/broker/v1';

/** A row; mosquitto's take no words, and don't mind any. */
interface BrokerCommand extends ControlCommand {
  readonly linesOf: (data: Json) => readonly string[] | null;
}

const COMMANDS: readonly BrokerCommand[] = [
  { name: 'listPlugins', words: '', summary: 'list the plugins and their control topics', section: 'Broker', linesOf: plugins },
  { name: 'listListeners', words: '', summary: 'list the listeners', section: 'Broker', linesOf: listeners },
];

/** BROKER_MODULE asks about the broker. */
export const BROKER_MODULE: ControlModule = {
  name: 'broker',
  title: 'Broker control module: the configuration must have enable_control_api true.',
  commands: COMMANDS,
  notes: [],
  usageOf: (name) => usageOf(COMMANDS, name),
  holdsSecret: () => false,
  prepare: async (name) => {
    const command = findCommand(COMMANDS, name);
    return command === undefined ? null : { topic: TOPIC, command: { command: command.name }, linesOf: command.linesOf };
  },
};

function listeners(data: Json): string[] | null {
  const list = recordsOf(data['listeners']);
  return list?.flatMap((listener, index) => listenerLines(listener, index + 1)) ?? null;
}

function listenerLines(listener: Json, number: number): string[] {
  const texts = [
    ['Protocol:', 'protocol'],
    ['Socket path:', 'socket-path'],
    ['Bind address:', 'bind-address'],
  ] as const;
  return [
    `Listener ${number}:`,
    ...(typeof listener['port'] === 'number' ? [`  Port:              ${listener['port']}`] : []),
    ...texts.flatMap(([label, word]) => {
      const text = textOf(listener[word]);
      return text === null ? [] : [`  ${label.padEnd(18)} ${text}`];
    }),
    `  TLS:               ${listener['tls'] === true}`,
    '',
  ];
}

function plugins(data: Json): string[] | null {
  const list = recordsOf(data['plugins']);
  if (list?.some((plugin) => textOf(plugin['name']) === null) !== false) return null;
  return list.flatMap((plugin) => {
    const [version, endpoints] = [textOf(plugin['version']), plugin['control-endpoints']];
    const topics = Array.isArray(endpoints) ? endpoints.map(textOf).filter((topic) => topic !== null) : [];
    return [
      `Plugin:            ${textOf(plugin['name'])}`,
      ...(version === null ? [] : [`Version:           ${version}`]),
      ...topics.map((topic, index) => `${(index === 0 ? 'Control endpoints:' : '').padEnd(18)} ${topic}`),
    ];
  });
}
