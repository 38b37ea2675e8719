// The text of the configuration file, with its mistakes below it.

import { useId, useRef } from 'preact/hooks';
import { t } from '../../i18n.ts';
import type { Draft } from '../../settings/draft.ts';
import { Remarks } from './remarks.tsx';

/** TextEditor edits the same draft as the form. */
export function TextEditor({ draft }: { readonly draft: Draft }) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const text = draft.text.value;
  const file = draft.current.value?.file ?? '';
  const { mistakes = [], warnings = [] } = draft.checked.value ?? {};
  const goTo = (line: number) => {
    if (area.current === null) return;
    const start =
      text
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0);
    area.current.focus();
    area.current.setSelectionRange(start, start + (text.split('\n')[line - 1]?.length ?? 0));
    area.current.scrollTop = (line - 4) * Number.parseFloat(getComputedStyle(area.current).lineHeight);
  };
  return (
    <section class="card settings-text" aria-label={t('settings.text')}>
      <label for={id} class="settings-file">
        {t('settings.file')}
      </label>
      <textarea
        ref={area}
        id={id}
        value={text}
        rows={24}
        spellcheck={false}
        autocapitalize="none"
        autocomplete="off"
        wrap="off"
        aria-invalid={mistakes.length > 0}
        aria-describedby={`${id}-says`}
        onInput={(event) => draft.type(event.currentTarget.value)}
      />
      <div id={`${id}-says`} aria-live="polite">
        {draft.checked.value === null && <p class="hint">{t('settings.checking')}</p>}
        {draft.checked.value !== null && mistakes.length + warnings.length === 0 && <p class="hint">{t('settings.noMistakes')}</p>}
        <Remarks look="bad" remarks={mistakes} file={file} goTo={goTo} />
        <Remarks look="warn" remarks={warnings} file={file} goTo={goTo} />
      </div>
    </section>
  );
}
