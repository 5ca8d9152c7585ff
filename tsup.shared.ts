import { defineConfig, type Options } from 'tsup'

/** How everything here is built: one ESM bundle per entry. The declarations beside it are written by `tsc`. */
export const bundle = (options: Options = {}) =>
  defineConfig({
    entry: ['src/index.ts'],
    format: 'esm',
    target: 'node22',
    platform: 'node',
    dts: false,
    clean: true,
    sourcemap: true,
    removeNodeProtocol: false,
    silent: true,
    ...options,
  })

export default bundle()
