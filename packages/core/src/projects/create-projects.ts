import { randomUUID } from 'node:crypto'
import { isOrraError } from '../errors.ts'
import type { Policies } from '../gate/policy.ts'
import type { JsonObject } from '../json.ts'
import { type Namespace, requireNamespace } from '../namespace.ts'
import { checkOptions, checkSignal, invalidOption, type OptionNames } from '../options.ts'
import type { Page, PageOptions, StoreOptions } from '../store/page.ts'
import type { RecordKey, Records, StoredRecord } from '../store/records.ts'
import { checkNewProject, checkProjectChange, checkProjectId } from './check-project.ts'
import type { NewProject, Project, ProjectChange } from './project.ts'
import { namespaceOf, policiesOf } from './project-bounds.ts'

/** Projects by owner. Nothing of one owner is reachable through another one. */
export interface Projects {
  /** Throws `store.conflict` where the owner has a project of this id. */
  create(owner: Namespace, project: NewProject, options?: StoreOptions): Promise<Project>
  get(owner: Namespace, id: string, options?: StoreOptions): Promise<Project | undefined>
  /**
   * Changes a project and returns it as it is then, or `undefined` when there is none. What others change at the same time
   * stays, but for the fields that are given here. Throws `store.conflict` when it is not at the version that is expected.
   */
  update(
    owner: Namespace,
    id: string,
    change: ProjectChange,
    options?: ChangeProjectOptions,
  ): Promise<Project | undefined>
  /** `update` of `active` alone. */
  setActive(owner: Namespace, id: string, active: boolean, options?: ChangeProjectOptions): Promise<Project | undefined>
  /**
   * Returns whether there was one. What lies in its namespace stays; `runtime.erase(namespaceOf(project))` removes that.
   * Throws `store.conflict` when it is not at the version that is expected.
   */
  delete(owner: Namespace, id: string, options?: ChangeProjectOptions): Promise<boolean>
  /** The owner's projects by id. */
  list(owner: Namespace, options?: PageOptions): Promise<Page<Project>>
  /** Where its conversations and data are: `project` and its id, below its owner. */
  namespaceOf(project: Project): Namespace
  /** What is to be done in it; absent where nothing was said. */
  instructionsOf(project: Project): string | undefined
  /** What its namespace may do, to be joined with other policies: the tools that are enabled, none while it is not active. */
  policiesOf(project: Project): Policies
}

export interface ChangeProjectOptions extends StoreOptions {
  /** The version that it must be at. @default any */
  readonly expect?: number
}

const COLLECTION = 'orra.projects'

const STORE_OPTIONS: OptionNames<StoreOptions> = { signal: true }
const CHANGE_OPTIONS: OptionNames<ChangeProjectOptions> = { signal: true, expect: true }
const PAGE_OPTIONS: OptionNames<PageOptions> = { signal: true, after: true, limit: true }

/**
 * Keeps projects as records of the collection `orra.projects`. Wrong input throws `options.invalid` and
 * `namespace.invalid` before anything is written, and the store throws its own.
 *
 * @example
 * const projects = createProjects(store.records)
 * const garden = await projects.create(bob, { name: 'Garden', tools: ['calendar_*'] })
 * await orra.run(projects.namespaceOf(garden), 'What is to be planted in May?')
 */
export function createProjects(records: Records): Projects {
  if (typeof records?.put !== 'function' || typeof records.list !== 'function') {
    throw invalidOption('records', 'give the "records" of a store')
  }

  async function update(
    owner: Namespace,
    id: string,
    change: ProjectChange,
    options: ChangeProjectOptions = {},
  ): Promise<Project | undefined> {
    const key = keyOf(owner, id)
    checkProjectChange(change)
    const { expect, signal } = checkChange('update', options)
    for (;;) {
      const found = await records.get(key, { signal })
      if (found === undefined && expect === undefined) return undefined
      const value = changed((found?.value ?? {}) as JsonObject, change)
      try {
        return projectOf(owner, await records.put(key, value, { version: expect ?? found?.version, signal }))
      } catch (error) {
        // Somebody else's change came first, so that there is progress; this one is made to theirs.
        if (expect !== undefined || !isOrraError(error, 'store.conflict')) throw error
      }
    }
  }

  return {
    async create(owner, project, options = {}) {
      checkNewProject(project)
      const { signal } = checkStore('create', options)
      const { id = randomUUID(), active = true, ...fields } = project
      const key = keyOf(owner, id)
      // A project whose namespace nobody could use is none.
      namespaceOf({ owner, id })
      return projectOf(owner, await records.put(key, { ...fields, active }, { version: 0, signal }))
    },

    async get(owner, id, options = {}) {
      const { signal } = checkStore('get', options)
      const found = await records.get(keyOf(owner, id), { signal })
      return found && projectOf(owner, found)
    },

    update,

    async setActive(owner, id, active, options) {
      if (typeof active !== 'boolean') throw invalidOption('active', 'give true or false')
      return await update(owner, id, { active }, options)
    },

    async delete(owner, id, options = {}) {
      const { expect, signal } = checkChange('delete', options)
      return await records.delete(keyOf(owner, id), { version: expect, signal })
    },

    async list(owner, options = {}) {
      requireNamespace(owner)
      checkPage(options)
      const { items, ...rest } = await records.list({ ...options, collection: COLLECTION, namespace: owner })
      return { items: items.map((record) => projectOf(owner, record)), ...rest }
    },

    namespaceOf,
    instructionsOf: ({ instructions }) => instructions,
    policiesOf,
  }
}

function keyOf(owner: Namespace, id: string): RecordKey {
  checkProjectId(id)
  return { collection: COLLECTION, namespace: requireNamespace(owner), id }
}

function projectOf(owner: Namespace, { id, version, value, createdAt, updatedAt }: StoredRecord): Project {
  return { ...(value as unknown as Project), id, owner, version, createdAt, updatedAt }
}

function changed(value: JsonObject, change: ProjectChange): JsonObject {
  const given = Object.entries(change).filter(([, field]) => field !== undefined)
  const fields = Object.entries({ ...value, ...Object.fromEntries(given) })
  return Object.fromEntries(fields.filter(([, field]) => field !== null))
}

function checkStore(taker: string, options: StoreOptions): StoreOptions {
  checkOptions(taker, options, STORE_OPTIONS)
  checkSignal(options.signal)
  return options
}

function checkChange(taker: string, options: ChangeProjectOptions): ChangeProjectOptions {
  checkOptions(taker, options, CHANGE_OPTIONS)
  const { expect, signal } = options
  checkSignal(signal)
  if (expect !== undefined && !(Number.isSafeInteger(expect) && expect > 0)) {
    throw invalidOption('expect', 'give the "version" of a project')
  }
  return options
}

function checkPage(options: PageOptions): void {
  checkOptions('list', options, PAGE_OPTIONS)
  const { limit, signal } = options
  checkSignal(signal)
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    throw invalidOption('limit', 'give a whole number above 0')
  }
}
