// Where somebody types what to look for.

import { useId } from 'preact/hooks';
import { t } from '../i18n.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';

export interface SearchBoxProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly change: (value: string) => void;
}

/** SearchBox has a name that is not seen; its hint, or else its name, stands in it while it is empty. */
export function SearchBox({ label, hint = label, value, change }: SearchBoxProps) {
  const id = useId();
  return (
    <div class="search-box">
      <label class="unseen" for={id}>
        {label}
      </label>
      <Icon name="search" />
      <input
        id={id}
        type="search"
        value={value}
        placeholder={hint}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        onInput={(event) => change(event.currentTarget.value)}
      />
      {value !== '' && <IconButton name={t('search.clear')} icon="close" onClick={() => change('')} />}
    </div>
  );
}
