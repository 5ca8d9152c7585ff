// Everything here is public API: a name that is added is a promise.
export type { ImageFormat } from './images/image-kind.ts'
export {
  type EditImageOptions,
  type GenerateImageOptions,
  type ImageSettings,
  type OpenAIImages,
  type OpenAIImagesOptions,
  openaiImages,
} from './images/openai-images.ts'
