/** How servers say that a request does not fit into the model's context window; few have a code for it. */
const SENTENCES: readonly RegExp[] = [
  // OpenAI, of one text in the conversation
  /(?:content|text|output|instructions|arguments)(?:\[\d+\])*': string too long/i,
  // OpenAI, Azure, vLLM, OpenRouter, Groq, DeepSeek, SGLang, Ollama, Mistral
  /(?:maximum|max|model['’]s|available|exceeds? the|longer than the) (?:model['’]s |available )?(?:context|prompt) (?:length|size|window)/i,
  /(?:maximum|longer than the) model length/i,
  /exceeds? (?:the |this |its )?(?:model['’]s )?context (?:length|limit|window|size)/i,
  // Groq, Cerebras, vLLM, Azure
  /reduce the length of (?:the |your )?(?:messages|prompt|input)/i,
  /(?:prompt|input|request|message)s?(?: is| are)? too (?:long|large)\b/i,
  // llama.cpp, LM Studio
  /(?:larger|greater|more) than the (?:max(?:imum)? )?context (?:size|length|window)/i,
  /context (?:length|window|size) of only|context the overflows|context (?:window|length|size) (?:exceeds|exceeded|overflow|is full)/i,
  // Together, and text-generation-inference
  /`inputs`(?: tokens)? (?:\+ `max_new_tokens` )?must (?:be <=|have less than)/i,
  // Gemini, and others
  /exceeds the maximum number of tokens|input token count.{0,40}exceeds|token count.{0,40}exceeds the limit/i,
  /too large for model with|exceeded (?:the )?model['’]?s? token limit|too many tokens:|more than max tokens allowed|exceeds max(?:imum)? length/i,
]

/** Of the length of something else than a request. */
const OTHER = /\bname\b.{0,40}too long|tool_call_id/i

export function isTooLong(message: string): boolean {
  return !OTHER.test(message) && SENTENCES.some((sentence) => sentence.test(message))
}
