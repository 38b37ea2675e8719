// The field for a file that somebody brings.

import { useId } from 'preact/hooks';

export interface FileFieldProps {
  readonly label: string;
  readonly hint?: string;
  /** Kinds that the browser offers first, for example `.gz,application/gzip`. */
  readonly accept?: string;
  readonly take: (file: File) => void;
}

/** FileField hands on what was chosen. */
export function FileField({ label, hint, accept, take }: FileFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        accept={accept}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file !== undefined) take(file);
        }}
      />
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
