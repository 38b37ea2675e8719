// Requests to the broker over MQTT, as mosquitto's $CONTROL: a client publishes a list of commands, and whoever subscribes gets the answers.
//
//   PUBLISH $CONTROL/x/v1           {"commands": [{"command": "X", "correlationData": "optional", ...}, ...]}
//   PUBLISH $CONTROL/x/v1/response  {"responses": [{"command": "X", "data": {...} | "error": "text"}, ...]}

import { type Data, recordOf } from '../access/dynamic-security/command.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ControlPort, Requester } from '../broker/ports.ts';

/** ControlEndpoint carries out the commands of one topic. */
export interface ControlEndpoint {
  /** run gives the answers to `then`, one for each command, before anybody is disconnected for what they change. */
  run(commands: readonly unknown[], asker: Requester, then: (responses: readonly Data[]) => void): Promise<void>;
}

export interface MqttControlSetup {
  readonly log: Logger;
  /** endpointOf gives who answers on a topic, or null. */
  readonly endpointOf: (topicName: string) => ControlEndpoint | null;
  /** publish sends an answer: QoS 0, not retained. */
  readonly publish: (topicName: string, payload: Buffer) => void;
}

/** MqttControl is the door. What it is asked never fails, and never waits for the one who asks. */
export class MqttControl implements ControlPort {
  readonly #setup: MqttControlSetup;

  constructor(setup: MqttControlSetup) {
    this.#setup = setup;
  }

  take(asker: Requester, topicName: string, payload: Buffer): void {
    const answer = (content: Data): void => this.#setup.publish(`${topicName}/response`, Buffer.from(JSON.stringify(content)));
    const endpoint = this.#setup.endpointOf(topicName);
    if (endpoint === null) return answer({ error: 'endpoint not available' });
    const commands = commandsOf(payload);
    if (typeof commands === 'string') return answer({ responses: [{ command: 'Unknown command', error: commands }] });
    endpoint
      .run(commands, asker, (responses) => answer({ responses }))
      .catch((error: unknown) => {
        this.#setup.log.log('error', `Error: Cannot carry out a request on ${topicName}: ${reasonOf(error)}.`);
        answer({ responses: [{ command: 'Unknown command', error: 'Internal error' }] });
      });
  }
}

/** The list, or what is wrong. */
function commandsOf(payload: Buffer): readonly unknown[] | string {
  try {
    const commands = recordOf(JSON.parse(payload.toString('utf8')))?.['commands'];
    return Array.isArray(commands) ? commands : 'Invalid/missing commands';
  } catch {
    return 'Payload not valid JSON';
  }
}
