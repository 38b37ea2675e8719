// What stands around the forms that come before the views.

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { LanguageChoice } from '../account-menu.tsx';
import { Icon } from '../components/icon.tsx';

/** Gate shows a form in the middle of the page. */
export function Gate({ title, lead, children }: { readonly title: string; readonly lead: string; readonly children: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} - midge`;
  }, [title]);
  return (
    <main class="gate">
      <div class="gate-box">
        <p class="brand">
          <Icon name="midge" /> midge
        </p>
        <h1>{title}</h1>
        <p class="lead">{lead}</p>
        {children}
      </div>
      <div class="gate-foot">
        <LanguageChoice />
      </div>
    </main>
  );
}
