// Package upstream is what the clients of both upstream APIs share: one attempt of one call, with
// its deadline, its longest body and its place in the metrics, and one event stream. It knows
// HTTP; what an answer means is for the client to say.
package upstream
