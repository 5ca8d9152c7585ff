import type { ApprovalRequest } from '@orra/core'
import { shortened } from './shortened.ts'

/** The most of an input that somebody is asked to read. */
const LONGEST_INPUT = 4000

/** `delete_task {"id":2}`: what is to be done, in one line that may have been shortened. */
export function callInWords({ tool, input }: Pick<ApprovalRequest, 'tool' | 'input'>): string {
  return `${tool} ${shortened(inputInWords(input))}`
}

/** The call as it is asked about: with the agent that would make it, when it is not the one who speaks with this speaker. */
export function askedCall(request: ApprovalRequest): string {
  const agent = request.spawnedBy?.agents.at(-1)
  return agent === undefined ? callInWords(request) : `${agent}'s ${callInWords(request)}`
}

/** What one line does not hold of the input, for whoever is to decide; `undefined` when it holds all. */
export function restInWords({ input }: ApprovalRequest): string | undefined {
  const text = inputInWords(input)
  if (shortened(text) === text) return undefined
  if (text.length <= LONGEST_INPUT) return text
  return `${text.slice(0, LONGEST_INPUT)}… and ${text.length - LONGEST_INPUT} more characters that are not shown`
}

/** Nothing that is invisible, or turns the direction of writing, may hide what is decided about. */
function inputInWords(input: ApprovalRequest['input']): string {
  return JSON.stringify(input).replaceAll(
    /[\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}
