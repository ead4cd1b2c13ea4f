package gateway

import "portico/proxy/native"

// nativeSite returns a site as applications that speak ICWS reach it.
func (g *Gateway) nativeSite(at *icwsSite) native.Site {
	site := native.Site{Name: at.Name, ICWS: at.ICWS, Key: g.key, Languages: at.languageList, Cells: at.cells, Tracer: at.tracer,
		Logins: native.Logins{MayTry: g.guesses.mayTry, Tried: g.tried, Lock: g.guesses.names.lock}}
	if at.commons != nil {
		site.Catalogues = newProvenCatalogues(at.Name, at.commons, g.forms)
	}
	return site
}

// Native returns the passage of one request of an application that speaks ICWS itself; nil if no site is for
// those. Hosts are what callers sent back of native.Passage.Host.
func (g *Gateway) Native(hosts []string) *native.Passage {
	if g.native == nil {
		return nil
	}
	return g.native.Passage(hosts)
}

// ReleaseNative ends the event streams of native applications.
func (g *Gateway) ReleaseNative() {
	if g.native != nil {
		g.native.LetGo()
	}
}
