// A phone without a person: it has a link scanned, does what the pages say, and connects with exactly what it was handed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { SecureContextOptions } from 'node:tls';
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import type { PhoneSystem } from '../../src/phones/owntracks.ts';
import type { PhoneUse } from '../../src/phones/phone.ts';
import { decodeLink, decodeOtrc } from './app-decoders.ts';
import { HOST, type House } from './house.ts';

/** AGENTS are what their browsers say they are. */
export const AGENTS: Readonly<Record<PhoneSystem, string>> = {
  ios: 'Mozilla/5.0 (iPhone; CPU iPhone OS 26_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.3 Mobile/15E148 Safari/604.1',
  android: 'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
};

/** PROFILE_ROOT prints the certificate of the payload for roots, in hexadecimal, as an iPhone would install it. */
const PROFILE_ROOT = `
import plistlib, sys
profile = plistlib.loads(sys.stdin.buffer.read())
print(next(each['PayloadContent'].hex() for each in profile['PayloadContent'] if each['PayloadType'] == 'com.apple.security.root'))
`;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  readonly json: any;
}

/** PhoneClientOptions are those of MQTT.js, with what it hands on to TLS. */
export type PhoneClientOptions = IClientOptions & Pick<SecureContextOptions, 'pfx' | 'passphrase'>;

/** Fields are those of an app's configuration, as its system has decoded them. */
export type Fields = Readonly<Record<string, unknown>>;

/** ScriptedPhone trusts nothing but what it has loaded. */
export class ScriptedPhone {
  readonly system: PhoneSystem;
  readonly link: URL;
  readonly #context: TestContext;
  #authority: string | null = null;
  #cookie: string | null = null;

  constructor(context: TestContext, link: string, system: PhoneSystem) {
    this.#context = context;
    this.link = new URL(link);
    this.system = system;
  }

  /** token is what stands behind the #: no request has it, but in a body. */
  get token(): string {
    return this.link.hash.slice(1);
  }

  get authority(): string {
    return this.#authority ?? assert.fail('it has loaded none');
  }

  /** scan opens the page of the link, as a camera does. */
  scan(): Promise<Answer> {
    return this.get(this.link.origin + this.link.pathname);
  }

  /** trust loads the authority in the form of its system, from where the page says, and trusts it from now on. */
  async trust(page: Answer): Promise<void> {
    const [, path] = /href="([^"]+\/authority\.[a-z]+)"/.exec(page.text) ?? assert.fail(page.text);
    const file = await this.get(this.link.origin + path);
    assert.equal(file.status, 200, file.text);
    if (this.system === 'ios') {
      assert.equal(file.headers['content-type'], 'application/x-apple-aspen-config');
      const hex = execFileSync('python3', ['-c', PROFILE_ROOT], { input: file.body, encoding: 'utf8' });
      this.#authority = new X509Certificate(Buffer.from(hex.trim(), 'hex')).toString();
    } else {
      assert.equal(file.headers['content-type'], 'application/x-x509-ca-cert');
      this.#authority = new X509Certificate(file.body).toString();
    }
  }

  /** next is where the page goes on by HTTPS. */
  next(page: Answer): string {
    const [, next] = /data-next="([^"]+)"/.exec(page.text) ?? assert.fail(page.text);
    return next ?? '';
  }

  /** open brings the token, once. */
  async open(next: string, token = this.token): Promise<Answer> {
    const answer = await this.#request(`${next}/settings`, 'POST', { token, system: this.system });
    const [cookie] = [answer.headers['set-cookie'] ?? []].flat();
    if (cookie !== undefined) this.#cookie = cookie.split(';')[0] ?? null;
    return answer;
  }

  /** configure gives the fields that its app takes from the link of the answer, and checks that the file says the same. */
  configure(answer: Answer): Fields {
    assert.equal(answer.status, 200, answer.text);
    const fields = decodeLink(answer.json.link, this.system);
    assert.deepEqual(decodeOtrc(answer.json.otrc, this.system), fields);
    return fields;
  }

  async state(next: string): Promise<Answer['json']> {
    return (await this.get(`${next}/state`)).json;
  }

  get(url: string): Promise<Answer> {
    return this.#request(url, 'GET', null);
  }

  /** connect is the app: it takes every word of its configuration, and verifies TLS. */
  async connect(fields: Fields, more: PhoneClientOptions = {}): Promise<MqttClient> {
    const { host, port, tls, ws, auth, username, password, clientId, cleanSession, mqttProtocolLevel, pubTopicBase } = fields;
    assert.equal(tls, true);
    assert.equal(auth, true);
    const will = { topic: String(pubTopicBase), payload: Buffer.from('{"_type":"lwt","tst":1700000000}'), qos: 0, retain: false } as const;
    const client = await connectAsync(`${ws ? 'wss' : 'mqtts'}://${host}:${port}${ws ? '/mqtt' : ''}`, {
      ...(mqttProtocolLevel === 3 ? { protocolId: 'MQIsdp', protocolVersion: 3 } : { protocolVersion: 4 }),
      clientId: String(clientId),
      username: String(username),
      password: String(password),
      clean: cleanSession === true,
      will,
      reconnectPeriod: 0,
      ca: this.authority,
      rejectUnauthorized: true,
      ...more,
    });
    client.on('error', () => {});
    this.#context.after(() => client.endAsync(true));
    const topics = String(fields['subTopic']).split(' ');
    await client.subscribeAsync(topics, { qos: fields['subQos'] as 0 | 1 | 2 }); // the decoder has looked at it
    return client;
  }

  /** isLetIn tries, where the box may say no by closing the connection, which says nothing to MQTT. */
  async isLetIn({ host, port, clientId, username, password }: Fields, more: PhoneClientOptions = {}): Promise<boolean> {
    const client = connect(`mqtts://${host}:${port}`, {
      ...{ clientId: String(clientId), username: String(username), password: String(password), protocolVersion: 4 },
      ...{ reconnectPeriod: 0, ca: this.authority, rejectUnauthorized: true },
      ...more,
    });
    client.on('error', () => {});
    const isIn = await new Promise<boolean>((resolve) => {
      client.once('connect', () => resolve(true));
      client.once('close', () => resolve(false));
    });
    await client.endAsync(true);
    return isIn;
  }

  /** publish sends a location as its app does. */
  async publish(client: MqttClient, fields: Fields, where: { readonly lat: number; readonly lon: number }): Promise<void> {
    const location = { _type: 'location', ...where, acc: 12, tst: 1_700_000_000, tid: fields['tid'], t: 'u', batt: 80 };
    await client.publishAsync(String(fields['pubTopicBase']), JSON.stringify(location), {
      qos: fields['pubQos'] as 0 | 1 | 2, // as above
      retain: fields['pubRetain'] === true,
    });
  }

  async #request(url: string, method: string, body: object | null): Promise<Answer> {
    const content = body === null ? null : JSON.stringify(body);
    const headers = {
      'user-agent': AGENTS[this.system],
      ...(this.#cookie === null ? {} : { cookie: this.#cookie }),
      ...(content === null ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(content)) }),
    };
    const sent = url.startsWith('https:')
      ? requestSecure(url, { method, headers, agent: false, ca: this.#authority ?? [] })
      : requestPlain(url, { method, headers, agent: false });
    sent.end(content);
    const [response] = await once(sent, 'response');
    const bytes = await buffer(response);
    return { status: response.statusCode, headers: response.headers, body: bytes, text: bytes.toString(), json: jsonIn(bytes) };
  }
}

interface Wanted {
  readonly system: PhoneSystem;
  readonly person: string;
  readonly groups?: readonly string[];
  readonly webSocket?: boolean;
  readonly use?: PhoneUse;
}

/** setUp has a phone set up, up to its configuration. */
export async function setUp(context: TestContext, house: House, { system, ...wanted }: Wanted) {
  const added = await house.ask('add phone', { host: HOST, ...wanted });
  const phone = new ScriptedPhone(context, added.link, system);
  const page = await phone.scan();
  assert.equal(page.status, 200, page.text);
  await phone.trust(page);
  const next = phone.next(page);
  assert.equal((await phone.get(`${next}/trusted`)).status, 204);
  const answer = await phone.open(next);
  return { added, phone, next, answer, fields: phone.configure(answer) };
}

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}
