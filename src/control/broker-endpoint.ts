// $CONTROL/broker/v1, as mosquitto's with `enable_control_api true`: which listeners are open, and which endpoints answer.

import { type Data, MOST_COMMANDS, readRequest } from '../access/dynamic-security/command.ts';
import type { Listener } from '../listeners/listeners.ts';
import type { ControlEndpoint } from './mqtt-control.ts';

/** BROKER_TOPIC is where it is asked. */
export const BROKER_TOPIC = '$CONTROL/broker/v1';
/** DYNAMIC_SECURITY_TOPIC is that of dynamic security, which mosquitto has as a plugin. */
export const DYNAMIC_SECURITY_TOPIC = '$CONTROL/dynamic-security/v1';

export interface BrokerEndpointSetup {
  readonly listeners: () => readonly Listener[];
  readonly hasDynamicSecurity: () => boolean;
}

/** createBrokerEndpoint makes the endpoint. */
export function createBrokerEndpoint({ listeners, hasDynamicSecurity }: BrokerEndpointSetup): ControlEndpoint {
  const commands: ReadonlyMap<string, () => Data> = new Map<string, () => Data>([
    ['listlisteners', () => ({ listeners: listeners().flatMap(listenerJson) })],
    ['listplugins', () => ({ plugins: hasDynamicSecurity() ? [DYNAMIC_SECURITY] : [] })],
  ]);
  const answer = (value: unknown): Data => {
    const request = readRequest(value);
    if ('mistake' in request) return request.mistake;
    const { name, correlation } = request;
    const command = commands.get(name.toLowerCase());
    return { command: name, ...(command === undefined ? { error: 'Unknown command' } : { data: command() }), ...correlation };
  };
  return { run: async (requests, _asker, then) => then(requests.slice(0, MOST_COMMANDS).map(answer)) };
}

const DYNAMIC_SECURITY = { name: 'dynamic-security', 'control-endpoints': [DYNAMIC_SECURITY_TOPIC] };

/** mosquitto names none for what is no MQTT. */
const PROTOCOLS = { mqtt: { protocol: 'mqtt' }, websockets: { protocol: 'mqtt+websockets' }, http: {}, http_api: {} } as const;

/** One row for each address, as mosquitto; a Unix socket has a path and no port. */
function listenerJson({ options, port, addresses }: Listener): Data[] {
  const protocol = PROTOCOLS[options.protocol];
  const tls = options.tls !== null;
  if (options.unixPath !== null) return [{ ...protocol, 'socket-path': options.unixPath, tls }];
  const bound = options.address === null ? [{}] : addresses.map((address) => ({ 'bind-address': address }));
  return bound.map((address) => ({ port, ...protocol, ...address, tls }));
}
