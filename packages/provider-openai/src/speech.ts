// Everything here is public API: a name that is added is a promise.
export {
  type OpenAISpeech,
  type OpenAISpeechOptions,
  openaiSpeech,
  type SpeakOptions,
  type SpeechFormat,
} from './speech/openai-speech.ts'
export {
  type OpenAITranscriber,
  type OpenAITranscriberOptions,
  openaiTranscriber,
  type TranscribeOptions,
} from './speech/openai-transcriber.ts'
export type { SpokenWord, Transcript } from './speech/transcript-in.ts'
