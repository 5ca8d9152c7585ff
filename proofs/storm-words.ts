/** What a client may ask of an owner: to accept a message, or to answer it. */
export type Job = 'submit' | 'run'

/** What an owner begins with. */
export interface Task {
  readonly place: string
  /** The file to which every effect adds a line. */
  readonly effects: string
  readonly leaseTtlMs: number
}

/** What an owner is told. */
export type Order =
  | { readonly type: 'begin'; readonly task: Task }
  | { readonly type: 'ask'; readonly id: number; readonly job: Job; readonly session: string; readonly message: string }
  | { readonly type: 'end' }

/** What an owner tells. */
export type Report =
  | { readonly type: 'ready' }
  /** What somebody asked for is done; for `run`, with the answer. */
  | { readonly type: 'done'; readonly id: number; readonly answer?: string }
  | { readonly type: 'failed'; readonly id: number; readonly code: string }
  /** Something failed in the work that nobody had asked for. */
  | { readonly type: 'noticed'; readonly code: string }
