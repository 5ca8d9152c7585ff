/** The names of all keys of one store. Those that one script touches share a hash tag, as a cluster asks. */
export interface Keys {
  readonly schema: string
  /** The last epoch that was given to a claim. */
  readonly epoch: string
  /** The last version that was given to a record. */
  readonly version: string
  /** Namespaces that have a session, one with work, records or counters: see `namespace-index.ts`. */
  readonly sessionIndex: string
  readonly pendingIndex: string
  readonly recordIndex: string
  readonly counterIndex: string
  /** Of one namespace: state, log, places of input keys, and for a while the epoch of a deleted session. */
  session(namespace: string): readonly string[]
  /** Of one namespace: records, their order, the places of words, the words of records. */
  records(namespace: string): readonly [records: string, order: string, places: string, words: string]
  /** Of one outermost segment: used, order, ends, reserved, reservations, live ones, late ones, marks. */
  counters(root: string): readonly string[]
  channel(namespace: string): string
}

export function keysOf(prefix: string): Keys {
  const tagged = (namespace: string, ...kinds: readonly string[]) =>
    kinds.map((kind) => `${prefix}:${kind}:{${tagOf(namespace)}}`)
  return {
    schema: `${prefix}:schema`,
    epoch: `${prefix}:epoch`,
    version: `${prefix}:version`,
    sessionIndex: `${prefix}:sessions`,
    pendingIndex: `${prefix}:pending`,
    recordIndex: `${prefix}:record-namespaces`,
    counterIndex: `${prefix}:counter-namespaces`,
    session: (namespace) => tagged(namespace, 'session', 'log', 'inputs', 'fence'),
    records: (namespace) => {
      const [records = '', order = '', places = '', words = ''] = tagged(
        namespace,
        'records',
        'record-order',
        'record-places',
        'record-words',
      )
      return [records, order, places, words]
    },
    counters: (root) =>
      tagged(
        root,
        'counters',
        'counter-order',
        'counter-ends',
        'reserved',
        'reservations',
        'reservations-live',
        'reservations-late',
        'counter-marks',
      ),
    channel: (namespace) => `${prefix}:notices:{${tagOf(namespace)}}`,
  }
}

/** The outermost segment: all claims of one reservation have the same. */
export function rootOf(namespace: string): string {
  return namespace.split(':', 1)[0] ?? namespace
}

/** A brace in a namespace would end the tag; in the key of a namespace `%` stands only before `25` and `3A`. */
function tagOf(namespace: string): string {
  return namespace.replaceAll('{', '%7B').replaceAll('}', '%7D')
}
