// A diff, in colours and in words for who does not see them.

import { t } from '../../i18n.ts';
import { changedLines, isChanged } from '../../settings/changed-lines.ts';

const SIGNS = { gone: '−', come: '+', same: ' ', gap: ' ' } as const;

/** Diff takes lines with `-`, `+` or a blank before them. */
export function Diff({ diff }: { readonly diff: readonly string[] }) {
  if (!isChanged(diff)) return <p>{t('settings.noDifference')}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and the keyboard must reach it
    <section class="diff" aria-label={t('settings.diff')} tabIndex={0}>
      {changedLines(diff).map(({ kind, text }, index) => (
        <div key={index} class={`diff-line ${kind}`}>
          <span aria-hidden="true">{SIGNS[kind]}</span>
          {kind === 'gone' && <span class="unseen">{t('settings.gone')}</span>}
          {kind === 'come' && <span class="unseen">{t('settings.come')}</span>}
          <code>{kind === 'gap' ? '⋯' : text}</code>
        </div>
      ))}
    </section>
  );
}
