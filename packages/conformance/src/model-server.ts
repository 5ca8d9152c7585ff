// Everything here is public API: a name that is added is a promise.
export {
  type LoopbackModelServer,
  loopbackModelServer,
  type ModelServerRequest,
  type ModelServerStep,
  type ModelServerTurn,
} from './loopback-model-server.ts'
