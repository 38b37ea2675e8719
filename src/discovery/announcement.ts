// What an open listener looks like on the network: DNS-SD type, instance name, TXT keys. Pure.

import { cutBytes, labelOf } from '../base/network-label.ts';
import type { AdvertisedListener } from './options.ts';

/** Machine is what people recognise the appliance by. */
export interface Machine {
  readonly vendor: string;
  readonly model: string;
}

/** Announcement is one DNS-SD service instance (RFC 6763 4.1). */
export interface Announcement {
  /** Service type without the underscore and `._tcp`. */
  readonly type: ServiceType;
  /** Instance label: at most 63 bytes of UTF-8, no dots. */
  readonly instance: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
}

/** SERVICE_TYPES are the DNS-SD types of MQTT; the first two are registered with IANA, the others are customary. */
export const SERVICE_TYPES = ['mqtt', 'secure-mqtt', 'mqtt-ws', 'mqtt-wss'] as const;

/** MqttServiceType is one of them. */
export type MqttServiceType = (typeof SERVICE_TYPES)[number];

/** The page for browsers has types of its own. */
export type ServiceType = MqttServiceType | 'http' | 'https';

/** The TXT record stays under 400 bytes (RFC 6763 6.2), so free text is cut here. */
const MAX_FREE_TEXT_BYTES = 64;
const FINGERPRINT_HEX = 32;

/** announcementsOf gives one announcement for each listener; two listeners of one type differ by the port in their instance name. */
export function announcementsOf(subject: {
  readonly listeners: readonly AdvertisedListener[];
  /** Instance name as the operator wants it. */
  readonly name: string;
  /** 1 for the plain name, n for "name (n)" (RFC 6763 D: how a conflict is shown to people). */
  readonly ordinal: number;
  readonly machine: Machine | null;
  /** SHA-256 of the certificate authority as hex, colons allowed. */
  readonly caFingerprint: string | null;
}): Announcement[] {
  const announcements = new Map<string, Announcement>();
  const taken = new Set<ServiceType>();
  for (const listener of subject.listeners) {
    const type = serviceTypeOf(listener);
    const key = `${type} ${listener.port}`;
    if (announcements.has(key)) continue;
    const suffix = (taken.has(type) ? ` port ${listener.port}` : '') + (subject.ordinal > 1 ? ` (${subject.ordinal})` : '');
    taken.add(type);
    announcements.set(key, {
      type,
      instance: labelOf(subject.name, suffix),
      port: listener.port,
      txt: txtOf(listener, subject.machine, subject.caFingerprint),
    });
  }
  return [...announcements.values()];
}

function serviceTypeOf(listener: AdvertisedListener): ServiceType {
  if (listener.protocol === 'http') return listener.tls ? 'https' : 'http';
  if (listener.protocol === 'websockets') return listener.tls ? 'mqtt-wss' : 'mqtt-ws';
  return listener.tls ? 'secure-mqtt' : 'mqtt';
}

// RFC 6763 6.7: txtvers comes first.
function txtOf(listener: AdvertisedListener, machine: Machine | null, caFingerprint: string | null): Record<string, string> {
  if (listener.protocol === 'http') return { txtvers: '1', path: '/' };
  const txt: Record<string, string> = { txtvers: '1', protocol: 'mqtt', versions: '3.1,3.1.1,5.0', tls: listener.tls ? '1' : '0' };
  if (listener.protocol === 'websockets') txt['path'] = '/mqtt';
  txt['auth'] = 'password';
  txt['anon'] = listener.anonymous ? '1' : '0';
  if (caFingerprint !== null) txt['fp'] = `sha256:${caFingerprint.replaceAll(':', '').toLowerCase().slice(0, FINGERPRINT_HEX)}`;
  if (machine !== null && machine.vendor !== '') txt['vendor'] = cutBytes(machine.vendor, MAX_FREE_TEXT_BYTES);
  if (machine !== null && machine.model !== '') txt['model'] = cutBytes(machine.model, MAX_FREE_TEXT_BYTES);
  return txt;
}
