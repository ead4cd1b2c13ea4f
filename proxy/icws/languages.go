package icws

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/text/language"

	"portico/proxy/fault"
	"portico/proxy/tracing"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// How long a site's list of languages is taken to hold, since it changes with an update of the server; how long that
// it could not be had; and how long it is asked for.
const (
	languagesFor    = time.Hour
	noLanguagesFor  = 5 * time.Second
	languagesWithin = 15 * time.Second
)

// languages is a site's list of languages, asked for when needed.
type languages struct {
	flights singleflight.Group

	mu    sync.Mutex
	list  []string  // guarded by mu
	until time.Time // guarded by mu
}

// held returns the list there is, and whether it still holds.
func (l *languages) held() ([]string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list, time.Now().Before(l.until)
}

// keep takes what the site has told, or that it could not be asked, and returns the list there is then.
func (l *languages) keep(info icwsapi.ServerInfo, err error) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.until = time.Now().Add(noLanguagesFor)
		return l.list
	}
	l.list, l.until = nil, time.Now().Add(languagesFor)
	for _, one := range info.Languages {
		l.list = append(l.list, one.LanguageID)
	}
	return l.list
}

// Language returns which of the site's languages suits an Accept-Language value best: "" without a wish, without one
// that the site has, or where the site does not tell its languages.
func (c *Client) Language(ctx context.Context, accept string) string {
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) == 0 {
		return ""
	}
	list := c.Languages(ctx)
	var offered []language.Tag
	for _, id := range list {
		offered = append(offered, language.Make(id))
	}
	if len(offered) == 0 {
		return ""
	}
	_, at, confidence := language.NewMatcher(offered).Match(wanted...)
	if confidence == language.No {
		return ""
	}
	return list[at]
}

// Languages returns the site's languages; those it had if it cannot be asked, or the caller leaves before it has
// answered. It is asked once for all who need them together, and goes on when one of them leaves.
func (c *Client) Languages(ctx context.Context) []string {
	list, holds := c.languages.held()
	if holds {
		return list
	}
	flight := c.languages.flights.DoChan("", func() (any, error) {
		return fault.Guarded(func() ([]string, error) { return c.askLanguages(tracing.Follow(context.Background(), ctx)), nil })
	})
	select {
	case landed := <-flight:
		if landed.Err != nil {
			return list
		}
		return landed.Val.([]string)
	case <-ctx.Done():
		return list
	}
}

func (c *Client) askLanguages(ctx context.Context) []string {
	list, holds := c.languages.held()
	if holds { // since the caller looked
		return list
	}
	ctx, cancel := context.WithTimeout(upstream.WithCause(ctx, upstream.Session), languagesWithin)
	defer cancel()
	return c.languages.keep(c.ServerInfo(ctx))
}
