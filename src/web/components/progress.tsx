// How far something has come that takes long.

/** Progress shows a share of one; null = nobody knows how far. */
export function Progress({ label, share }: { readonly label: string; readonly share: number | null }) {
  return (
    <div class="progress">
      <span>{label}</span>
      <progress aria-label={label} {...(share === null ? {} : { value: share, max: 1 })} />
    </div>
  );
}
