// The first page of a link, which comes by plain HTTP: it hands out the authority, which is no secret, and goes on by HTTPS as soon as the
// phone trusts it. The token of the link stands in the fragment of its address, which a browser sends to nobody.

import type { PhoneSystem } from '../owntracks.ts';
import type { PhoneWords } from '../words/phone-words.ts';
import { escaped, marked, type Page, pageOf } from './page.ts';

export interface TrustPageParts {
  readonly words: PhoneWords;
  readonly system: PhoneSystem;
  /** Of the link. */
  readonly id: string;
  /** Beginning of its address by HTTPS, such as `https://192.168.1.5:8443`. */
  readonly secure: string;
  /** What the phone calls the authority in its lists. */
  readonly authorityName: string;
}

/** trustPage leads through what the system wants before it trusts an authority. */
export function trustPage({ words, system, id, secure, authorityName }: TrustPageParts): Page {
  const { trust } = words;
  const other = system === 'ios' ? 'android' : 'ios';
  const path = `/phone/${encodeURIComponent(id)}`;
  const body = `<p>${escaped(trust.why)}</p>
${trustSteps({ words, system, id, authorityName }, trust.back)}
<p class="status" id="status" role="status">${escaped(trust.waiting)}</p>
<p class="soft" id="hint" hidden>${escaped(trust.notYet)}</p>
<p class="soft"><a id="other" href="?system=${other}">${escaped(trust.otherSystem[other])}</a></p>`;
  return pageOf({
    words,
    heading: trust.heading,
    body,
    script: SCRIPT,
    facts: { next: `${secure}${path}`, system, trusted: trust.trusted },
    asks: [secure],
  });
}

/** trustSteps are those to our authority, as a list; `last` says how it goes on. */
export function trustSteps({ words, system, id, authorityName }: Omit<TrustPageParts, 'secure'>, last: string): string {
  const path = `/phone/${encodeURIComponent(id)}`;
  const steps = system === 'ios' ? stepsOfIos(words, path, authorityName) : stepsOfAndroid(words, path);
  const items = [...steps, `<p>${escaped(last)}</p>`].map((step) => `<li>${step}</li>`);
  return `<ol class="steps">\n${items.join('\n')}\n</ol>`;
}

function stepsOfIos({ trust }: PhoneWords, path: string, authorityName: string): readonly string[] {
  return [
    `<p>${marked(trust.iosLoad)}</p><a class="button" href="${path}/authority.mobileconfig">${escaped(trust.iosLoadButton)}</a>`,
    `<p>${marked(trust.iosInstall)}</p>`,
    `<p>${marked(trust.iosSwitch, { authority: authorityName })}</p>${drawSwitch(trust, authorityName)}`,
  ];
}

function stepsOfAndroid({ trust }: PhoneWords, path: string): readonly string[] {
  return [
    `<p>${marked(trust.androidLoad)}</p><a class="button" href="${path}/authority.crt">${escaped(trust.androidLoadButton)}</a>`,
    `<p>${marked(trust.androidInstall)}</p><p class="soft">${escaped(trust.androidNotice)} ${escaped(trust.androidApps)}</p>`,
  ];
}

/** The page of iOS with the switch that most people miss. */
function drawSwitch({ iosPicture, iosPictureTitle, iosPictureSection }: PhoneWords['trust'], authorityName: string): string {
  const name = authorityName.length > 26 ? `${authorityName.slice(0, 25)}…` : authorityName;
  return `<svg class="picture" viewBox="0 0 360 150" role="img" aria-label="${escaped(iosPicture)}" font-family="system-ui, sans-serif">
<rect x="1" y="1" width="358" height="148" rx="14" fill="none" stroke="currentColor" stroke-opacity="0.35" stroke-width="2"/>
<path d="M26 24l-8 8 8 8" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>
<text x="180" y="37" text-anchor="middle" font-size="15" font-weight="600" fill="currentColor">${escaped(iosPictureTitle)}</text>
<text x="20" y="76" font-size="12" fill="currentColor" fill-opacity="0.75">${escaped(iosPictureSection)}</text>
<rect x="12" y="88" width="336" height="48" rx="10" fill="currentColor" fill-opacity="0.08"/>
<text x="26" y="117" font-size="15" fill="currentColor">${escaped(name)}</text>
<rect x="284" y="97" width="52" height="30" rx="15" fill="#34c759"/>
<circle cx="321" cy="112" r="12.5" fill="#ffffff"/>
</svg>`;
}

/** It asks by HTTPS until the browser lets it: then the certificate is trusted, and by this name. */
const SCRIPT = `
'use strict';
const main = document.querySelector('main');
const { next, trusted } = main.dataset;
const other = document.getElementById('other');
other.href += location.hash;
let tries = 0;
async function ask() {
  try {
    await fetch(next + '/trusted', { cache: 'no-store', credentials: 'omit' });
  } catch {
    tries++;
    document.getElementById('hint').hidden = tries < 15;
    setTimeout(ask, 2000);
    return;
  }
  document.getElementById('status').textContent = trusted;
  location.replace(next + '?system=' + main.dataset.system + location.hash);
}
ask();
`;
