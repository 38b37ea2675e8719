// The page for browsers, as files: `/`, and those whose names change with what they hold.

import type { Context } from 'hono';
import { packedAnswer } from './packed-answer.ts';
import type { PageFiles } from './ports.ts';
import { Problem } from './problems.ts';

const FIRST = 'index.html';

/** A year: such a name never holds anything else. RFC 8246 */
const FOR_EVER = 'public, max-age=31536000, immutable';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  json: 'application/json',
  webmanifest: 'application/manifest+json',
};

/** Everything comes from this box, and nothing stands within the page's text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** PageAnswer is a row of the routes. */
export type PageAnswer = [method: string, path: string, handler: (context: Context) => Response | Promise<Response>];

/** pageAnswers has a row for each file. */
export function pageAnswers(page: PageFiles | null): readonly PageAnswer[] {
  if (page === null) return [['GET', '/', answerNotBuilt]];
  return Array.from(page.names, (name) => {
    const answer = fileAnswer(page, name);
    return ['GET', name === FIRST ? '/' : `/${name}`, answer];
  });
}

function answerNotBuilt(): Response {
  throw new Problem(404, 'The page has not been built: run "build/with.sh node build/web.ts" in the checkout, and start the broker again');
}

function fileAnswer(page: PageFiles, name: string): PageAnswer[2] {
  return packedAnswer(() => page.read(name), {
    'cache-control': name.startsWith('assets/') ? FOR_EVER : 'no-cache',
    'content-security-policy': POLICY,
    'content-type': MEDIA_TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
  });
}
