// How sub and rr subscribe.

import type { IClientSubscribeOptions } from 'mqtt';
import type { ClientSettings } from './settings.ts';

/** subscribeOptions gives what goes with every topic filter of a run, in MQTT.js's words. */
export function subscribeOptions({ version, qos, properties, retainAsPublished, retainHandling }: ClientSettings): IClientSubscribeOptions {
  const words = properties.get('subscribe');
  return {
    qos,
    ...(version === 5 ? { rap: retainAsPublished, rh: retainHandling } : {}),
    ...(words ? { properties: words } : {}),
  };
}
