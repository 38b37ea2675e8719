// How long each MQTT 5 property is (MQTT 5.0, table 2-4), written apart from src/mqtt so that tests do not trust what they test.

type Shape = 'byte' | 'two bytes' | 'four bytes' | 'variable' | 'string' | 'pair';

const SHAPES: Readonly<Record<number, Shape>> = {
  1: 'byte',
  2: 'four bytes',
  3: 'string',
  8: 'string',
  9: 'string',
  11: 'variable',
  17: 'four bytes',
  18: 'string',
  19: 'two bytes',
  21: 'string',
  22: 'string',
  23: 'byte',
  24: 'four bytes',
  25: 'byte',
  26: 'string',
  28: 'string',
  31: 'string',
  33: 'two bytes',
  34: 'two bytes',
  35: 'two bytes',
  36: 'byte',
  37: 'byte',
  38: 'pair',
  39: 'four bytes',
  40: 'byte',
  41: 'byte',
  42: 'byte',
};

/** propertyLength gives the bytes that the first property takes with its identifier, or null when it is unknown or cut. */
export function propertyLength(bytes: Buffer): number | null {
  switch (SHAPES[bytes[0]!]) {
    case 'byte':
      return 2;
    case 'two bytes':
      return 3;
    case 'four bytes':
      return 5;
    case 'variable': {
      const end = bytes.subarray(1, 5).findIndex((byte) => byte < 128);
      return end === -1 ? null : end + 2;
    }
    case 'string':
      return stringEnd(bytes, 1);
    case 'pair': {
      const key = stringEnd(bytes, 1);
      return key === null ? null : stringEnd(bytes, key);
    }
    default:
      return null;
  }
}

function stringEnd(bytes: Buffer, at: number): number | null {
  return bytes.length < at + 2 ? null : at + 2 + bytes.readUInt16BE(at);
}
