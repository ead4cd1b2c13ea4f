package config

import (
	"crypto/tls"
	"fmt"
	"time"
)

// CheckDates returns why a certificate is not valid at a time, as far as its dates tell.
func CheckDates(pair tls.Certificate, at time.Time) error {
	switch {
	case at.After(pair.Leaf.NotAfter):
		return fmt.Errorf("the certificate ended at %s", pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	case at.Before(pair.Leaf.NotBefore):
		return fmt.Errorf("the certificate is not valid before %s", pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// warnOfDates warns of a certificate that nobody will accept now. It is no fault, since the clock may be wrong, and
// another certificate be on its way.
func warnOfDates(path string, pair tls.Certificate, v *verdict) {
	err := CheckDates(pair, time.Now())
	if err != nil {
		v.warn(path, "%v; put one that is valid into its file", err)
	}
}
