package icwssim

import "portico/proxy/simulation"

// maxMessage keeps an event's line below the 64 KiB that line readers of some clients can take.
const maxMessage = 60_000 // bytes

// sendSnapshot sends items as the first message of a subscription, or as several if they are too
// many for one: only the first says that it replaces what was known.
func sendSnapshot[T any](session *session, items []T, message func(part []T, isDelta bool) any) {
	for i, part := range split(items) {
		session.send(message(part, i > 0))
	}
}

// split cuts items into parts that fit into a message, at least one part.
func split[T any](items []T) [][]T {
	const room = maxMessage - 1000 // for the message around the items
	var parts [][]T
	part, size := []T{}, 0
	for _, item := range items {
		length := len(simulation.Encode(item)) + 1
		if size+length > room && len(part) > 0 {
			parts = append(parts, part)
			part, size = nil, 0
		}
		part = append(part, item)
		size += length
	}
	return append(parts, part)
}
