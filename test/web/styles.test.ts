// The style sheets of views, which come when somebody first goes there and stay: what one styles, no other does. Otherwise a view would look
// different after a visit to another one.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const STYLES = join(import.meta.dirname, '../../src/web/styles');

/** These are there from the start. */
const ALWAYS = ['base.css', 'components.css', 'layout.css', 'tokens.css'];

test('style sheets of views style what is theirs only', () => {
  const owners = new Map<string, string>();
  const shared: string[] = [];
  for (const sheet of globSync('*.css', { cwd: STYLES }).sort()) {
    const owner = ALWAYS.includes(sheet) ? 'the page' : sheet;
    for (const name of beginnings(readFileSync(join(STYLES, sheet), 'utf8'))) {
      const other = owners.get(name) ?? owner;
      if (other !== owner) shared.push(`${name}: ${other}, ${owner}`);
      owners.set(name, other);
    }
  }
  assert.ok(owners.size > 150, `${owners.size} beginnings found`);
  assert.deepEqual(shared, []);
});

/** beginnings gives what selectors begin with: a class, or else an element. Steps of an animation are none. */
function beginnings(css: string): ReadonlySet<string> {
  const plain = css.replaceAll(/\/\*.*?\*\/|@keyframes [^{]+\{(?:[^{}]*\{[^}]*\})*\s*\}/gs, '').replaceAll(/@media[^{]*\{/g, '');
  const selectors = Array.from(plain.matchAll(/([^{}]+)\{/g), ([, list = '']) => list.split(',')).flat();
  return new Set(selectors.flatMap((selector) => /^\s*(\.[\w-]+|\w+)/.exec(selector)?.[1] ?? []));
}
