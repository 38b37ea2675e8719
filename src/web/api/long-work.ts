// Requests that take long, and tell how far they are: work with events, files that come, files that go. Beside openapi-fetch, which waits for the whole answer.

import { isUp, lost } from '../connection.ts';
import { currentSession } from '../visit.ts';
import { Refusal, Unreachable } from './client.ts';

/** Server-Sent Events of one answer. HTML Living Standard 9.2, as far as this box uses it. */
const EVENT = /^event: (\w+)\ndata: (.*)$/s;

/** work asks for something and hears of its progress. Gives the answer; throws Refusal or Unreachable. */
export async function work(path: string, body: object, onProgress: (step: unknown) => void, signal: AbortSignal): Promise<unknown> {
  const headers = { accept: 'text/event-stream', 'content-type': 'application/json', ...csrf() };
  const response = await reach(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
  const decoder = new TextDecoder();
  let text = '';
  let answer: { readonly output: unknown } | null = null;
  for await (const chunk of chunksOf(response, 'POST', path)) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const [, name, data = 'null'] = EVENT.exec(event) ?? [];
      if (name === 'progress') onProgress(JSON.parse(data));
      if (name === 'done') answer = { output: JSON.parse(data) };
      if (name === 'problem') throw refusalOf(JSON.parse(data));
    }
  }
  if (answer === null) throw unreachable('POST', path);
  return answer.output;
}

/** File of an answer. */
export interface Fetched {
  readonly name: string;
  readonly content: Blob;
}

/** fetchFile takes a file in, and tells how many bytes have come. Throws Refusal or Unreachable. */
export async function fetchFile(path: string, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<Fetched> {
  const response = await reach(path, { method: 'GET', signal });
  const [, name = 'midge-backup.tar.gz'] = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '') ?? [];
  const parts: BlobPart[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(response, 'GET', path)) {
    parts.push(chunk as Uint8Array<ArrayBuffer>); // a stream of fetch has no other
    bytes += chunk.length;
    onBytes(bytes);
  }
  return { name, content: new Blob(parts, { type: response.headers.get('content-type') ?? '' }) };
}

/** sendFile brings a file, and tells which share of it has gone. Only XMLHttpRequest knows that. Throws Refusal or Unreachable. */
export function sendFile(path: string, file: File, onShare: (share: number) => void, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.responseType = 'json';
    for (const [name, value] of Object.entries({ 'content-type': 'application/gzip', ...csrf() })) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onShare(total === 0 ? 0 : loaded / total);
    request.onload = () => (request.status === 200 ? resolve(request.response) : reject(refusalOf(request.response)));
    request.onerror = () => reject(unreachable('POST', path));
    request.onabort = () => reject(new DOMException('Aborted', 'AbortError'));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** saveAs hands a file to the browser, as if it had been downloaded. */
export function saveAs({ name, content }: Fetched): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may begin later
}

/** isAborted tells whether somebody has cancelled it. */
export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

function csrf(): { readonly 'x-csrf-token': string } {
  return { 'x-csrf-token': currentSession()?.csrfToken ?? '' };
}

async function reach(path: string, request: RequestInit & { readonly method: string }): Promise<Response> {
  const response = await fetch(path, request).catch((error: unknown) => {
    if (isAborted(error)) throw error;
    throw unreachable(request.method, path);
  });
  isUp();
  if (!response.ok) throw refusalOf(await response.json().catch(() => null), response);
  return response;
}

async function* chunksOf(response: Response, method: string, path: string): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) yield part.value;
  } catch (error) {
    throw isAborted(error) ? error : unreachable(method, path);
  }
}

function unreachable(method: string, path: string): Unreachable {
  lost();
  return new Unreachable(method, path);
}

function refusalOf(problem: unknown, response?: Response): Refusal {
  const { status = response?.status ?? 500, detail = response?.statusText ?? '' } = (problem ?? {}) as { status?: number; detail?: string }; // RFC 9457
  return new Refusal(status, detail);
}
