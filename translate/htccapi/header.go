package htccapi

// Headers of the pair that guards against cross-site requests: the name of the header to send with
// every POST, PUT and DELETE, and its value. The name is nearly always HeaderCSRFToken.
//
// Source: GWS, CSRFProtection.
const (
	HeaderCSRFName  = "X-CSRF-HEADER"
	HeaderCSRFToken = "X-CSRF-TOKEN"
)
