// What the appliance's own certificates are made of; built by config/ and app/.

export interface CertificateOptions {
  /** Folder that holds the authority and the server certificate. Absolute. */
  readonly folder: string;
  /** More names or addresses for the server certificate (`certificate_names`). */
  readonly extraNames: readonly string[];
}
