package htccapi

// CookieSession is the cookie of an HTTP session.
//
// Source: GWS 8.5.2, CSRFProtection.
const CookieSession = "JSESSIONID"
