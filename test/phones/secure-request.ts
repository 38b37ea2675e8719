// A request by HTTPS that trusts one authority, and its answer.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

export interface SecureAsk {
  readonly ca: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** secureRequest asks; `json` is null where the answer is none. */
export async function secureRequest(url: string, { ca, method = 'GET', headers = {}, body }: SecureAsk) {
  const asked = request(url, { ca, method, headers, agent: false });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const bytes = await buffer(answer);
  const content = bytes.toString();
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  let json: any = null;
  try {
    json = JSON.parse(content);
  } catch {}
  return { status: answer.statusCode, headers: answer.headers, body: bytes, text: content, json };
}

/** secureEvents follows Server-Sent Events; the function it gives waits for so many and gives what they hold. */
export async function secureEvents(context: TestContext, url: string, { ca, headers = {} }: SecureAsk) {
  const asked = request(url, { ca, headers, agent: false });
  context.after(() => asked.destroy());
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const lines = createInterface(answer)[Symbol.asyncIterator]();
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  return async (count: number): Promise<any[]> => {
    const events: unknown[] = [];
    while (events.length < count) {
      const { done, value = '' } = await lines.next();
      if (done === true) break;
      if (value.startsWith('data: ')) events.push(JSON.parse(value.slice('data: '.length)));
    }
    return events;
  };
}
