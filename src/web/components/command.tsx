// A line that people take to a terminal or into a file.

import { CopyButton } from './copy-button.tsx';

/** Command shows it whole, and copies it. */
export function Command({ text, copied }: { readonly text: string; readonly copied?: () => void }) {
  return (
    <div class="secret command">
      <code>{text}</code>
      <CopyButton text={text} {...(copied && { copied })} />
    </div>
  );
}
