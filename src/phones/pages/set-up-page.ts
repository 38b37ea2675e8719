// The second page of a link, by HTTPS: it leads a phone that has gone past a warning to our authority, has the settings made for the first phone that brings the token, and
// follows how far that phone comes.

import type { PhoneSystem } from '../owntracks.ts';
import { type PhoneUse, usesOwnTracks } from '../phone.ts';
import { PHONE_PROBLEMS } from '../phone-problem.ts';
import type { PhoneWords } from '../words/phone-words.ts';
import { escaped, marked, type Page, pageOf } from './page.ts';
import { trustSteps } from './trust-page.ts';

/** Steps with OwnTracks before it takes settings: it is installed, and lets itself be set up. */
const BEFORE_SETTINGS = 2;

const STORE: Readonly<Record<PhoneSystem, string>> = {
  ios: 'https://apps.apple.com/app/owntracks/id692424691',
  android: 'https://play.google.com/store/apps/details?id=org.owntracks.android',
};

export interface SetUpPageParts {
  readonly words: PhoneWords;
  readonly system: PhoneSystem;
  readonly person: string;
  readonly use: PhoneUse;
  /** What the steps to our authority need; null = the phone trusts it, or need not. */
  readonly trust: { readonly id: string; readonly authorityName: string } | null;
}

/** setUpPage has nothing secret in it: the script fetches that. */
export function setUpPage({ words, system, person, use, trust }: SetUpPageParts): Page {
  const { setUp, problems } = words;
  const isOwnTracks = usesOwnTracks({ use });
  const heading = isOwnTracks ? setUp.headingOwnTracks : setUp.headingMqtt;
  const marks = isOwnTracks ? (['certificate', 'tls', 'signedIn', 'location'] as const) : (['certificate', 'tls', 'signedIn'] as const);
  const body = `${trust === null ? '' : trustSection(words, system, trust)}<section id="begin">
<p>${escaped(setUp.onePhone)}</p>
<button class="button" id="get" type="button">${escaped(setUp.getSettings)}</button>
</section>
<section id="again" hidden>
<p>${escaped(setUp.lost)}</p>
<button class="button" id="renew" type="button">${escaped(setUp.getAgain)}</button>
</section>
<section id="settings" hidden>
${isOwnTracks ? ownTracksSteps(words, system) : mqttSteps(words, system)}
</section>
<p class="problem" id="problem" role="alert" hidden></p>
<section id="progress">
<h2>${escaped(setUp.progress)}</h2>
<ul class="marks" id="marks">
${marks.map((step) => mark(step, setUp.steps[step], setUp.notDone)).join('\n')}
</ul>
<p class="good" id="done" role="status"></p>
</section>
<p class="soft" id="silent" hidden>${escaped(setUp.noAnswer)}</p>`;
  const facts = {
    system,
    done: setUp.done,
    'all-done': setUp.allDone,
    failed: words.ended.failed,
    ...Object.fromEntries(PHONE_PROBLEMS.map((kind) => [`problem-${kind.toLowerCase().replaceAll(' ', '-')}`, problems[kind]])),
    'ended-used': words.ended.used,
    'ended-unknown': words.ended.unknown,
  };
  return pageOf({ words, heading: heading.replace('{person}', person), body, script: SCRIPT, facts, asks: [] });
}

/** By HTTPS alone the phone could come here past a warning only, which the app does not let pass. */
function trustSection(words: PhoneWords, system: PhoneSystem, trust: NonNullable<SetUpPageParts['trust']>): string {
  return `<section id="trust">
<h2>${escaped(words.trust.heading)}</h2>
<p>${escaped(words.trust.pastWarning)}</p>
${trustSteps({ words, system, ...trust }, words.trust.thenOn)}
</section>
<h2>${escaped(words.trust.setUpNext)}</h2>
`;
}

function ownTracksSteps({ setUp }: PhoneWords, system: PhoneSystem): string {
  const steps = [
    `<p>${marked(setUp.install)}</p><p><a href="${STORE[system]}" rel="noreferrer">${system === 'ios' ? 'App Store' : 'Google Play'}</a></p>`,
    `<p>${marked(setUp.allow)}</p>`,
    `<p>${escaped(setUp.open)}</p><a class="button" id="open">${escaped(setUp.openButton)}</a>
<details><summary>${escaped(setUp.otherWay)}</summary>
<p><a id="file">${escaped(setUp.saveFile)}</a></p>
<p>${escaped(setUp.type)}</p>
<dl id="fields"></dl>
<p class="soft">${escaped(setUp.once)}</p>
</details>`,
    `<p>${marked(system === 'ios' ? setUp.iosPermissions : setUp.androidPermissions)}</p>`,
    `<p>${escaped(setUp.publish)}</p>`,
    `<p>${marked(setUp.disallow)}</p>`,
  ];
  const items = steps.map((step) => `<li>${step}</li>`);
  const own = `<li id="own-certificate" hidden>${ownCertificate(setUp, system)}</li>`;
  return `<ol class="steps">\n${items.toSpliced(BEFORE_SETTINGS, 0, own).join('\n')}\n</ol>`;
}

/** Where the listener asks for a certificate of the phone, the script shows it. */
function ownCertificate(setUp: PhoneWords['setUp'], system: PhoneSystem): string {
  return `<p>${marked(system === 'ios' ? setUp.iosOwnCertificate : setUp.androidOwnCertificate)}</p>
<a class="button" id="own-certificate-file">${escaped(setUp.ownCertificateButton)}</a>
<dl><dt>${escaped(setUp.fields.passphrase)}</dt><dd id="passphrase"></dd></dl>`;
}

function mqttSteps({ setUp }: PhoneWords, system: PhoneSystem): string {
  return `<div id="own-certificate" hidden>${ownCertificate(setUp, system)}</div>
<p>${escaped(setUp.mqttType)}</p>\n<dl id="fields"></dl>\n<p class="soft">${escaped(setUp.once)}</p>`;
}

function mark(step: string, text: string, state: string): string {
  return `<li data-step="${step}" data-done="false"><svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10" fill="none" stroke="currentColor" stroke-width="2"/><path class="tick" d="M7 12.5l3.5 3.5 6.5-7.5" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg><span>${escaped(text)}</span><span class="state">${escaped(state)}</span></li>`;
}

/** What the phone has been handed lives in this tab, so that it is there when people come back from the settings. */
const SCRIPT = `
'use strict';
const main = document.querySelector('main');
const path = location.pathname;
const kept = 'settings ' + path;
const byId = (id) => document.getElementById(id);
const show = (id, isShown) => { byId(id).hidden = !isShown; };
let token = location.hash.slice(1);
let ended = '';

function read() {
  try { return JSON.parse(sessionStorage.getItem(kept)); } catch { return null; }
}

function tell(text) {
  const problem = byId('problem');
  if (problem.textContent !== text) problem.textContent = text;
  problem.hidden = text === '';
}

function fill(settings) {
  const fields = byId('fields');
  fields.replaceChildren(...settings.fields.flatMap(([name, value]) => {
    const [term, text] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = name;
    text.textContent = value;
    return [term, text];
  }));
  const [open, file] = [byId('open'), byId('file')];
  if (settings.link !== null && open !== null) {
    open.href = settings.link;
    file.href = URL.createObjectURL(new Blob([settings.otrc], { type: 'application/octet-stream' }));
    file.download = settings.fileName;
  }
  if (settings.certificate !== null) {
    const bytes = Uint8Array.from(atob(settings.certificate.content), (each) => each.charCodeAt(0));
    const own = byId('own-certificate-file');
    own.href = URL.createObjectURL(new Blob([bytes], { type: 'application/x-pkcs12' }));
    own.download = settings.certificate.fileName;
    byId('passphrase').textContent = settings.certificate.passphrase;
    show('own-certificate', true);
  }
  show('begin', false);
  show('again', false);
  show('settings', true);
}

async function fetchSettings(button) {
  button.disabled = true;
  try {
    const answer = await fetch(path + '/settings', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, system: main.dataset.system }),
    });
    if (answer.ok) {
      const settings = await answer.json();
      try { sessionStorage.setItem(kept, JSON.stringify(settings)); } catch {}
      history.replaceState(null, '', path + location.search);
      token = '';
      fill(settings);
      tell('');
    } else {
      ended = answer.status === 410 ? main.dataset.endedUsed : answer.status === 404 ? main.dataset.endedUnknown : main.dataset.failed;
      tell(ended);
      if (answer.status === 410) show('progress', false); // it is that of the other phone
    }
  } catch {
    show('silent', true);
  }
  button.disabled = false;
}

function showState(state) {
  for (const item of document.querySelectorAll('[data-step]')) {
    if (!state.steps[item.dataset.step] || item.dataset.done === 'true') continue;
    item.dataset.done = 'true';
    item.querySelector('.state').textContent = main.dataset.done;
  }
  if (ended === '') tell(state.problem === null ? '' : main.getAttribute('data-problem-' + state.problem.toLowerCase().replaceAll(' ', '-')));
  const done = byId('done');
  if (state.isSetUp && done.textContent === '') done.textContent = main.dataset.allDone;
  const hasSettings = read() !== null;
  if (state.isOpened && !hasSettings) {
    show('begin', false);
    show('again', !state.steps.signedIn);
  }
  return state.isSetUp;
}

async function follow() {
  let isOver = false;
  try {
    const answer = await fetch(path + '/state', { cache: 'no-store' });
    show('silent', false);
    if (answer.ok) isOver = showState(await answer.json());
    else if (answer.status === 404) { isOver = true; if (ended === '') tell(main.dataset.endedUnknown); }
  } catch {
    show('silent', true);
  }
  if (!isOver) setTimeout(follow, 2000);
}

byId('get').addEventListener('click', (event) => fetchSettings(event.currentTarget));
byId('renew').addEventListener('click', (event) => fetchSettings(event.currentTarget));
const before = read();
if (before !== null) fill(before);
follow();
`;
