// A request by HTTPS that trusts one authority, and its answer.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

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
  const content = await text(answer);
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  let json: any = null;
  try {
    json = JSON.parse(content);
  } catch {}
  return { status: answer.statusCode, headers: answer.headers, text: content, json };
}
