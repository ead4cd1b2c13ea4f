// Package push is a Bayeux server, as CometD 3.1 has it: it keeps clients, their subscriptions and
// the events waiting for them, and delivers over long-polling and websocket. It knows channels and
// clients but not who they are for: an owner is an opaque string. A channel has the same name for
// every owner; its events reach only the clients of the owner they were published for.
//
// A request runs as Serve -> decode -> handle -> held, parked or neither -> compose -> write -> settle. One that comes
// on the connection of a parked connect runs as Line -> Options.Next -> Line.Read -> Batch.Serve -> the same, without
// an http.Server.
//
// Source: The Bayeux Protocol Specification 1.0; where it leaves room, the CometD 3.1 server.
package push
