/**
 * What the Messages API takes. Some models and platforms take larger images, more of them, and more pages; these numbers
 * are good for all. Megabytes are those of base64 and of JSON.
 */
export const REQUEST_LIMITS = {
  /** A little below the 32 MB of Anthropic's own endpoint, for what the SDK and the cache marks add. */
  requestBytes: 31_900_000,
  imageBytes: 5 * 1024 * 1024,
  images: 100,
  imageEdge: 8000,
  /** With more images and documents than this in a request, each image must keep to the edge that follows. */
  manyMedia: 20,
  manyMediaEdge: 2000,
  pdfBytes: 30_000_000,
  pdfPages: 100,
} as const
