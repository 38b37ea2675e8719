// The frame of the pages of a link: one document with its style and its script in it, and the policy by which a browser takes nothing else.

import { createHash } from 'node:crypto';
import type { PhoneWords } from '../words/phone-words.ts';

/** Page is a document, and the Content-Security-Policy (CSP Level 3) that belongs to it. */
export interface Page {
  readonly html: string;
  readonly policy: string;
}

export interface PageParts {
  readonly words: PhoneWords;
  readonly heading: string;
  /** HTML. */
  readonly body: string;
  /** The same for all, so that its hash is; null = none. */
  readonly script: string | null;
  /** Attributes `data-*` of the main element, by which the script knows what differs. */
  readonly facts: Readonly<Record<string, string>>;
  /** Origins that the script asks besides ours. */
  readonly asks: readonly string[];
}

/** pageOf puts a page together. */
export function pageOf({ words, heading, body, script, facts, asks }: PageParts): Page {
  const data = Object.entries(facts).map(([name, value]) => ` data-${name}="${escaped(value)}"`);
  const html = `<!doctype html>
<html lang="${words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(words.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main${data.join('')}>
<h1>${escaped(heading)}</h1>
${script === null ? '' : `<noscript><p class="problem">${escaped(words.needsJavaScript)}</p></noscript>`}
${body}
</main>
${script === null ? '' : `<script>${script}</script>`}
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(STYLE)}'`,
    ...(script === null ? [] : [`script-src '${hashOf(script)}'`, `connect-src ${["'self'", ...asks].join(' ')}`]),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { html, policy: policy.join('; ') };
}

/** escaped gives a text for HTML, in an element or in an attribute with double quotes. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** marked is `escaped`, but for what the words mark as standing on the screen; `names` fill in their `{name}`. */
export function marked(text: string, names: Readonly<Record<string, string>> = {}): string {
  const html = escaped(text).replaceAll('&lt;b&gt;', '<b>').replaceAll('&lt;/b&gt;', '</b>');
  return html.replaceAll(/\{(\w+)\}/g, (mark, name: string) => escaped(names[name] ?? mark));
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

const STYLE = `
:root { --ink: #1b1f24; --paper: #ffffff; --soft: #57606a; --line: #d0d7de; --key: #0b5cad; --on-key: #ffffff; --good: #1a7f37; --bad: #8a2c0d; --bad-paper: #fff4ee; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #14181d; --soft: #a3adb8; --line: #3a434d; --key: #7cb8ff; --on-key: #0a1420; --good: #56d364; --bad: #ffb59a; --bad-paper: #2b1a13; }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 1.0625rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; -webkit-hyphens: auto; hyphens: auto; }
main { max-width: 34rem; margin: 0 auto; padding: 1.25rem 1.25rem 3rem; }
h1 { font-size: 1.625rem; line-height: 1.2; margin: 0.5rem 0 0.75rem; }
h2 { font-size: 1.1875rem; margin: 2rem 0 0.5rem; }
p { margin: 0.75rem 0; }
.soft { color: var(--soft); font-size: 0.9375rem; }
ol.steps { counter-reset: step; list-style: none; margin: 1.25rem 0; padding: 0; }
ol.steps > li { counter-increment: step; position: relative; margin: 0 0 1.5rem; padding-left: 2.75rem; }
ol.steps > li::before { content: counter(step); position: absolute; left: 0; top: -0.125rem; width: 1.875rem; height: 1.875rem; border: 2px solid var(--key); border-radius: 50%; color: var(--key); font-weight: 600; line-height: 1.625rem; text-align: center; }
ol.steps p:first-child { margin-top: 0; }
.button { display: block; width: 100%; min-height: 3rem; margin: 0.75rem 0; padding: 0.75rem 1rem; border: 0; border-radius: 0.625rem; color: var(--on-key); background: var(--key); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
.button:disabled { opacity: 0.6; }
a { color: var(--key); }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid var(--key); outline-offset: 3px; }
summary { cursor: pointer; min-height: 2.75rem; padding: 0.625rem 0; }
svg.picture { display: block; width: 100%; max-width: 22rem; height: auto; margin: 0.75rem 0; }
ul.marks { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: 0.625rem; }
ul.marks li { display: flex; align-items: center; gap: 0.75rem; padding: 0.75rem 1rem; color: var(--soft); }
ul.marks li + li { border-top: 1px solid var(--line); }
ul.marks svg { flex: none; width: 1.5rem; height: 1.5rem; }
ul.marks .tick { visibility: hidden; }
ul.marks li[data-done="true"] { color: var(--ink); }
ul.marks li[data-done="true"] svg { color: var(--good); }
ul.marks li[data-done="true"] .tick { visibility: visible; }
ul.marks .state { margin-left: auto; font-size: 0.875rem; color: var(--soft); }
.status { padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 0.625rem; }
.problem { padding: 0.75rem 1rem; border-radius: 0.625rem; color: var(--bad); background: var(--bad-paper); }
.good { color: var(--good); font-weight: 600; }
dl { display: grid; grid-template-columns: minmax(6.5rem, auto) 1fr; gap: 0.375rem 1rem; margin: 0.75rem 0; }
dt { color: var(--soft); }
dd { margin: 0; font: 0.9375rem/1.6 ui-monospace, monospace; user-select: all; -webkit-user-select: all; overflow-wrap: anywhere; -webkit-hyphens: none; hyphens: none; }
[hidden] { display: none !important; }
`;
