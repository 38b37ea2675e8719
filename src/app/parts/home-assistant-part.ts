// The broker as a device of Home Assistant, as a part: there while the configuration wants it, and taken away when it does not any more.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Broker } from '../../broker/broker.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { MachineWatch } from '../../host/machine-watch.ts';
import type { Store } from '../../store/store.ts';
import type { HomeAssistantDevice } from '../../telemetry/home-assistant.ts';
import { type AppliancePart, type Step, whenReady } from '../parts.ts';

const MACHINE_ID = '/etc/machine-id';

export interface HomeAssistantPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly broker: () => Broker;
  readonly machine: MachineWatch;
  readonly store: () => Store | null;
  /** Of the state. */
  readonly folder: string;
  readonly title: string;
}

/** HomeAssistantPart begins after the engine, and ends before it. */
export class HomeAssistantPart implements AppliancePart {
  readonly name = 'Home Assistant device';
  readonly #setup: HomeAssistantPartSetup;
  #device: HomeAssistantDevice | null = null;

  constructor(setup: HomeAssistantPartSetup) {
    this.#setup = setup;
  }

  async start(): Promise<void> {
    const { configuration, broker } = this.#setup;
    if (configuration.isHomeAssistantDevice) {
      this.#device = await this.#make();
      await this.#device.start();
    } else if (mayHoldDevice(broker())) {
      const { takeAwayDevice } = await import('../../telemetry/home-assistant.ts');
      takeAwayDevice(broker(), await this.#id()); // an earlier start may have left it
    }
  }

  async stop(): Promise<void> {
    await this.#device?.stop();
  }

  async prepare(next: Configuration): Promise<Step | null> {
    const device = this.#device;
    if (next.isHomeAssistantDevice === (device !== null)) return null;
    if (device === null) {
      const made = await this.#make();
      return whenReady(() => {
        this.#device = made;
        void made.start();
      });
    }
    return whenReady(() => {
      this.#device = null;
      device.takeAway();
    });
  }

  async #make(): Promise<HomeAssistantDevice> {
    const { HomeAssistantDevice } = await import('../../telemetry/home-assistant.ts');
    const { broker, machine, title } = this.#setup;
    await machine.now();
    return new HomeAssistantDevice({
      broker: broker(),
      id: await this.#id(),
      deviceName: `MQTT broker on ${hostname()}`,
      title,
      machine: () => {
        void machine.now(); // for the next time
        return machine.latest;
      },
      problems: () => this.#problems(),
    });
  }

  async #id(): Promise<string> {
    const { deviceId } = await import('../../telemetry/home-assistant.ts');
    return deviceId(machineId(), this.#setup.folder);
  }

  #problems(): readonly string[] {
    const { broker, machine, store } = this.#setup;
    const { budget } = broker();
    const health = store()?.health() ?? null;
    const power = machine.latest?.power?.now ?? [];
    return [
      ...(health !== null && health.state !== 'ok' ? [health.text] : []),
      ...(budget.isFull ? ['What is kept for clients has reached memory_limit: new sessions and messages are refused.'] : []),
      ...(power.length > 0 ? [`The machine says: ${power.join(', ')}.`] : []),
    ];
  }
}

/** Only a broker that keeps messages can have one from an earlier start. */
function mayHoldDevice({ retained }: Broker): boolean {
  return retained.matching('homeassistant/device/+/config').next() !== null;
}

function machineId(): string {
  try {
    return readFileSync(MACHINE_ID, 'utf8').trim() || hostname();
  } catch {
    return hostname();
  }
}
