// Light or dark: as the system has it, unless this browser was told otherwise.

import { signal } from '@preact/signals';
import { recall, remember } from './remembered.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** theme is what was chosen. */
export const theme = signal<Theme>(readTheme());

/** chooseTheme applies it, and keeps it for the next visit. */
export function chooseTheme(next: Theme): void {
  theme.value = next;
  remember('theme', next);
  applyTheme();
}

/** applyTheme tells the style sheets. */
export function applyTheme(): void {
  if (theme.value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
}

function readTheme(): Theme {
  const kept = recall('theme');
  return THEMES.find((each) => each === kept) ?? 'system';
}
