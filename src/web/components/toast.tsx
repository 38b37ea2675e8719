// Short messages about what was just done; they go by themselves.

import { signal } from '@preact/signals';
import { t } from '../i18n.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';

interface Toast {
  readonly id: number;
  readonly words: string;
  readonly look: 'good' | 'bad';
}

/** Milliseconds. What went wrong has to be read. */
const SHOWN = { good: 6000, bad: 20_000 } as const;

const toasts = signal<readonly Toast[]>([]);
let next = 0;

/** toast shows a message. */
export function toast(words: string, look: Toast['look'] = 'good'): void {
  const id = next++;
  toasts.value = [...toasts.value, { id, words, look }];
  setTimeout(() => remove(id), SHOWN[look]);
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

/** Toasts is where they appear. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, words, look }) => (
        <div key={id} class={`toast ${look}`}>
          <Icon name={look === 'good' ? 'check' : 'warning'} />
          <span>{words}</span>
          <IconButton name={t('dialog.close')} icon="close" onClick={() => remove(id)} />
        </div>
      ))}
    </div>
  );
}
