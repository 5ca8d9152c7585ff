/** Whether somebody must approve a call before it is done. */
export type ApprovalLevel =
  | 'never'
  /** Unless the session's metadata says `autoApprove: true`. */
  | 'unless-auto-approved'
  /** Whatever the session says. */
  | 'always'

/** Every level, from the mildest to the strictest. */
export const APPROVAL_LEVELS: { readonly [Level in ApprovalLevel]: number } = {
  never: 0,
  'unless-auto-approved': 1,
  always: 2,
}

/** The stricter of two. */
export function stricter(a: ApprovalLevel, b: ApprovalLevel): ApprovalLevel {
  return APPROVAL_LEVELS[b] > APPROVAL_LEVELS[a] ? b : a
}
