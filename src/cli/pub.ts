// `midge pub`: mosquitto_pub(1) over MQTT.js.

import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { runWithSettings } from './client/arguments.ts';
import { ClientMistake } from './client/mistake.ts';
import { Publisher } from './client/publisher.ts';
import { runClient } from './client/run.ts';
import type { PayloadSource } from './client/settings.ts';
import type { Invocation } from './command.ts';

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
    return runClient(settings, new Publisher(settings, topic, payload, stdin, complain), invocation.terminal);
  });
}

/** readPayload gives the bytes, or null when they come line by line. */
async function readPayload(source: PayloadSource, stdin: Readable): Promise<Buffer | null> {
  switch (source.kind) {
    case 'text':
      return source.payload;
    case 'file':
      return readFile(source.path);
    case 'stdin lines':
      return null;
    case 'stdin': {
      const bytes = await buffer(stdin);
      if (bytes.length > 0) return bytes;
      throw new ClientMistake('Error: Zero length input.\nError loading input from stdin.', { hint: false });
    }
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new ClientMistake(`Error: Unable to open file "${path}".\nError loading input file "${path}".`, { hint: false });
  }
}
