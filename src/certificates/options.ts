// What the appliance's own certificates are made of; built by config/ and app/.

export interface CertificateOptions {
  /** Folder that holds the authority and the server certificate. Absolute. */
  readonly folder: string;
  /** More names or addresses for the server certificate (`certificate_names`). */
  readonly extraNames: readonly string[];
}

/** MachineNames are what the machine is called at this moment; app/ gets them from host/. */
export interface MachineNames {
  /** As the system says it; may be empty, may be fully qualified. */
  readonly hostName: string;
  /** IPv4 and IPv6 addresses in text form. */
  readonly addresses: readonly string[];
  /** `HOST.local` as the network knows it: another than that of the host name where that one was taken. Null or absent = it is told to nobody. */
  readonly announced?: string | null;
}
