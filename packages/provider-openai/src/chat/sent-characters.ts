/** An image or a file in base64 says nothing by its length. */
const CHARACTERS_PER_MEDIUM = 4000

/** How much text a request's body holds, at any depth. */
export function sentCharacters(body: unknown): number {
  if (typeof body === 'string') return body.startsWith('data:') ? CHARACTERS_PER_MEDIUM : body.length
  if (typeof body !== 'object' || body === null) return 0
  return Object.entries(body).reduce((sum, [name, value]) => sum + nameLength(body, name) + sentCharacters(value), 0)
}

function nameLength(holder: object, name: string): number {
  return Array.isArray(holder) ? 0 : name.length
}
