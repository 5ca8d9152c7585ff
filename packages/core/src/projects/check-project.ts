import { toJson } from '../json.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import { isKey } from '../store/checks.ts'
import type { NewProject, ProjectChange } from './project.ts'

const CHANGE: OptionNames<ProjectChange> = { name: true, instructions: true, tools: true, metadata: true, active: true }
const PROJECT: OptionNames<NewProject> = { id: true, ...CHANGE }

/** Throws `options.invalid`. */
export function checkNewProject(project: NewProject): void {
  checkOptions('create', project, PROJECT)
  const { id, ...fields } = project
  if (id !== undefined) checkProjectId(id)
  if (fields.name === undefined) throw invalidOption('name', 'give the project a name')
  checkFields(fields, undefined)
}

/** Throws `options.invalid`. */
export function checkProjectChange(change: ProjectChange): void {
  checkOptions('update', change, CHANGE)
  checkFields(change, null)
}

/** Throws `options.invalid` for what cannot name a project. */
export function checkProjectId(id: string): void {
  if (!isKey(id)) throw invalidOption('id', 'give text of 1 to 256 characters, without NUL')
}

/** `absent`: what may be given for a field to say that there is none. */
function checkFields(fields: ProjectChange, absent: null | undefined): void {
  const { name, instructions, tools, metadata, active } = fields
  const isGiven = (value: unknown) => value !== undefined && value !== absent
  if (name !== undefined && !(isKey(name) && name.trim() !== '')) {
    throw invalidOption('name', 'give text of 1 to 256 characters, without NUL')
  }
  if (isGiven(instructions) && typeof instructions !== 'string') throw invalidOption('instructions', 'give text')
  if (isGiven(tools) && !isGlobs(tools)) throw invalidOption('tools', 'give a list of names or globs of tools')
  if (isGiven(metadata) && !isJsonObject(metadata)) throw invalidOption('metadata', 'give an object that JSON can hold')
  if (active !== undefined && typeof active !== 'boolean') throw invalidOption('active', 'give true or false')
}

function isGlobs(value: unknown): boolean {
  return Array.isArray(value) && value.every((glob) => typeof glob === 'string' && glob !== '')
}

function isJsonObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  try {
    toJson(value)
    return true
  } catch {
    return false
  }
}
