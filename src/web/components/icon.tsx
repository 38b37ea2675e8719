// Our icons: lines on a grid of 24, in the colour of the text around them. They say nothing that words beside them do not say.

/** PATHS by the name of the icon. */
const PATHS = {
  midge: 'M12 17v-5M6.500 15.500a7.500 7.500 0 0 1 11 0M3.500 11.500a12 12 0 0 1 17 0M12 19.500a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1z',
  gauge: 'M12 14l4-4M4.200 18a9 9 0 1 1 15.600 0z',
  plug: 'M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4',
  tree: 'M5 4v14a2 2 0 0 0 2 2h3M5 10h5M10 7.500h9v5h-9zM10 17.500h9v5h-9zM5 4h9',
  people: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M16 3.500a4 4 0 0 1 0 7.500M18.500 14.500A7 7 0 0 1 22 21',
  person: 'M12 12a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM4 21a8 8 0 0 1 16 0',
  phone: 'M7 3h10v18H7zM11 18h2',
  bridge: 'M2 17h20M5 17V7M19 17V7M2 12c2 0 3-2 3-5 1 4 4 6 7 6s6-2 7-6c0 3 1 5 3 5M9 13v4M15 13v4M12 13v4',
  shield: 'M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6zM9 12l2 2 4-4',
  sliders: 'M4 7h9M17 7h3M15 5v4M4 12h3M11 12h9M9 10v4M4 17h11M19 17h1M17 15v4',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3.500 6 3.500 9s-.5 6-3.500 9c-3-3-3.500-6-3.500-9s.5-6 3.500-9',
  log: 'M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h5',
  archive: 'M3 4h18v4H3zM5 8v12h14V8M10 12h4',
  more: 'M5 13a1 1 0 1 0 0-2 1 1 0 0 0 0 2zM12 13a1 1 0 1 0 0-2 1 1 0 0 0 0 2zM19 13a1 1 0 1 0 0-2 1 1 0 0 0 0 2z',
  circle: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 13l4 4L19 7',
  copy: 'M9 9h11v12H9zM5 15H4V3h11v2',
  plus: 'M12 5v14M5 12h14',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  warning: 'M12 3l10 18H2zM12 10v5M12 18h.01',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8h.01',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  key: 'M8 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 11l9-8M16 7l3 3',
  'sign-out': 'M10 4H5v16h5M15 8l4 4-4 4M19 12H9',
  chevron: 'M9 5l7 7-7 7',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  download: 'M12 4v11M7 11l5 5 5-5M4 20h16',
  upload: 'M12 16V5M7 9l5-5 5 5M4 20h16',
  refresh: 'M20 5v5h-5M4 19v-5h5M19 10a8 8 0 0 0-14-3M5 14a8 8 0 0 0 14 3',
  pin: 'M12 21v-6M8 4h8M9 4v6l-3 4v1h12v-1l-3-4V4',
  send: 'M3 11l18-8-6 18-4-8z',
} as const;

export type IconName = keyof typeof PATHS;

/** Icon draws one. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
