import type { Namespace } from '@orra/core'

/** The last segment of a sub-agent's namespace, which no two runs share. */
const PLACE = /(:agent:[^:]+:)([\w-]{22})(?=:|$)/g

/**
 * Names namespaces so that the same ones have the same names every time: the places of sub-agents are numbers, in the order
 * in which the names are asked for.
 */
export function plainNames(): (namespace: Namespace) => string {
  const places = new Map<string, string[]>()

  function numberOf(above: string, place: string): number {
    const known = places.get(above) ?? []
    places.set(above, known)
    return known.indexOf(place) + 1 || known.push(place)
  }

  return ({ key }) =>
    key.replaceAll(
      PLACE,
      (_, agent: string, place: string, at: number) => `${agent}<${numberOf(key.slice(0, at) + agent, place)}>`,
    )
}
