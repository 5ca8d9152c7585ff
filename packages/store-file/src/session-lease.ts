import { readFileSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { SessionHead } from '@orra/core'
import { ifThere } from './file-error.ts'
import { replaceFile, type Writing } from './replace-file.ts'

const LEASE_FILE = 'lease.json'

/** A session's lease, as a file beside its log. It says nothing unless its epoch is the log's. */
export interface StoredLease {
  readonly epoch: number
  readonly owner: string
  /** Milliseconds since 1970. */
  readonly endsAt: number
}

/** Whether somebody holds an unexpired lease of the session in `folder`. */
export function isHeld(folder: string, { epoch }: SessionHead, now: number): boolean {
  if (epoch === 0) return false
  const lease = ifThere(() => parse(readFileSync(join(folder, LEASE_FILE), 'utf8')))
  return lease !== undefined && lease.epoch === epoch && lease.endsAt > now
}

export function writeLease(folder: string, lease: StoredLease, writing: Writing): void {
  replaceFile(join(folder, LEASE_FILE), `${JSON.stringify(lease)}\n`, writing)
}

export function removeLease(folder: string): void {
  ifThere(() => unlinkSync(join(folder, LEASE_FILE)))
}

/** After a loss of power the file may hold nothing; then its holder is gone, too. */
function parse(text: string): StoredLease | undefined {
  try {
    return JSON.parse(text) as StoredLease
  } catch {
    return undefined
  }
}
