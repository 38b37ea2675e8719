// `midge rr`: mosquitto_rr(1) over MQTT.js.

import type { Invocation } from '../terminal/command.ts';
import { ClientMistake } from './mistake.ts';
import { readPayload } from './payload.ts';
import { runWithSettings } from './read-settings.ts';
import { Requester } from './requester.ts';
import { runClient } from './run.ts';

/** run sends a request, prints the response, and gives mosquitto_rr's exit status. */
export function run(invocation: Invocation): Promise<number> {
  return runWithSettings('rr', invocation, async (settings) => {
    const { stdin, stdout, stderr } = invocation.terminal;
    const { topic, responseTopic, source } = settings;
    if (topic === null || responseTopic === null || source === null) {
      throw new ClientMistake('Error: All of topic, message, and response topic must be supplied.');
    }
    if (settings.properties.get('publish')?.['responseTopic'] !== undefined) {
      throw new ClientMistake('Error in PUBLISH properties: Duplicate response topic.', { hint: false });
    }
    const payload = (await readPayload(source, stdin)) ?? Buffer.alloc(0); // rr takes no lines
    const complain = (line: string) => {
      if (!settings.quiet) stderr.write(`${line}\n`);
    };
    return runClient(settings, new Requester(settings, { topic, payload, responseTopic }, stdout, complain), invocation);
  });
}
