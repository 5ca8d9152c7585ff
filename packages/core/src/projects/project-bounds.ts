import type { Policies } from '../gate/policy.ts'
import type { Namespace } from '../namespace.ts'
import type { Project } from './project.ts'

/** Where the conversations and data of a project are: below its owner. Throws `namespace.invalid` where that is too long. */
export function namespaceOf({ owner, id }: Pick<Project, 'owner' | 'id'>): Namespace {
  return owner.child('project', id)
}

/** The policy of a project's namespace: the tools that are enabled there, and none while it is not active. */
export function policiesOf(project: Project): Policies {
  const { pattern } = namespaceOf(project)
  if (!project.active) return { [pattern]: { tools: { deny: ['*'] } } }
  return { [pattern]: project.tools === undefined ? {} : { tools: { allow: project.tools } } }
}
