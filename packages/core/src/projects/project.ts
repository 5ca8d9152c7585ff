import type { JsonObject } from '../json.ts'
import type { Namespace } from '../namespace.ts'

/** A piece of work with instructions, tools and conversations of its own, such as a client's or a repository's. */
export interface Project {
  readonly id: string
  /** Whose it is. */
  readonly owner: Namespace
  readonly name: string
  /** What is to be done in it. */
  readonly instructions?: string
  /** Globs of the tools that are enabled in it; `[]` for none. @default all */
  readonly tools?: readonly string[]
  /** What the application keeps with it. */
  readonly metadata?: JsonObject
  /** In one that is not active no tool may be used. */
  readonly active: boolean
  /** Higher with every change; says nothing else. */
  readonly version: number
  /** Milliseconds since 1970, by the store's clock. */
  readonly createdAt: number
  readonly updatedAt: number
}

export interface NewProject {
  /** Any text of 1 to 256 characters without NUL. @default a new one */
  readonly id?: string
  /** 1 to 256 characters. */
  readonly name: string
  readonly instructions?: string
  /** @default all */
  readonly tools?: readonly string[]
  readonly metadata?: JsonObject
  /** @default true */
  readonly active?: boolean
}

/** What changes; the rest stays. `null` removes, and metadata is replaced as a whole. */
export interface ProjectChange {
  readonly name?: string
  readonly instructions?: string | null
  readonly tools?: readonly string[] | null
  readonly metadata?: JsonObject | null
  readonly active?: boolean
}
