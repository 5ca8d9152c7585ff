/** How the names of OpenAI's models begin, wherever in a name that is. */
const FAMILY = /(?:^|[^a-z0-9])((?:chatgpt|gpt|o\d|computer-use)(?![a-z]).*)$/s

/** A model's name in small letters, without what stands around it: a vendor before it, the family of one that was tuned. */
export function bareModel(model: string): string {
  const name = model.toLowerCase()
  return FAMILY.exec(name)?.[1] ?? name.replace(/^.*\//s, '').replace(/^ft:/, '')
}

/** Whether a model may think before it answers. One whose name is not known is taken for one that does. */
export function mayReason(model: string): boolean {
  return !/^(?:gpt-?[34]|chatgpt-|gpt-5(?:\.\d)?-(?:chat|search))/.test(bareModel(model))
}

/** Whether a model may give an answer by a schema; those before GPT-4o know tools only. */
export function mayFormat(model: string): boolean {
  return !/^gpt-?(?:3|4(?![o.\d])|4o-2024-05-13)/.test(bareModel(model))
}

/** Whether a model may be told a temperature. Of those that think, the later ones may, while they do not. */
export function mayVary(model: string): boolean {
  return !/^(?:o\d|gpt-5(?:$|-(?!chat)))/.test(bareModel(model))
}

/** Whether a model may be told how long answers are to be. */
export function mayBeBrief(model: string): boolean {
  return mayReason(model) && !/^o\d/.test(bareModel(model))
}
