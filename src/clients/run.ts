// One run of pub, sub or rr: connects, lets the task work, and ends with mosquitto's words and status, once, whatever happens first.

import type { IConnackPacket, MqttClient } from 'mqtt';
import type { Invocation } from '../terminal/command.ts';
import { openClient } from './connection.ts';
import { watchPackets } from './debug.ts';
import { FailureWatch, type WatchedTask } from './failure-watch.ts';
import { ClientMistake } from './mistake.ts';
import { type Ending, INTERRUPTED, NEVER_CONNECTED } from './outcome.ts';
import type { ClientSettings } from './settings.ts';

/** ClientTask is what pub, sub or rr does with the connection. */
export interface ClientTask extends WatchedTask {
  /** Called before anything is sent. `end` finishes the run. */
  begin(client: MqttClient, end: (ending: Ending) => void): void;
  /** Called at each CONNACK that says yes. */
  connected(client: MqttClient, connack: IConnackPacket): void;
}

/** DISCONNECT_WITH_WILL is the reason code of MQTT 5 3.14.2.1. */
const DISCONNECT_WITH_WILL = 0x04;

/** runClient gives the exit status. Throws ClientMistake for settings that cannot work. */
export async function runClient(settings: ClientSettings, task: ClientTask, { terminal, program }: Invocation): Promise<number> {
  const { stdout, stderr } = terminal;
  checkAccount(settings, task.name);
  const { client, progress } = openClient(settings, task.reconnect);
  if (settings.debug && !settings.quiet) watchPackets(client, (line) => stdout.write(`${line}\n`));
  const { promise, resolve: end } = Promise.withResolvers<Ending>();
  const advise = ({ advice }: Ending) => {
    if (!settings.quiet && advice !== undefined && !program.startsWith('mosquitto_')) stderr.write(`-> ${advice}\n`);
  };
  // What pub and rr are for is not done yet when a signal comes: it ends them, and their status says so.
  let hasStood = false;
  client.once('connect', () => {
    hasStood = true;
  });
  const stop = () => end(hasStood ? INTERRUPTED : NEVER_CONNECTED);
  if (task.name === 'sub') process.once('SIGINT', stop).once('SIGTERM', stop);
  const failures = new FailureWatch(client, { progress, version: settings.version, task, end, advise });
  task.begin(client, end);
  client.on('connect', (connack) => task.connected(client, connack));
  client.connect();
  client.stream.on('error', (error) => failures.remember(error));
  const ending = await promise;
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if (!settings.quiet) for (const line of ending.lines) stderr.write(`${line}\n`);
  advise(ending);
  await hangUp(client, settings, ending);
  return ending.status;
}

function checkAccount({ username, password, id }: ClientSettings, name: ClientTask['name']): void {
  if (id === '') throw new ClientMistake(`Error: Invalid id${name === 'pub' ? '' : ' and/or clean_session'}.`, { hint: false });
  // MQTT 5 allows a password alone, MQTT.js does not.
  if (password !== null && username === null) {
    throw new ClientMistake('Error: Problem setting username and/or password.', { hint: false });
  }
}

/** hangUp says goodbye when somebody listens, and lets go of the socket. */
async function hangUp(client: MqttClient, settings: ClientSettings, { withWill = false }: Ending): Promise<void> {
  if (!client.connected) {
    client.end(true);
    return;
  }
  const properties = settings.properties.get('disconnect');
  const words = { ...(properties ? { properties } : {}), ...(withWill ? { reasonCode: DISCONNECT_WITH_WILL } : {}) };
  const said = new Promise<void>((resolve) => {
    client.stream.once('finish', resolve).once('close', resolve);
  });
  client.end(false, settings.version === 5 ? words : {});
  await said;
  client.stream.destroy();
}
