// Package cache keeps what Portico would otherwise ask an upstream for again and again.
//
// A [Cell] holds one session's catalogue or access list. It fetches it once, however many callers
// ask together, and keeps it until the session ends; changes that the upstream pushes are applied
// to it. An [Interner] makes equal values of different sessions one object. [Forms] holds what
// cells' values look like when encoded. Forms alone rests on ristretto, which may refuse or drop
// anything at any time: a form that is missing costs work, never an upstream call.
//
// The package is generic over what it keeps and imports no other room.
package cache
