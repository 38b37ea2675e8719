// A rule as a sentence.

import { type Key, t } from '../i18n.ts';
import type { Rule } from './person-templates.ts';

const WORDS: Readonly<Record<Rule['access'], Key>> = {
  read: 'rule.read',
  write: 'rule.write',
  readwrite: 'rule.readwrite',
  deny: 'rule.deny',
};

/** ruleText says it in one line of text. */
export function ruleText({ access, filter }: Rule): string {
  return `${t(WORDS[access])} ${filter}`;
}

/** RuleWords says what a rule allows, and where. */
export function RuleWords({ rule: { access, filter, kind } }: { readonly rule: Rule }) {
  return (
    <>
      {t(WORDS[access])} <code>{filter}</code>
      {kind === 'pattern' && <span class="hint"> {t('rule.everybody')}</span>}
    </>
  );
}
