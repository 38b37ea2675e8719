// The broker as a device of Home Assistant: one retained message tells what there is (MQTT discovery of a whole device), another the values.
//
//   homeassistant/device/ID/config      what the device has; retained, again whenever Home Assistant says that it is back
//   homeassistant/status                Home Assistant's birth message: "online"
//   midge/ID/state                      all values as one object of JSON; retained, when one has changed
//   midge/ID/availability               online or offline; retained
//   midge/ID/update/install             "install" has the newest version installed; the application lets one account publish it, or nobody
//
// https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload

import { createHash } from 'node:crypto';
import type { Part } from '../base/lifecycle.ts';
import type { Broker } from '../broker/broker.ts';
import type { Timer } from '../broker/timer-wheel.ts';
import { METRICS, type Metric, SumUp } from './metrics.ts';
import type { MachineFacts } from './prometheus.ts';

/** Home Assistant's own default. */
const PREFIX = 'homeassistant';

/** Seconds between two looks at the values. */
const INTERVAL = 30;

/** Of the order to install. */
const INSTALL = 'install';

/** Seconds: who says "online" a hundred times is answered once. */
const ANSWER_AFTER = 1;

/** SHOWN are the metrics that are of use on a wall; the others are there to be switched on. */
const SHOWN: ReadonlySet<string> = new Set([
  'clients_connected',
  'publish_received',
  'publish_sent',
  'publish_dropped',
  'retained_messages',
]);

export interface HomeAssistantSetup {
  /** A started broker, when `start` is called. */
  readonly broker: Broker;
  /** What no other midge of the house has, in letters, digits, - and _. */
  readonly id: string;
  /** As Home Assistant shows it. */
  readonly deviceName: string;
  /** As the program calls itself, for example "midge version 0.1.0". */
  readonly title: string;
  /** machine gives what was known last, or null. */
  readonly machine: () => MachineFacts | null;
  /** problems are what a person should look at, a sentence each. */
  readonly problems: () => readonly string[];
  /** The versions of midge. */
  readonly update: () => UpdateFacts;
  /** install has the newest version installed; null = not by MQTT. */
  readonly install: (() => void) | null;
}

/** UpdateFacts are what an entity of the platform `update` shows. */
export interface UpdateFacts {
  readonly installed: string;
  /** The newest that is known; null = none was looked for. */
  readonly latest: string | null;
  /** Per cent of what has to be fetched, null = that cannot be told; absent = nothing is installed now. */
  readonly progress?: number | null;
}

/** Component is one entity: its name is that of a value in the state. */
interface Component {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

function installTopic(id: string): string {
  return `midge/${id}/update/install`;
}

/** deviceId makes an id that stays the same, from what tells a machine and its broker from others, and tells nothing of them. machine-id(5) */
export function deviceId(machine: string, folder: string): string {
  return createHash('sha256').update(`midge\n${machine}\n${folder}`).digest('hex').slice(0, 12);
}

/** takeAwayDevice clears what an earlier start has left, where the device is not wanted any more. */
export function takeAwayDevice(broker: Broker, id: string): void {
  for (const topic of Object.values(topicsOf(id))) if (broker.retained.has(topic)) publish(broker, topic, '');
}

/** HomeAssistantDevice is there from `start` to `stop`. */
export class HomeAssistantDevice implements Part {
  readonly name = 'Home Assistant device';
  readonly #setup: HomeAssistantSetup;
  readonly #topics: Topics;
  readonly #sumUp = new SumUp();
  readonly #listener = (packet: { readonly payload: Buffer }, done: () => void) => {
    if (packet.payload.toString() === 'online') this.#announceSoon();
    done();
  };
  readonly #order = (packet: { readonly payload: Buffer; readonly retain: boolean }, done: () => void) => {
    // A retained order would be carried out again at each start.
    if (packet.payload.toString() === INSTALL && !packet.retain) this.#setup.install?.();
    done();
  };
  #timer: Timer | null = null;
  #answer: Timer | null = null;
  #state = '';

  constructor(setup: HomeAssistantSetup) {
    this.#setup = setup;
    this.#topics = topicsOf(setup.id);
  }

  async start(): Promise<void> {
    const { broker } = this.#setup;
    broker.subscribe(`${PREFIX}/status`, this.#listener, () => {});
    if (this.#setup.install !== null) broker.subscribe(this.installTopic, this.#order, () => {});
    this.#announce();
    publish(broker, this.#topics.availability, 'online');
    this.#tellState();
  }

  /** stop says that it is away; it stays known. */
  async stop(): Promise<void> {
    if (this.#timer === null) return;
    this.#end();
    publish(this.#setup.broker, this.#topics.availability, 'offline');
  }

  /** installTopic is where the order to install comes in. */
  get installTopic(): string {
    return installTopic(this.#setup.id);
  }

  /** takeAway removes it from Home Assistant. */
  takeAway(): void {
    this.#end();
    takeAwayDevice(this.#setup.broker, this.#setup.id);
  }

  #end(): void {
    const { broker } = this.#setup;
    broker.unsubscribe(`${PREFIX}/status`, this.#listener, () => {});
    broker.unsubscribe(this.installTopic, this.#order, () => {});
    for (const timer of [this.#timer, this.#answer]) if (timer !== null) broker.wheel.cancel(timer);
    this.#timer = null;
    this.#answer = null;
  }

  #announceSoon(): void {
    this.#answer ??= this.#setup.broker.wheel.after(ANSWER_AFTER, () => {
      this.#answer = null;
      this.#announce();
      publish(this.#setup.broker, this.#topics.availability, 'online');
      publish(this.#setup.broker, this.#topics.state, this.#state);
    });
  }

  #announce(): void {
    publish(this.#setup.broker, this.#topics.config, JSON.stringify(describeDevice(this.#setup, this.#topics)));
  }

  #tellState(): void {
    const { broker } = this.#setup;
    const state = JSON.stringify(this.#values());
    if (state !== this.#state) publish(broker, this.#topics.state, state);
    this.#state = state;
    this.#timer = broker.wheel.after(INTERVAL, () => this.#tellState());
  }

  #values(): Record<string, unknown> {
    const { broker, machine, problems } = this.#setup;
    const sums = this.#sumUp.of(broker);
    const facts = machine();
    const found = problems();
    return {
      ...Object.fromEntries(METRICS.map(({ name, read }) => [name, read(broker, sums)])),
      temperature: facts?.cpuTemperature ?? null,
      disk_free: facts?.disk?.free ?? null,
      memory_available: facts?.memory.available ?? null,
      problem: found.length > 0 ? 'ON' : 'OFF',
      problems: found,
      update: updateState(this.#setup.update()),
    };
  }
}

interface Topics {
  readonly config: string;
  readonly availability: string;
  readonly state: string;
}

function topicsOf(id: string): Topics {
  return { config: `${PREFIX}/device/midge_${id}/config`, availability: `midge/${id}/availability`, state: `midge/${id}/state` };
}

function describeDevice({ id, deviceName, title, install }: HomeAssistantSetup, { availability, state }: Topics): object {
  const [program = title, version = ''] = title.split(' version ');
  const components = [...METRICS.map(componentOf), ...MACHINE, problemOf(state), updateOf(install === null ? null : installTopic(id))];
  return {
    device: { identifiers: [`midge_${id}`], name: deviceName, manufacturer: program, model: 'MQTT broker', sw_version: version },
    origin: { name: program, sw_version: version },
    availability_topic: availability,
    state_topic: state,
    qos: 1,
    components: Object.fromEntries(components.map(({ name, config }) => [name, { ...config, unique_id: `midge_${id}_${name}` }])),
  };
}

function componentOf({ name, kind, unit }: Metric): Component {
  const isBytes = unit === 'bytes';
  return sensor(name, {
    ...(isBytes ? { device_class: 'data_size' } : {}),
    unit_of_measurement: isBytes ? 'B' : unit,
    state_class: kind === 'counter' ? 'total_increasing' : 'measurement',
    enabled_by_default: SHOWN.has(name),
  });
}

const MACHINE: readonly Component[] = [
  sensor('temperature', { device_class: 'temperature', unit_of_measurement: '°C', state_class: 'measurement' }),
  sensor('disk_free', { device_class: 'data_size', unit_of_measurement: 'B', state_class: 'measurement' }),
  sensor('memory_available', {
    device_class: 'data_size',
    unit_of_measurement: 'B',
    state_class: 'measurement',
    enabled_by_default: false,
  }),
];

function sensor(name: string, config: Component['config']): Component {
  const words = name.replaceAll('_', ' ');
  return {
    name,
    config: {
      platform: 'sensor',
      name: words.charAt(0).toUpperCase() + words.slice(1),
      value_template: `{{ value_json.${name} }}`,
      entity_category: 'diagnostic',
      ...config,
    },
  };
}

function problemOf(stateTopic: string): Component {
  return {
    name: 'problem',
    config: {
      platform: 'binary_sensor',
      name: 'Problem',
      device_class: 'problem',
      value_template: '{{ value_json.problem }}',
      json_attributes_topic: stateTopic,
      json_attributes_template: "{{ {'problems': value_json.problems} | tojson }}",
      entity_category: 'diagnostic',
    },
  };
}

/** The state of an update is an object of JSON: https://www.home-assistant.io/integrations/update.mqtt/#state_topic */
function updateState({ installed, latest, progress }: UpdateFacts): object {
  return {
    installed_version: installed,
    latest_version: latest ?? installed,
    in_progress: progress !== undefined,
    update_percentage: progress ?? null,
  };
}

function updateOf(commandTopic: string | null): Component {
  return {
    name: 'update',
    config: {
      platform: 'update',
      name: 'Update',
      title: 'midge',
      device_class: 'firmware',
      value_template: '{{ value_json.update | tojson }}',
      entity_category: 'diagnostic',
      ...(commandTopic === null ? {} : { command_topic: commandTopic, payload_install: INSTALL }),
    },
  };
}

/** An empty text takes a retained message away. */
function publish(broker: Broker, topic: string, text: string): void {
  broker.publish({ cmd: 'publish', topic, payload: Buffer.from(text), qos: 1, retain: true, dup: false });
}
