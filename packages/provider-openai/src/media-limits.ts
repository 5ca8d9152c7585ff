/** What OpenAI takes of media, in characters of base64; other servers may take less. */
export const MEDIA_LIMITS = {
  imageBytes: 20_000_000,
  fileBytes: 32_000_000,
  /** In a whole request. */
  images: 500,
  /** Of all media of a request together; a little below the 50 MB that it may be. */
  allBytes: 45_000_000,
} as const
