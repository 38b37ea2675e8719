// The ciphers of TLS that midge offers where nobody names others: those with authenticated encryption.

const TLS13_CIPHERS = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

/** Those of mosquitto with authenticated encryption: none with CBC. Microcontrollers may have CCM only. */
const TLS12_CIPHERS = 'ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:kRSA+AESGCM:kRSA+AESCCM:!PSK';

/** Those of pre-shared keys with authenticated encryption, forward secrecy first: OpenSSL and mbedTLS have one of them at least. RFC 5487, 6655, 7905 */
const PSK_CIPHERS = 'kECDHEPSK+CHACHA20:kDHEPSK+AESGCM:kDHEPSK+CHACHA20:kDHEPSK+AESCCM:kPSK+AESGCM:kPSK+CHACHA20:kPSK+AESCCM';

/** CipherChoice is what a configuration says; null = nothing. */
export interface CipherChoice {
  readonly ciphers: string | null;
  readonly ciphersTls13: string | null;
  readonly psk: object | null;
}

/** cipherList gives the one list that Node takes for both versions: what is not named is the default of its version. */
export function cipherList({ ciphers, ciphersTls13, psk }: CipherChoice): string {
  const tls12 = ciphers ?? (psk === null ? TLS12_CIPHERS : PSK_CIPHERS);
  return `${ciphersTls13 ?? TLS13_CIPHERS}:${tls12}`;
}
