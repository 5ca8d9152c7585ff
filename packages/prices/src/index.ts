// Everything here is public API: a name that is added is a promise.
export { type GenaiPricesOptions, genaiPrices } from './genai-prices.ts'
export { type GenaiWindowsOptions, genaiWindows } from './genai-windows.ts'
