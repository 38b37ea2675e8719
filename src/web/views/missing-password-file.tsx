// What to do before a box can be claimed whose configuration names no file of accounts.

import { Command } from '../components/command.tsx';
import { t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { lookAgain, type Missing } from '../visit.ts';

const EVERY_MS = 2000;

/** MissingPasswordFile says it, and looks whether it is done. */
export function MissingPasswordFile({ missing: { configuration, passwordFile, listener } }: { readonly missing: Missing }) {
  useLive(lookAgain, EVERY_MS);
  const name = t('claim.missing.name');
  const place = listener === null ? t('claim.missing.line') : t('claim.missing.lineBelow', { line: `listener ${listener}` });
  return (
    <>
      <ol class="to-do">
        <li>
          <p>{t('claim.missing.file', { name })}</p>
          <Command text={`sudo midge passwd -c ${quoted(passwordFile)} ${name}`} />
        </li>
        <li>
          <p>{place}</p>
          <p>
            <code>{configuration}</code>
          </p>
          <Command text={`password_file ${passwordFile}`} />
        </li>
        <li>
          <p>{t('claim.missing.reload')}</p>
          <Command text="sudo systemctl reload midge" />
          <p class="hint">{t('claim.missing.reloadOther')}</p>
        </li>
      </ol>
      <p class="hint" role="status">
        {t('claim.missing.waits')}
      </p>
    </>
  );
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
