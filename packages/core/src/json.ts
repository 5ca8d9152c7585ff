/** What survives `JSON.parse(JSON.stringify(value))` unchanged. Everything in the log is made of it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}
