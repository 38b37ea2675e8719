// When a broker looks for updates, and where; built by config/.

/** UPDATE_MODES: look and install only when a person asks, look for oneself, or install as well. */
export const UPDATE_MODES = ['off', 'check', 'install'] as const;
export type UpdateMode = (typeof UPDATE_MODES)[number];

/** UpdateWindow is a part of the day in minutes after midnight, by the clock on the wall. It goes over midnight where `to` is before `from`; they are never the same. */
export interface UpdateWindow {
  readonly from: number;
  readonly to: number;
}

export interface UpdateOptions {
  readonly mode: UpdateMode;
  /** Folder of the newest release on the web; it ends in `/`. Null = nobody has said where. */
  readonly url: string | null;
  readonly window: UpdateWindow;
  /** The account that may ask for an update by MQTT; null = none. */
  readonly account: string | null;
}
