// The broker as a device of Home Assistant, as a part: there while the configuration wants it, and taken away when it does not any more.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { OperatorError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { overruling } from '../../broker/authorizers.ts';
import type { Broker } from '../../broker/broker.ts';
import type { Authorizer } from '../../broker/ports.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { MachineWatch } from '../../host/machine-watch.ts';
import type { Store } from '../../store/store.ts';
import type { HomeAssistantDevice, UpdateFacts } from '../../telemetry/home-assistant.ts';
import { type AppliancePart, type Step, whenReady } from '../parts.ts';
import type { UpdatesPart } from './updates-part.ts';

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
  readonly updates: UpdatesPart;
  readonly log: Logger;
  /** Called when another account may order an update. */
  readonly changed: () => void;
}

/** HomeAssistantPart begins after the engine, and ends before it. */
export class HomeAssistantPart implements AppliancePart {
  readonly name = 'Home Assistant device';
  readonly #setup: HomeAssistantPartSetup;
  #device: HomeAssistantDevice | null = null;
  /** Where an order to install an update comes in, and from whom; null = from nobody. */
  #order: { readonly topicName: string; readonly account: string } | null = null;
  #isInstalling = false;

  constructor(setup: HomeAssistantPartSetup) {
    this.#setup = setup;
  }

  async start(): Promise<void> {
    const { configuration, broker } = this.#setup;
    if (configuration.isHomeAssistantDevice) {
      const made = await this.#make(configuration);
      this.#use(made, configuration);
      await made.start();
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
    const isSame = next.updates.account === (this.#order?.account ?? null);
    if (next.isHomeAssistantDevice === (device !== null) && (device === null || isSame)) return null;
    if (!next.isHomeAssistantDevice)
      return whenReady(() => {
        this.#use(null, next);
        device?.takeAway();
      });
    const made = await this.#make(next);
    return whenReady(() => {
      this.#use(made, next);
      void (device?.stop() ?? Promise.resolve()).then(() => made.start());
    });
  }

  /** authorizer lets update_account alone order an update, whatever rules say to others, and where its own rules let it; all else it asks of the other. */
  authorizer(other: Authorizer | null): Authorizer | null {
    const order = this.#order;
    if (order === null) return other;
    return overruling(other, {
      mayPublish: (requester, name) =>
        (name !== order.topicName || requester.username === order.account) && (other === null || other.mayPublish(requester, name)),
    });
  }

  #use(device: HomeAssistantDevice | null, { updates: { account } }: Configuration): void {
    this.#device = device;
    this.#order = device === null || account === null ? null : { topicName: device.installTopic, account };
    this.#setup.changed();
  }

  async #make({ updates: { account } }: Configuration): Promise<HomeAssistantDevice> {
    const { HomeAssistantDevice } = await import('../../telemetry/home-assistant.ts');
    const { broker, machine, title, updates } = this.#setup;
    await machine.now();
    await updates.updates();
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
      update: () => factsOf(updates),
      install: account === null ? null : () => void this.#install(account),
    });
  }

  async #install(account: string): Promise<void> {
    const { updates, log } = this.#setup;
    if (this.#isInstalling) return;
    this.#isInstalling = true;
    log.log('notice', `Account "${account}" has ordered the newest version by MQTT.`);
    try {
      const { outcome, reason } = await (await updates.updates()).install(() => {});
      if (outcome === 'failed') log.log('warning', `Warning: The update was not done: ${reason}`);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      log.log('warning', `Warning: ${error.message}`);
    } finally {
      this.#isInstalling = false;
    }
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

/** After a reload it takes a moment until what is known is read again. */
function factsOf({ current, known }: UpdatesPart): UpdateFacts {
  if (known === null) return { installed: current, latest: null };
  const { newest, progress } = known.state;
  const latest = newest?.isNewer ? newest.version : null;
  if (progress === null) return { installed: current, latest };
  const share = progress.step === 'fetching' && progress.size > 0 ? Math.floor((progress.bytes / progress.size) * 100) : null;
  return { installed: current, latest, progress: share };
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
