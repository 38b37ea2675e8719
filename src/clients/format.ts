// sub's output: payload, topic and payload, or a format (mosquitto_sub(1), "OUTPUT FORMAT"). Payloads are bytes and stay bytes.

import type { IPublishPacket } from 'mqtt';
import { strftime } from '../logging/strftime.ts';
import { type Field, floatField, hexField, numberField, payloadField, textField } from './format-fields.ts';
import { JSON_NULL, type JsonText, jsonArray, jsonNumber, jsonObject, jsonString, readJson } from './json.ts';
import { ClientMistake } from './mistake.ts';
import { propertyWord } from './properties.ts';

/** ReceivedMessage is what can be printed. Property names are MQTT.js's. */
export interface ReceivedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  /** 0 with QoS 0. */
  readonly messageId: number;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly time: Date;
  /** Nanoseconds within the second. */
  readonly nanoseconds: number;
}

/** receivedMessage makes a message that came just now out of MQTT.js's packet. */
export function receivedMessage(
  topic: string,
  payload: Buffer,
  { qos, retain, messageId = 0, properties }: IPublishPacket,
): ReceivedMessage {
  const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  return {
    topic,
    payload,
    qos,
    retain,
    messageId: qos === 0 ? 0 : messageId,
    properties: { ...properties },
    time: new Date(microseconds / 1000),
    nanoseconds: (microseconds % 1_000_000) * 1000,
  };
}

/** FormatPiece is text, or one conversion with its field. */
export type FormatPiece = string | { readonly time: string } | Field;

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  '0': '\0',
  a: '\x07',
  e: '\x1b',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const LETTERS = '%ACDEFIJPRSUXdfjlmpqrtx';

/** CONVERSION: flags, width, precision, the sign between digits of hexadecimal payloads, letter. */
const CONVERSION = /^(-?)(0?)(\d*)(\.\d*)?([!"#$&'()*+,\-./:;<=>?@[\\\]^_`{|}~ ]?)(.?)/su;

/** parseFormat takes `-F FORMAT` apart. Throws ClientMistake with mosquitto's sentence. */
export function parseFormat(format: string): FormatPiece[] {
  const pieces: FormatPiece[] = [];
  const characters = [...format];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '%') {
      const rest = characters.slice(at + 1).join('');
      const [whole, minus, zero, width, precision, separator, letter] = CONVERSION.exec(rest)!; // every part of it may be empty
      if (!letter) throw new ClientMistake('Error: Incomplete format specifier.');
      if (!LETTERS.includes(letter)) throw new ClientMistake(`Error: Invalid format specifier '${letter}'.`);
      at += [...whole].length;
      pieces.push({
        letter,
        left: minus === '-',
        zero: zero === '0',
        width: Number(width),
        precision: precision === undefined ? null : Number(precision.slice(1)),
        separator: separator || ' ',
      });
    } else if (character === '@') {
      const letter = characters[++at];
      if (letter === undefined) throw new ClientMistake('Error: Incomplete format specifier.');
      pieces.push(letter === '@' ? '@' : { time: letter });
    } else if (character === '\\') {
      const letter = characters[++at];
      if (letter === undefined) throw new ClientMistake('Error: Incomplete escape specifier.');
      const escaped = ESCAPES[letter];
      if (escaped === undefined) throw new ClientMistake(`Error: Invalid escape specifier '${letter}'.`);
      pieces.push(escaped);
    } else {
      pieces.push(character);
    }
  }
  return pieces;
}

/** MessagePrinter makes the bytes for one message; `complain` gets what cannot be printed as asked (%J of what is no JSON). */
export class MessagePrinter {
  readonly #pieces: readonly FormatPiece[] | null;
  readonly #verbose: boolean;
  readonly #end: string;
  readonly #pretty: boolean;
  readonly #complain: (line: string) => void;

  constructor(options: {
    format: string | null;
    verbose: boolean;
    endOfLine: boolean;
    pretty: boolean;
    complain: (line: string) => void;
  }) {
    this.#pieces = options.format === null ? null : parseFormat(options.format);
    this.#verbose = options.verbose;
    this.#end = options.endOfLine ? '\n' : '';
    this.#pretty = options.pretty;
    this.#complain = options.complain;
  }

  /** bytesOf may be empty: without -v an empty payload prints nothing, not even an end of line. */
  bytesOf(message: ReceivedMessage): Buffer {
    const { topic, payload } = message;
    if (this.#pieces !== null) {
      const parts = this.#pieces.map((piece) => this.#piece(piece, message));
      return Buffer.concat([...parts, this.#end].map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    }
    if (payload.length === 0) return Buffer.from(this.#verbose && this.#end !== '' ? `${topic} (null)\n` : '');
    return Buffer.concat([Buffer.from(this.#verbose ? `${topic} ` : ''), payload, Buffer.from(this.#end)]);
  }

  #piece(piece: FormatPiece, message: ReceivedMessage): string | Buffer {
    if (typeof piece === 'string') return piece;
    if ('time' in piece) return piece.time === 'N' ? nine(message.nanoseconds) : strftime(`%${piece.time}`, message.time);
    switch (piece.letter) {
      case 'j':
        return this.#json(message, jsonString(message.payload.toString()));
      case 'J':
        return this.#json(message, readJson(message.payload.toString()));
      case 'f':
      case 'd':
        return this.#float(piece, message.payload);
      default:
        return convert(piece, message);
    }
  }

  #float(piece: Field, payload: Buffer): string {
    const text = floatField(piece, payload);
    if (text !== null) return text;
    const [kind, size] = piece.letter === 'f' ? ['float', 4] : ['double', 8];
    this.#complain(`Error: Message payload is not a ${kind}: it has ${payload.length} bytes, not ${size}.`);
    return '';
  }

  #json(message: ReceivedMessage, text: JsonText | null): string {
    const payload = message.payload.length === 0 ? JSON_NULL : text;
    if (payload === null) {
      this.#complain(`Error: Message payload is not valid JSON on topic ${message.topic}.`);
      return '';
    }
    const json = jsonOf(message, payload);
    return this.#pretty ? json.pretty(0) : json.compact;
  }
}

function convert(field: Field, message: ReceivedMessage): string | Buffer {
  const { properties } = message;
  switch (field.letter) {
    case '%':
      return '%';
    case 'A':
      return numberField(field, properties['topicAlias']);
    case 'C':
      return textField(field, properties['contentType']);
    case 'D':
      return Buffer.isBuffer(properties['correlationData']) ? properties['correlationData'] : '';
    case 'E':
      return numberField(field, properties['messageExpiryInterval']);
    case 'F':
      return numberField(field, properties['payloadFormatIndicator']);
    case 'I':
      return textField(field, strftime('%FT%T%z', message.time));
    case 'l':
      return numberField(field, message.payload.length);
    case 'm':
      return numberField(field, message.messageId);
    case 'P':
      return userProperties(properties)
        .map(([name, value]) => `${name}:${value}`)
        .join(' ');
    case 'p':
      return payloadField(field, message.payload);
    case 'q':
      return String(message.qos);
    case 'R':
      return textField(field, properties['responseTopic']);
    case 'r':
      return message.retain ? '1' : '0';
    case 'S':
      return numberField(field, [properties['subscriptionIdentifier']].flat()[0]);
    case 't':
      return textField(field, message.topic);
    case 'U':
      return `${strftime('%s', message.time)}.${nine(message.nanoseconds)}`;
    case 'x':
      return hexField(field, message.payload);
    default:
      return hexField(field, message.payload).toUpperCase();
  }
}

function jsonOf(message: ReceivedMessage, payload: JsonText): JsonText {
  const micros = nine(message.nanoseconds).slice(0, 6);
  const time = strftime(`%FT%T.${micros}%z`, message.time);
  const entries: [string, JsonText][] = [
    ['tst', jsonString(time)],
    ['topic', jsonString(message.topic)],
    ['qos', jsonNumber(message.qos)],
    ['retain', jsonNumber(message.retain ? 1 : 0)],
    ['payloadlen', jsonNumber(message.payload.length)],
  ];
  if (message.qos > 0) entries.push(['mid', jsonNumber(message.messageId)]);
  const properties = Object.entries(message.properties).flatMap(([name, value]) => jsonProperty(name, value, message));
  if (properties.length > 0) entries.push(['properties', jsonObject(properties)]);
  return jsonObject([...entries, ['payload', payload]]);
}

function jsonProperty(name: string, value: unknown, message: ReceivedMessage): [string, JsonText][] {
  if (name === 'userProperties') {
    // A list, as since mosquitto 2.1: a name may come more than once.
    return [['user-properties', jsonArray(userProperties(message.properties).map(([key, each]) => jsonObject([[key, jsonString(each)]])))]];
  }
  if (value === undefined || value === null) return [];
  const word = propertyWord(name);
  if (typeof value === 'string') return [[word, jsonString(value)]];
  if (Buffer.isBuffer(value)) return [[word, jsonString(value.toString())]];
  return [value].flat().map((each) => [word, jsonNumber(Number(each))]);
}

function userProperties(properties: Readonly<Record<string, unknown>>): [string, string][] {
  const all = (properties['userProperties'] ?? {}) as Record<string, string | string[]>; // as mqtt-packet reads them
  return Object.entries(all).flatMap(([name, values]) => [values].flat().map((value): [string, string] => [name, value]));
}

function nine(nanoseconds: number): string {
  return String(nanoseconds).padStart(9, '0');
}
