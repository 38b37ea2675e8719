// How words about TLS become values: those of a listener and those of a bridge are the same.

import { createSecureContext, getCiphers } from 'node:tls';
import { check, choice, text } from './values.ts';

/** ciphers is a list of TLS 1.2, in OpenSSL's language. */
export const ciphers = check(text('list'), (list) =>
  isCipherList(list)
    ? { value: list }
    : { problem: `Unable to set TLS ciphers. Check cipher list "${list}"`, hint: 'openssl ciphers -s -tls1_2 shows what there is' },
);

/** ciphersTls13 are names of TLS 1.3 with colons between them. */
export const ciphersTls13 = check(text('list'), (list) => {
  const known = getCiphers();
  if (list.split(':').every((name) => name.startsWith('TLS_') && known.includes(name.toLowerCase()))) return { value: list };
  return {
    problem: `Unable to set TLS 1.3 ciphersuites. Check cipher_tls13 list "${list}"`,
    hint: `write names with colons between them, for example ${known.find((name) => name.startsWith('tls_'))?.toUpperCase()}`,
  };
});

/** isCipherList asks OpenSSL, which alone knows its language of lists. */
function isCipherList(list: string): boolean {
  try {
    createSecureContext({ ciphers: list });
    return true;
  } catch {
    return false;
  }
}

/** tlsVersion is the oldest version to accept. */
export const tlsVersion = choice({ 'tlsv1.2': 'TLSv1.2', 'tlsv1.3': 'TLSv1.3' } as const, {
  sentence: (word, name) => `Unsupported ${name} "${word}"`,
  refused: { tlsv1: 'it is not safe any more; write tlsv1.2', 'tlsv1.1': 'it is not safe any more; write tlsv1.2' },
});
