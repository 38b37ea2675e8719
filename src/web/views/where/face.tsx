// The picture of a card.

import { Icon } from '../../components/icon.tsx';

/** How files of these kinds begin, in base64: what apps on phones send. */
const KINDS = { iVBORw0KGgo: 'png', '/9j/': 'jpeg', R0lGOD: 'gif', UklGR: 'webp' } as const;

/** Face is a picture, and nothing else that a browser could show. */
export function Face({ picture }: { readonly picture: string | null }) {
  const kind = Object.entries(KINDS).find(([beginning]) => picture?.startsWith(beginning))?.[1];
  if (kind === undefined) return <Icon name="person" />;
  return <img class="face-picture" src={`data:image/${kind};base64,${picture}`} alt="" />;
}
