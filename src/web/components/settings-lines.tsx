// Lines of the configuration, to be taken into the settings.

import { t } from '../i18n.ts';
import { isOffered, linkTo } from '../router.ts';
import { CopyButton } from './copy-button.tsx';

/** SettingsLines shows them, with the way there. */
export function SettingsLines({ lines }: { readonly lines: readonly string[] }) {
  const text = lines.join('\n');
  return (
    <>
      <pre class="settings-lines">{text}</pre>
      <p class="hint">{t('settings.linesHint')}</p>
      <div class="actions settings-lines-links">
        <CopyButton text={text} />
        {isOffered('settings') && <a href={linkTo('settings', [], { show: 'text' })}>{t('settings.link')}</a>}
      </div>
    </>
  );
}
