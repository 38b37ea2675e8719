// The words for the sections in which the reference has its settings: keys of locales/ by their English titles.

/** SECTION_NAMES by the title that the box tells. */
export const SECTION_NAMES = {
  'Settings that only midge has': 'settings.section.own',
  'Certificates and names on the Internet': 'settings.section.internet',
  'Updates of midge': 'settings.section.updates',
  'Several brokers as one': 'settings.section.cluster',
  'Whole program': 'settings.section.program',
  Log: 'settings.section.log',
  Listeners: 'settings.section.listeners',
  'TLS of a listener': 'settings.section.tls',
} as const;
