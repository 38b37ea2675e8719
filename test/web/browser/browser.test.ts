// The browser of the tests itself: it opens the real program, and a page that does what no page may do is found out.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { ask, openBox } from './box.ts';
import { noBrowser, openBrowser } from './browser.ts';

/** A page of a test, which is no box's. */
async function serve(context: TestContext, html: string, policy: string): Promise<{ url: string }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', policy);
    response.end(`<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">${html}</html>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.closeAllConnections());
  context.after(() => server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` };
}

/** The rest of a test has no part in what fails at its end. */
async function complaintsOf(context: TestContext, html: string, policy = ''): Promise<readonly string[]> {
  const afters: (() => unknown)[] = [];
  const browser = await openBrowser({ after: (what) => void afters.push(what as () => unknown) }); // it is called without arguments
  const page = await serve(context, html, policy);
  const tried = await browser.visit(page);
  await tried.page.goto(page.url);
  await tried.page.waitForLoadState('networkidle');
  await assert.rejects(async () => {
    for (const after of afters) await after();
  });
  return tried.complaints;
}

test('browser complains about an error, a word in the console, and a request to another host', { skip: noBrowser }, async (context) => {
  const html = `<script>console.error('broken'); setTimeout(() => { throw new Error('thrown'); });</script><img src="http://elsewhere.example/a.png" alt="">`;
  const complaints = await complaintsOf(context, html);
  for (const pattern of [/^console: broken/, /^error: .*thrown/s, /^request to http:\/\/elsewhere\.example\/a\.png$/])
    assert.ok(
      complaints.some((each) => pattern.test(each)),
      `${pattern} in ${complaints.join('\n')}`,
    );
});

test('audit names what axe-core finds, although the policy of the page allows no script', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const page = await serve(context, '<main><h1>Words</h1><img src="data:,"></main>', "default-src 'none'; img-src data:");
  const tried = await browser.visit(page);
  await tried.page.goto(page.url);
  await assert.rejects(() => tried.audit(), /image-alt: Images must have alternative text/);
});

test('box is claimed, and answers its session before and after a restart', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const tried = await browser.visit(box, { session });
  const answer = await tried.page.goto(`${box.url}/api/v1/session`);
  assert.equal(answer?.status(), 200);
  assert.equal(((await ask(box, session, '/status')) as { clients: { connected: number } }).clients.connected, 0);
  await box.stop();
  await box.start();
  await assert.rejects(() => ask(box, session, '/status'), /401/);
  assert.notEqual((await box.signIn({ username: 'jane', password: 'correct horse battery' })).cookie, '');
});
