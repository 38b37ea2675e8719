// UTF-8 strings as MQTT 5 1.5.4 and 3.1.1 1.5.3 allow them: well-formed, without U+0000, and without what they say should not be sent.

import { isUtf8 } from 'node:buffer';

/** Control characters and non-characters: a receiver may treat them as malformed, and mosquitto does. */
const UNWANTED = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

/** isMqttString tells whether buffer[start, end) is well-formed UTF-8 without control characters and non-characters [MQTT-1.5.4-1] [MQTT-1.5.4-2]. */
export function isMqttString(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!; // at < end <= buffer.length
    if (byte < 0x20 || byte === 0x7f) return false;
    if (byte >= 0x80) return isText(buffer.subarray(at, end));
  }
  return true;
}

function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !UNWANTED.test(bytes.toString());
}

/** decodeMqttString turns checked bytes into text. A byte order mark is kept [MQTT-1.5.4-3]. */
export function decodeMqttString(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('utf8', start, end);
}
