// A box to tick.

export interface CheckProps {
  readonly label: string;
  readonly hint?: string;
  readonly isOn: boolean;
  readonly turn: (isOn: boolean) => void;
  readonly disabled?: boolean;
}

/** Check is one; CheckList has many of them. */
export function Check({ label, hint, isOn, turn, disabled = false }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={isOn} disabled={disabled} onChange={(event) => turn(event.currentTarget.checked)} />
      <span>
        {label}
        {hint !== undefined && <span class="hint">{hint}</span>}
      </span>
    </label>
  );
}
