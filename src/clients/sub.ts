// `midge sub`: mosquitto_sub(1) over MQTT.js.

import type { Invocation } from '../terminal/command.ts';
import { ClientMistake } from './mistake.ts';
import { runWithSettings } from './read-settings.ts';
import { runClient } from './run.ts';
import { Subscriber } from './subscriber.ts';

/** run subscribes, prints, and gives mosquitto_sub's exit status. */
export function run(invocation: Invocation): Promise<number> {
  return runWithSettings('sub', invocation, async (settings) => {
    const { stdout, stderr } = invocation.terminal;
    if (settings.noRetained && settings.retainedOnly) {
      throw new ClientMistake("\nError: Combining '-R' and '--retained-only' makes no sense.", { hint: false });
    }
    const complain = (line: string) => {
      if (!settings.quiet) stderr.write(`${line}\n`);
    };
    return runClient(settings, new Subscriber(settings, stdout, complain), invocation);
  });
}
