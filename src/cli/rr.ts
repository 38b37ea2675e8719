// `midge rr`: mosquitto_rr(1) over MQTT.js.

import { runWithSettings } from './client/arguments.ts';
import { ClientMistake } from './client/mistake.ts';
import { readPayload } from './client/payload.ts';
import { Requester } from './client/requester.ts';
import { runClient } from './client/run.ts';
import type { Invocation } from './command.ts';

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
