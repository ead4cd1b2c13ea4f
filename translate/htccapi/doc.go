// Package htccapi holds the wire types and constants of the HTCC (Genesys Web Services) /me API:
// what applications send to Portico and read from it. It says what travels, not what is done
// with it.
package htccapi

// Dialect is the shape of an answer. The vendor documents both; a real server speaks StatusCode.
//
// Source: HTCC 8.5.0, Setting agent state (Status); GWS 8.5.2, ReturnValues (StatusCode).
type Dialect string

// The two dialects, by the member that tells success: {"status":"ok"} and {"statusCode":0}.
const (
	DialectStatus     Dialect = "status"
	DialectStatusCode Dialect = "statusCode"
)

// StatusPartial is the statusCode of an operation of which some channels succeeded. HTTP says 200.
const StatusPartial = 7
