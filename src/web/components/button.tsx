// Buttons, and what looks like one.

import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

export interface ButtonProps {
  readonly children: ComponentChildren;
  readonly icon?: IconName;
  /** 'primary' is what most people come for, 'danger' takes something away, 'plain' is beside the point. */
  readonly look?: 'primary' | 'danger' | 'plain' | 'normal';
  readonly type?: 'button' | 'submit';
  readonly isBusy?: boolean;
  readonly disabled?: boolean;
  /** What a screen reader says, where the words alone do not tell which one is meant. */
  readonly name?: string;
  readonly onClick?: () => void;
}

/** Button does something here. */
export function Button({ children, icon, look = 'normal', type = 'button', isBusy = false, disabled = false, name, onClick }: ButtonProps) {
  return (
    <button type={type} class={`button ${look}`} disabled={disabled || isBusy} aria-busy={isBusy} aria-label={name} onClick={onClick}>
      {isBusy ? <span class="spinner" aria-hidden="true" /> : icon !== undefined && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

/** IconButton has a name that is not seen. */
export function IconButton({ name, icon, onClick }: { readonly name: string; readonly icon: IconName; readonly onClick: () => void }) {
  return (
    <button type="button" class="icon-button" aria-label={name} title={name} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
