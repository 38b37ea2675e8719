// What is announced by mDNS; built by app/ from the open listeners.

/** AdvertisedListener is one open listener as the network should see it. */
export interface AdvertisedListener {
  readonly protocol: 'mqtt' | 'websockets' | 'http';
  readonly tls: boolean;
  readonly port: number;
  readonly anonymous: boolean;
}

export interface DiscoveryOptions {
  /** `advertise false` turns all of it off. */
  readonly advertise: boolean;
  /** Instance name as people see it in a list; default the host name. */
  readonly name: string | null;
}
