// What the box does towards the Internet, as its owner has set it; built by config/.

/** DnsUpdateTarget is a name server that takes changes (RFC 2136). */
export interface DnsUpdateTarget {
  readonly host: string;
  readonly port: number;
  /** File with the key, as tsig-keygen(8) writes it. Absolute. */
  readonly keyFile: string;
}

/** AcmeOptions ask for a certificate that others trust without more (RFC 8555). */
export interface AcmeOptions {
  /** Directory of the authority: an https URL. */
  readonly directory: string;
  /** DNS names in the certificate, at least one. */
  readonly names: readonly string[];
  /** Mail address that the authority writes to; null = none. */
  readonly contact: string | null;
  /** How the authority is shown that the names are ours: on this port, or by the name server. */
  readonly challenge: { readonly type: 'http'; readonly port: number } | { readonly type: 'dns'; readonly target: DnsUpdateTarget };
  /** Authorities that the connection to the directory is verified with (PEM file); null = those that Node trusts. */
  readonly cafile: string | null;
}

/** DynamicDnsOptions say where the address of this house is told to. */
export interface DynamicDnsOptions {
  readonly names: readonly string[];
  readonly service:
    | { readonly type: 'dyndns2'; readonly url: string; readonly username: string; readonly password: string }
    | { readonly type: 'dns'; readonly target: DnsUpdateTarget };
}

/** InternetOptions: null = not wanted. */
export interface InternetOptions {
  readonly acme: AcmeOptions | null;
  readonly dynamicDns: DynamicDnsOptions | null;
}
