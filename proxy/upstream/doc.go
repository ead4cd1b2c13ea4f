// Package upstream is what the clients of both upstream APIs share: one attempt of one call, with
// its deadline, its longest body and its place in the metrics, one event stream, and the Guard that
// keeps a site to its limits. It knows HTTP; what an answer means is for the client to say.
//
// A call passes, in this order: the pace, if it is a log-in; the breaker of its host; a place among the
// site's calls, unless it lasts; and then it is sent, in Caller.attempt.
package upstream
