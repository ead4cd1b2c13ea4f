package admin

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"portico/proxy/fault"
	"portico/proxy/gateway"
)

// show mounts what operators may see and do. All of it is JSON.
func (s Settings) show(views gin.IRoutes) {
	views.GET("/sites", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"sites": s.Gateway.Sites()}) })
	views.GET("/sessions", only("site"), s.sessions)
	views.DELETE("/sessions", only("login"), s.dismiss)
	views.DELETE("/sessions/:session", only(), s.dismiss)
	views.GET("/cache", func(c *gin.Context) {
		catalogues, forms := s.Gateway.Catalogues()
		c.JSON(http.StatusOK, gin.H{"catalogues": catalogues, "formBytes": forms})
	})
	views.POST("/cache/purge", only("site", "language"), s.purge)
	views.GET("/log/level", func(c *gin.Context) { c.JSON(http.StatusOK, s.level()) })
	views.PUT("/log/level", s.setLevel)
}

// only refuses parameters of other names, and those of these that are there twice or cannot be read: more might be done than
// was asked for, or less.
func only(names ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		if problem := oddParameter(c.Request.URL.RawQuery, names); problem != "" {
			c.AbortWithStatusJSON(http.StatusBadRequest, gin.H{"error": problem})
		}
	}
}

// oddParameter returns what is wrong with the parameters of a query, "" for nothing.
func oddParameter(query string, names []string) string {
	given, err := url.ParseQuery(query)
	if err != nil {
		return "the parameters cannot be read; write name=value, with & between two"
	}
	for name, values := range given {
		if !slices.Contains(names, name) {
			return fmt.Sprintf("there is no parameter %q here; there are %q", name, names)
		}
		if len(values) > 1 {
			return fmt.Sprintf("parameter %q is there twice; a request is for one", name)
		}
	}
	return ""
}

// sessions shows those that are known here, of one site if one is named. Where replicas share sessions it also says how
// many there are at all of them, unless their store does not answer.
func (s Settings) sessions(c *gin.Context) {
	site := c.Query("site")
	if site != "" && !slices.ContainsFunc(s.Gateway.Sites(), func(one gateway.SiteView) bool { return one.Site == site }) {
		c.JSON(http.StatusNotFound, gin.H{"error": fmt.Sprintf("there is no site %q", site)})
		return
	}
	view := gin.H{"sessions": s.Gateway.Sessions(site, s.Logins())}
	everywhere, shared, err := s.Gateway.CountFleet(c.Request.Context())
	if err != nil {
		s.Log.Warn("the sessions of all replicas could not be counted", "cause", err.Error())
	} else if shared {
		view["everywhere"] = everywhere
	}
	c.JSON(http.StatusOK, view)
}

// dismiss ends a session: the one named as the log and the view name it, or that of a login name.
func (s Settings) dismiss(c *gin.Context) {
	name, login := c.Param("session"), c.Query("login")
	var err error
	switch {
	case name == "" && login == "":
		c.JSON(http.StatusBadRequest, gin.H{"error": "want DELETE /sessions/NAME with its name in the log, or DELETE /sessions?login=NAME"})
		return
	case name != "":
		err = s.Gateway.Dismiss(c.Request.Context(), name)
	default:
		name, err = s.Gateway.DismissLogin(c.Request.Context(), login)
	}
	if err != nil && (fault.KindOf(err) == fault.NotFound || fault.KindOf(err) == fault.Invalid) { // its name is whatever was sent
		c.JSON(fault.Status(err), gin.H{"error": fault.Public(err)})
		return
	}
	s.Log.Info("audit", "operation", "end_session", "session", name, "error_class", fault.Class(err))
	if err != nil {
		c.JSON(fault.Status(err), gin.H{"error": fault.Public(err)})
		return
	}
	c.JSON(http.StatusOK, gin.H{"session": name})
}

// purge forgets what is cached of a site, in one language if one is named.
func (s Settings) purge(c *gin.Context) {
	site, language := c.Query("site"), c.Query("language")
	if site == "" {
		c.JSON(http.StatusBadRequest, gin.H{"error": "want POST /cache/purge?site=NAME"})
		return
	}
	purged, err := s.Gateway.Purge(c.Request.Context(), site, language)
	if err != nil && fault.KindOf(err) == fault.NotFound { // its name is whatever was sent
		c.JSON(http.StatusNotFound, gin.H{"error": fault.Public(err)})
		return
	}
	s.Log.Info("audit", "operation", "purge", "site", site, "language", language, "sessions", purged, "error_class", fault.Class(err))
	if err != nil {
		c.JSON(fault.Status(err), gin.H{"error": fault.Public(err), "sessions": purged})
		return
	}
	c.JSON(http.StatusOK, gin.H{"sessions": purged})
}

// maxAsked is how long the body of a request may be, in bytes.
const maxAsked = 1 << 10

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// A Level is the body of /log/level.
type Level struct {
	Level string `json:"level"`
}

func (s Settings) level() Level { return Level{strings.ToLower(s.Level.Level().String())} }

// setLevel changes the least severe level that is logged, until the settings are reloaded.
func (s Settings) setLevel(c *gin.Context) {
	var asked Level
	err := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, maxAsked)).Decode(&asked)
	level, known := levels[asked.Level]
	if err != nil || !known {
		c.JSON(http.StatusBadRequest, gin.H{"error": `want {"level":"debug"}, info, warn or error`})
		return
	}
	s.Level.Set(level)
	s.Log.Warn("audit", "operation", "log_level", "level_set", s.level().Level)
	c.JSON(http.StatusOK, s.level())
}
