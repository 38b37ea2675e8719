// Copies a text for people who take it elsewhere.

import { useState } from 'preact/hooks';
import { t } from '../i18n.ts';
import { Button } from './button.tsx';
import { toast } from './toast.tsx';

/** CopyButton puts a text on the clipboard. Browsers allow it on HTTPS and localhost only: elsewhere there is no button. */
export function CopyButton({ text, copied = () => {} }: { readonly text: string; readonly copied?: () => void }) {
  const [isCopied, setCopied] = useState(false);
  if (navigator.clipboard === undefined) return null;
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true);
        copied();
      },
      () => toast(t('copy.failed'), 'bad'),
    );
  return (
    <Button icon={isCopied ? 'check' : 'copy'} onClick={() => void copy()}>
      {t(isCopied ? 'copy.done' : 'copy.do')}
    </Button>
  );
}
