// Which system a browser runs on, by its User-Agent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemOf } from '../../src/web/views/certificates/system-of.ts';

for (const [userAgent, system] of [
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36', 'windows'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15', 'macos'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'linux'],
  ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36', 'android'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1', 'ios'],
  ['Mozilla/5.0 (PlayStation 5 3.03) AppleWebKit/605.1.15 (KHTML, like Gecko)', null],
] as const) {
  test(`browser of ${system ?? 'another system'} is known`, () => assert.equal(systemOf(userAgent), system));
}
