/** Where a crash happens: data of its own. */
export interface CrashPlace {
  /** What the application's module is told, such as a folder or a URL. */
  readonly place: string
  /** Removes it and all that is there. */
  readonly dispose: () => Promise<void>
}
