// `midge pub`: mosquitto_pub(1) over MQTT.js.

import type { Invocation } from '../terminal/command.ts';
import { ClientMistake } from './mistake.ts';
import { readPayload } from './payload.ts';
import { Publisher } from './publisher.ts';
import { runWithSettings } from './read-settings.ts';
import { runClient } from './run.ts';

/** run publishes and gives mosquitto_pub's exit status. */
export function run(invocation: Invocation): Promise<number> {
  return runWithSettings('pub', invocation, async (settings) => {
    const { stdin, stderr } = invocation.terminal;
    const payload = settings.source === null ? null : await readPayload(settings.source, stdin);
    const topic = settings.topic ?? (settings.properties.get('publish')?.['topicAlias'] === undefined ? null : '');
    if (topic === null || settings.source === null) throw new ClientMistake('Error: Both topic and message must be supplied.');
    const complain = (line: string) => {
      if (!settings.quiet) stderr.write(`${line}\n`);
    };
    return runClient(settings, new Publisher(settings, topic, payload, stdin, complain), invocation);
  });
}
