// One run of pub, sub or rr: connects, lets the task work, and ends with mosquitto's words and status, once, whatever happens first.

import type { IConnackPacket, MqttClient } from 'mqtt';
import type { Invocation } from '../terminal/command.ts';
import { openClient, type Progress } from './connection.ts';
import { watchPackets } from './debug.ts';
import { ClientMistake } from './mistake.ts';
import { DONE, type Ending, INTERRUPTED, LOST, NEVER_ANSWERED, NEVER_CONNECTED, refusal, STATUS, unreachable } from './outcome.ts';
import type { ClientSettings } from './settings.ts';

/** ClientTask is what pub, sub or rr does with the connection. */
export interface ClientTask {
  readonly name: 'pub' | 'sub' | 'rr';
  /** Try again when the connection is lost, once it has stood. */
  readonly reconnect: boolean;
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
  const failures = watchFailures(client, progress, settings, task, { end, advise });
  task.begin(client, end);
  client.on('connect', (connack) => task.connected(client, connack));
  client.connect();
  client.stream.on('error', failures.remember);
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

function watchFailures(
  client: MqttClient,
  progress: Progress,
  { version }: ClientSettings,
  task: ClientTask,
  { end, advise }: { readonly end: (ending: Ending) => void; readonly advise: (ending: Ending) => void },
): { remember: (error: Error) => void } {
  let stood = false;
  let dismissed = false;
  let isAnswered = progress.isSecure; // by the handshake, if not by a CONNACK
  let failure: Error | null = null;
  const remember = (error: Error) => {
    failure ??= error;
  };
  client.on('error', (error) => {
    remember(error);
    if (error.message === 'connack timeout') end({ lines: ['Error: Keepalive exceeded'], status: STATUS.KEEPALIVE });
  });
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'disconnect') {
      dismissed = true;
      if (task.name === 'sub') end(DONE); // mosquitto_sub leaves without a word
    }
    if (packet.cmd !== 'connack') return;
    isAnswered = true;
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    if (code > 0) end(refusal(task.name, version, code));
  });
  client.on('close', () => {
    if (dismissed) end({ lines: ['Error: The client is not currently connected.'], status: STATUS.NOT_CONNECTED });
    else if (progress.stage === 'handshaking') end(unreachable(failure ?? new Error('connection closed'), true));
    else if (!stood && failure !== null && progress.stage === 'away') end(unreachable(failure, false));
    else if (!task.reconnect) end(isAnswered ? LOST : NEVER_ANSWERED);
    else {
      if (!isAnswered) advise(NEVER_ANSWERED);
      isAnswered = true; // once is enough
      stood = true;
    }
    if (progress.stage === 'open') stood = true;
    failure = null;
  });
  return { remember };
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
