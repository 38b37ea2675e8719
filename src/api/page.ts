// The page for browsers, as files: `/`, and those whose names change with what they hold.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Context } from 'hono';
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
export type PageAnswer = [method: string, path: string, handler: (context: Context) => Response];

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
  let tag: string | null = null;
  return (context) => {
    const bytes = page.read(name);
    tag ??= `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const headers: Record<string, string> = {
      'cache-control': name.startsWith('assets/') ? FOR_EVER : 'no-cache',
      'content-security-policy': POLICY,
      'content-type': MEDIA_TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      etag: tag,
      vary: 'Accept-Encoding',
    };
    if (isKnown(context.req.header('if-none-match'), tag)) return context.body(null, 304, headers);
    if (!takesGzip(context.req.header('accept-encoding'))) return context.body(new Uint8Array(gunzipSync(bytes)), 200, headers);
    return context.body(bytes, 200, { ...headers, 'content-encoding': 'gzip' });
  };
}

/** RFC 9110 13.1.2: a weak tag counts as well. */
function isKnown(header: string | undefined, tag: string): boolean {
  return (header ?? '').split(',').some((each) => ['*', tag].includes(each.trim().replace(/^W\//, '')));
}

/** RFC 9110 12.5.3 */
function takesGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some((each) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(each));
}
