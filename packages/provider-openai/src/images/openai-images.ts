import { checkOptions, type ImagePart, invalidOption, type OptionNames, type Usage } from '@orra/core'
import type OpenAI from 'openai'
import { askerFor, askOpenAI, badReply } from '../ask-openai.ts'
import { CLIENT_OPTION_NAMES } from '../client-option-names.ts'
import { type OpenAIClientOptions, openaiClient } from '../openai-client.ts'
import { requireName, requireOneOf } from '../require-option.ts'
import { toldUsage } from '../told-usage.ts'
import type { ImageFormat } from './image-kind.ts'
import { imagesIn } from './images-in.ts'
import { toImageFile } from './to-image-file.ts'

const MAX_IMAGES = 16
const MAX_IMAGE_BYTES = 50_000_000
const MAX_MASK_BYTES = 4_000_000
const MAX_COUNT = 10

export interface ImageSettings {
  /** Such as `1024x1024`. @default the model's own */
  readonly size?: string
  /** @default the model's own */
  readonly quality?: 'low' | 'medium' | 'high' | 'xhigh' | 'max' | 'auto'
  /** `transparent` wants `png` or `webp`. @default the model's own */
  readonly background?: 'transparent' | 'opaque' | 'auto'
  /** @default the model's own: `png` with OpenAI's */
  readonly format?: ImageFormat
}

export interface OpenAIImagesOptions extends OpenAIClientOptions, ImageSettings {
  /** @default `gpt-image-2.5-sunburst` */
  readonly model?: string
}

export interface GenerateImageOptions extends ImageSettings {
  readonly signal?: AbortSignal | undefined
  /** 1 to 10. @default 1 */
  readonly count?: number
  /** Told what the call cost; of servers that do not say it, nothing is told. */
  readonly onUsage?: ((usage: Usage) => void) | undefined
}

export interface EditImageOptions extends GenerateImageOptions {
  /** A PNG of the first image's size, at most 4 MB; where it is transparent, that image is changed. @default everywhere */
  readonly mask?: ImagePart
}

/** Makes images, in base64, whose media types are told by their bytes. Holds no state of its callers. */
export interface OpenAIImages {
  readonly model: string
  /** At least one, and as many as were asked for unless the server makes fewer. */
  generate(prompt: string, options?: GenerateImageOptions): Promise<readonly ImagePart[]>
  /**
   * New images made of 1 to 16 others: PNG, JPEG or WebP of at most 50 MB each, by their bytes, since URLs are not fetched.
   * Throws `options.invalid` that names an image which cannot be sent, such as `images[1]`, before anything is.
   */
  edit(prompt: string, images: readonly ImagePart[], options?: EditImageOptions): Promise<readonly ImagePart[]>
}

const SETTINGS: OptionNames<ImageSettings> = { size: true, quality: true, background: true, format: true }
const OPTIONS: OptionNames<OpenAIImagesOptions> = { ...CLIENT_OPTION_NAMES, ...SETTINGS, model: true }
const GENERATE_OPTIONS: OptionNames<GenerateImageOptions> = { ...SETTINGS, signal: true, count: true, onUsage: true }
const EDIT_OPTIONS: OptionNames<EditImageOptions> = { ...GENERATE_OPTIONS, mask: true }
const FORMATS: { readonly [Format in ImageFormat]: true } = { png: true, jpeg: true, webp: true }
const BACKGROUNDS = { transparent: true, opaque: true, auto: true }

/**
 * OpenAI's images, or with `baseURL` those of any server that speaks their API.
 *
 * @example
 * const images = openaiImages({ size: '1024x1024', quality: 'low' })
 */
export function openaiImages(options: OpenAIImagesOptions = {}): OpenAIImages {
  checkOptions('openaiImages', options, OPTIONS)
  const { model = 'gpt-image-2.5-sunburst' } = options
  requireName('model', model)
  toParameters(options)
  const asker = askerFor('openaiImages', options)
  const client = openaiClient(options, asker)

  async function make(
    { signal, onUsage }: GenerateImageOptions,
    call: (options: { readonly signal?: AbortSignal }) => Promise<OpenAI.ImagesResponse>,
  ): Promise<readonly ImagePart[]> {
    const reply = await askOpenAI(asker, signal, call)
    const usage = toldUsage(reply)
    if (usage) onUsage?.(usage)
    const found = imagesIn(reply)
    if (typeof found === 'string') throw badReply(asker, found)
    return found
  }

  /** What both calls send. */
  function toRequest(prompt: string, given: GenerateImageOptions) {
    if (typeof prompt !== 'string' || prompt.trim() === '') throw invalidOption('prompt', 'say what to show')
    const { count = 1, onUsage } = given
    if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
      throw invalidOption('count', `give a whole number from 1 to ${MAX_COUNT}`)
    }
    if (onUsage !== undefined && typeof onUsage !== 'function') throw invalidOption('onUsage', 'give a function')
    // OpenAI's models give base64 and do not take the parameter; others give a URL without it. A client may name its models.
    const isOpenAI = options.client !== undefined || model.includes('gpt-image')
    const base64 = isOpenAI ? {} : ({ response_format: 'b64_json' } as const)
    const parameters = { ...toParameters(options), ...toParameters(given) }
    return { model, prompt: prompt.toWellFormed(), n: count, ...base64, ...parameters }
  }

  return {
    model,
    async generate(prompt, options = {}) {
      checkOptions('generate', options, GENERATE_OPTIONS)
      const request = toRequest(prompt, options)
      return make(options, (call) => client().images.generate(request, call))
    },
    async edit(prompt, images, options = {}) {
      checkOptions('edit', options, EDIT_OPTIONS)
      const request = { ...toRequest(prompt, options), ...toFiles(images, options.mask) }
      return make(options, (call) => client().images.edit(request, call))
    },
  }
}

function toParameters({ size, quality, background, format }: ImageSettings) {
  if (size !== undefined) requireName('size', size)
  if (quality !== undefined) requireName('quality', quality)
  if (background !== undefined) requireOneOf('background', background, BACKGROUNDS)
  if (format !== undefined) requireOneOf('format', format, FORMATS)
  return {
    ...(size === undefined ? {} : { size }),
    ...(quality === undefined ? {} : { quality }),
    ...(background === undefined ? {} : { background }),
    ...(format === undefined ? {} : { output_format: format }),
  }
}

function toFiles(images: readonly ImagePart[], mask: ImagePart | undefined) {
  if (!Array.isArray(images) || images.length < 1 || images.length > MAX_IMAGES) {
    throw invalidOption('images', `give a list of 1 to ${MAX_IMAGES} images`)
  }
  const files = images.map((part, index) => toImageFile(part, `images[${index}]`, MAX_IMAGE_BYTES))
  const [first] = files
  // Some servers know only the field for one.
  return {
    image: first && files.length === 1 ? first : files,
    ...(mask ? { mask: toImageFile(mask, 'mask', MAX_MASK_BYTES, ['png']) } : {}),
  }
}
